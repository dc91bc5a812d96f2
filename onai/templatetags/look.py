"""The theme and the language of a page, and the choice of others."""

from dataclasses import dataclass

from django import template
from django.conf import settings
from django.template.context import Context
from django.utils.translation import get_language

from onai.web.look.theme import NAMES, Theme, of_request

register = template.Library()


@dataclass(frozen=True, slots=True)
class Choice:
    """A theme or a language by its value and name."""

    value: str
    name: str
    is_chosen: bool


@register.simple_tag(takes_context=True)
def theme(context: Context) -> Theme:
    return of_request(context["request"])


@register.inclusion_tag("theme_choice.html", takes_context=True)
def theme_choice(context: Context) -> dict[str, object]:
    chosen = of_request(context["request"])
    choices = [Choice(one, str(name), one is chosen) for one, name in NAMES.items()]
    return {"themes": choices, "request": context["request"]}


@register.simple_tag
def language_name() -> str:
    """The language of the page by its own name."""
    return dict(settings.LANGUAGES)[get_language()]


@register.inclusion_tag("language_choice.html", takes_context=True)
def language_choice(context: Context) -> dict[str, object]:
    chosen = get_language()
    choices = [Choice(code, name, code == chosen) for code, name in settings.LANGUAGES]
    return {"languages": choices, "request": context["request"]}
