"""Days as people name them."""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from onai.periods import business_day
from onai.templatetags import russian


def day_in_words(moment: datetime) -> str:
    """The business day of a moment: «сегодня», «вчера», «24 ноября», of another year with it."""
    day, today = timezone.localtime(moment).date(), business_day()
    match (today - day).days:
        case 0:
            return _("сегодня")
        case 1:
            return _("вчера")
    return russian.day_of_year(day) if day.year == today.year else russian.day(day)


def moment_in_words(moment: datetime) -> str:
    """The day and the time of day: «вчера, 18:40»."""
    return f"{day_in_words(moment)}, {russian.clock(moment)}"
