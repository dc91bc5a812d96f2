"""Days as people name them."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from onai.periods import business_day


def day_in_words(moment: datetime) -> str:
    """The business day of a moment: «сегодня», «вчера», «24 ноября», of another year with it."""
    day, today = timezone.localtime(moment).date(), business_day()
    match (today - day).days:
        case 0:
            return _("сегодня")
        case 1:
            return _("вчера")
    return str(date_format(day, "MONTH_DAY_FORMAT" if day.year == today.year else "DATE_FORMAT"))


def moment_in_words(moment: datetime) -> str:
    """The day and the time of day: «вчера, 18:40»."""
    return f"{day_in_words(moment)}, {date_format(timezone.localtime(moment), 'TIME_FORMAT')}"
