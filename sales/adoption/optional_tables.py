"""The learning platform's tables that we read, each of which may be missing or closed to us.

What a student's account needs to be written there is in `sales/provisioning/platform_tables.py`.
"""

from django.utils.translation import gettext_lazy as _

from onai.db.optional_tables import OptionalTable
from onai.ops.optional_tables import optional_tables_probe

PROGRESS = OptionalTable(
    "tripwire",
    "tripwire_progress",
    ("tripwire_user_id", "module_id", "lesson_id", "is_completed", "completed_at", "updated_at"),
    _("какие уроки пройдены"),
    ("tripwire_user_id",),
)
PROFILES = OptionalTable(
    "tripwire",
    "tripwire_user_profile",
    ("user_id", "modules_completed", "total_modules", "certificate_issued", "updated_at"),
    _("сколько модулей пройдено"),
    ("user_id",),
)
CERTIFICATES = OptionalTable(
    "tripwire",
    "certificates",
    ("user_id", "certificate_number", "issued_at"),
    _("у кого есть сертификат"),
    ("user_id",),
)
PROBE = optional_tables_probe(
    "platform_tables",
    _("Таблицы учебной платформы"),
    (PROGRESS, PROFILES, CERTIFICATES),
)
