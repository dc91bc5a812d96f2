"""Whether our role of the database sees Landing's leads at all.

Row level security hides every row from a role without a policy and gives no error, so all figures
would be zeros.
"""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.landing.statement import FiguresUnavailable
from funnel.models import Lead
from onai.db import catalog
from onai.db.visibility import Visibility, visibility
from onai.ops.examination import Down, Probe


class LeadsHidden(FiguresUnavailable):
    """The database answers, and shows no lead to a role whose rows it filters."""

    code = "leads_hidden"
    message = gettext_lazy("База лидов не показывает нам ни одной строки, поэтому цифр нет.")
    advice = gettext_lazy(
        "Это не значит, что продаж нет. Нашей роли в базе Landing нужна политика, которая разрешает"
        " читать landing_leads; подробности на странице «Состояние»."
    )


_TABLE = "landing_leads"
_HIDDEN = {
    Visibility.MISSING: gettext_lazy("таблицы landing_leads нет: та ли это база?"),
    Visibility.NOT_GRANTED: gettext_lazy("нашей роли не дано право их читать"),
    Visibility.FILTERED: gettext_lazy("не видно ни одной строки, а строки фильтрует защита (RLS)"),
}


def _probe() -> str:
    seen = visibility("landing", _TABLE)
    missing = _missing_columns() if seen is Visibility.SEEN else []
    if seen in _HIDDEN:
        raise Down(str(_HIDDEN[seen]))
    if missing:
        raise Down(
            _("в landing_leads нет столбцов: %(names)s") % {"names": ", ".join(missing)},
            advice=_("Без них воронка не считается. Верните их или обновите сайт."),
        )
    return _("видны")


def _missing_columns() -> list[str]:
    """The columns that the funnel reads and the table lacks; further columns do not matter."""
    found = catalog.tables("landing", [_TABLE])[_TABLE].columns
    return [str(field.column) for field in Lead._meta.concrete_fields if field.column not in found]


PROBE = Probe(
    "leads",
    gettext_lazy("Лиды в базе Landing"),
    _probe,
    gettext_lazy(
        "Воронка не показывает цифр: они были бы нулями. Дайте роли базы Landing право и политику:"
        " grant select on landing_leads to <роль>; create policy onai_reads on landing_leads"
        " for select to <роль> using (true)"
    ),
)
