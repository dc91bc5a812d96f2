"""Functions of PostgreSQL that Django's ORM does not have."""

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import DateTimeField, Func, IntegerField, TextField, Value
from django.db.models.functions import Cast

from onai.periods import Period


class RegexpReplace(Func):
    """Text, pattern, replacement; with a fourth `g` every match is replaced, else the first."""

    function = "regexp_replace"
    output_field = TextField()


class RegexpMatch(Func):
    """Text, pattern without groups: the first match, null where there is none."""

    function = "substring"
    arg_joiner = " from "
    output_field = TextField()


class Translate(Func):
    """Text, letters, and their replacements; a letter without one is dropped."""

    function = "translate"
    output_field = TextField()


class WidthBucket(Func):
    """Which of the classes that begin at these values one is in, from 1; 0 below the first."""

    function = "width_bucket"
    output_field = IntegerField()


def period_number(periods: Sequence[Period]) -> Func:
    """Which of these periods, counted from 1, a row was created in: of rows created in one of them.

    The periods follow each other without a gap. They begin at Python's midnights, so that time zone
    data of the database's own have no say.
    """
    starts = ",".join(period.start.astimezone(UTC).isoformat() for period in periods)
    # As text, which is quick to write; the database reads it once.
    moments: Any = Cast(Value(f"{{{starts}}}"), ArrayField(DateTimeField()))
    return WidthBucket("created_at", moments)
