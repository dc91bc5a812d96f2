"""What the pages of money share: the question and its links, the names of managers."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from funnel.web.difference import compared_days
from funnel.web.forms import QuestionForm
from funnel.web.links import KEPT, LOOK, Link, address, choices, joined, navigation, parameters
from funnel.web.wording import COMPARE
from onai.identity.roles import IdentifiedRequest
from sales.cabinet import statistics
from sales.staff import distinct_names
from sales.web.cabinet.sections import staff

_PERIOD = ("period", "from", "to")
PARTS: dict[str, str | Promise] = {
    "funnel-money": _("сходится ли"),
    "funnel-money-times": _("время до доступа"),
    "funnel-money-learning": _("учёба"),
}


def page_of(request: IdentifiedRequest, form: QuestionForm, part: str) -> dict[str, Any]:
    """What a page needs to show its question and to keep it in its links. `part` is a page of
    `PARTS`."""
    query, question = request.GET, form.question()
    kept = parameters(query, *LOOK, "source", "rows")
    told = joined("", parameters(query, *KEPT))
    return {
        "period_form": form,
        "question": question,
        "chosen": form.chosen,
        "compared_days": compared_days(question),
        "compare": choices(query, "compare", COMPARE, question.compare),
        "kept": kept,
        "filter_query": urlencode(kept),
        "errors": [
            text for name in form.errors if name not in _PERIOD for text in form.errors[name]
        ],
        "navigation": navigation("funnel-money", told),
        "parts": [
            Link(address(name, told), str(title), name == part) for name, title in PARTS.items()
        ],
        "rows_query": joined("", parameters(query, *KEPT, "rows")),
    }


def names_of(managers: Iterable[UUID]) -> dict[UUID, str]:
    """The names of these managers, of former ones too."""
    present = distinct_names(staff())
    return present | statistics.names_of_former(set(managers) - present.keys())
