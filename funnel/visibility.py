"""Whether our role of the database sees Landing's leads at all.

Row level security is on for them, and hides every row from a role that no policy lets read: without
an error, so that all figures would be zeros.
"""

import django.db
from django.db import connections
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from funnel.statement import FiguresUnavailable
from onai.ops.examination import Down, Probe


class LeadsHidden(FiguresUnavailable):
    """The database answers, and shows no lead to a role whose rows it filters."""

    code = "leads_hidden"
    message = gettext_lazy("База лидов не показывает нам ни одной строки, поэтому цифр нет.")
    advice = gettext_lazy(
        "Это не значит, что продаж нет. Нашей роли в базе Landing нужна политика, которая разрешает"
        " читать landing_leads; подробности на странице «Состояние»."
    )


def _probe() -> str:
    try:
        with connections["landing"].cursor() as cursor:
            cursor.execute(
                "select row_security_active('landing_leads')"
                " and not exists (select from landing_leads)"
            )
            (hidden,) = cursor.fetchone()
    except django.db.Error as error:
        raise Down(_("не узнать: база Landing не отвечает или не даёт читать")) from error
    if hidden:
        raise Down(_("не видно ни одной строки, а строки фильтрует защита (RLS)"))
    return _("видны")


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
