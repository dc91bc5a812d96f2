"""`/design`: every component of the pages, in both themes, with made-up figures.

For whoever draws a page: what there is, what it is called, and how it bears long names and large
amounts. The figures say nothing.
"""

from datetime import date, timedelta

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.views.decorators.http import require_safe

from onai.templatetags.russian import short_number, tenge
from onai.web.look.bar_chart import Column, bar_chart, sparkline
from onai.web.look.theme import Theme

_SALES = (4, 6, 5, 9, 0, 3, 7, 8, 12, 10, 6, 4, 9, 5)
_BEFORE = (3, 5, 6, 6, 4, 2, 8, 5, 9, 11, 7, 3, 6, 4)
_LONG_NAME = "proftest_" + "очень_длинное_имя_источника_" * 2
_LARGE = 12_345_678


class _SampleForm(forms.Form):
    """A field as it is, and one that was filled in wrongly."""

    email = forms.EmailField(label="Почта (логин)", initial="aigerim@onai.test")
    phone = forms.CharField(label="Телефон", initial="12", min_length=5)


@require_safe
def show(request: HttpRequest) -> HttpResponse:
    """The components, first in light, then in dark."""
    context = {"themes": [Theme.LIGHT, Theme.DARK], **_sample()}
    return render(request, "local/design.html", context)


def _sample() -> dict[str, object]:
    form = _SampleForm({"email": "aigerim@onai.test", "phone": "12"})
    form.is_valid()
    columns, money = _columns(1), _columns(_LARGE // 12)
    return {
        "form": form,
        "chart": bar_chart(columns, short_number),
        "money": bar_chart(money, lambda value: f"{short_number(value)}\N{NO-BREAK SPACE}₸"),
        "tiles": [
            _tile("Выручка", tenge(_LARGE), "▲", "+24 % к прошлым 14 дням", "up", columns),
            _tile("Покупки", "88", "▼", "−9 % к прошлым 14 дням", "down", columns),
            _tile("Тест → покупка", "8,57 %", "", "обычное колебание", "", columns),
            {**_tile("Заявки", "489", "", "", "", columns), "incomplete": "неполно с 14 ноября"},
        ],
        "tabs": [
            {"href": "?", "text": "Заявки", "is_current": True},
            {"href": "?", "text": "Покупки по дню покупки"},
            {"href": "?", "text": "Выручка"},
        ],
        "badges": [("лучше", "good"), ("хуже", "bad"), ("рано судить", "look"), ("как все", "")],
        "lines": [
            {"name": "Кенесары", "bar": _bar(60, 48, 30), "text": "13,5 %", "money": tenge(95_000)},
            {"name": _LONG_NAME, "bar": _bar(8, 2, 30), "text": "2,2 %", "money": tenge(_LARGE)},
        ],
        "steps": [
            {"name": "Прошли тест", "reached": "100%", "lost": "0%", "count": "350"},
            {"name": "Перешли по ссылке", "reached": "33%", "lost": "67%", "count": "116"},
        ],
    }


def _columns(worth: int) -> list[Column]:
    first = date(2026, 11, 14)
    found = []
    for number, (now, before) in enumerate(zip(_SALES, _BEFORE, strict=True)):
        day = date_format(first + timedelta(days=number), "j E")
        text = f"{day}: {now * worth}, было {before * worth}"
        is_last = number == len(_SALES) - 1
        found.append(Column(day, now * worth, text, before * worth, is_unfinished=is_last))
    return found


def _tile(
    title: str, text: str, symbol: str, words: str, tone: str, columns: list[Column]
) -> dict[str, object]:
    difference = {"symbol": symbol, "words": words, "tone": tone}
    return {"title": title, "text": text, "difference": difference, "course": sparkline(columns)}


def _bar(value: int, low: int, width: int) -> dict[str, str]:
    return {"value": f"{value}%", "low": f"{low}%", "width": f"{width}%"}
