"""Landing's tables beside the leads, each of which may be missing or closed to us."""

from django.utils.translation import gettext_lazy as _

from onai.db.optional_tables import OptionalTable
from onai.ops.optional_tables import optional_tables_probe

JOURNEY_STAGES = OptionalTable(
    "landing",
    "journey_stages",
    ("lead_id", "stage", "created_at"),
    _("кто дошёл до выбора оплаты"),
)
COURSE_SALES = OptionalTable(
    "landing",
    "express_course_sales",
    ("deal_id", "pipeline_id", "status_id", "amount", "phone", "sale_date"),
    _("какие сделки выиграны в CRM"),
)
SHORT_LINKS = OptionalTable(
    "landing", "short_links", ("id", "lead_id", "source"), _("чья короткая ссылка")
)
SHORT_LINK_CLICKS = OptionalTable(
    "landing",
    "short_link_clicks",
    ("short_link_id", "clicked_at", "user_agent"),
    _("кто перешёл по короткой ссылке"),
)
TRAFFIC_STATS = OptionalTable(
    "landing",
    "traffic_stats",
    ("stat_date", "team", "campaign_id", "campaign_name", "spend_usd", "impressions", "clicks"),
    _("сколько потрачено на рекламу"),
)
EXCHANGE_RATES = OptionalTable(
    "landing", "exchange_rates", ("date", "usd_to_kzt"), _("по какому курсу считать траты")
)
PROBE = optional_tables_probe(
    "landing_optional_tables",
    _("Другие таблицы базы Landing"),
    (
        JOURNEY_STAGES,
        COURSE_SALES,
        SHORT_LINKS,
        SHORT_LINK_CLICKS,
        TRAFFIC_STATS,
        EXCHANGE_RATES,
    ),
)
