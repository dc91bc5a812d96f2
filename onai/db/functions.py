"""Functions of PostgreSQL that Django's ORM does not have."""

from django.db.models import Func, TextField


class RegexpReplace(Func):
    """Text, pattern, replacement; with a fourth `g` for every part that fits, not the first."""

    function = "regexp_replace"
    output_field = TextField()


class RegexpMatch(Func):
    """Text, pattern: the part that a pattern without groups fits, null where it does not."""

    function = "substring"
    arg_joiner = " from "
    output_field = TextField()


class Translate(Func):
    """Text, letters, and those that stand in their places; without one a letter is dropped."""

    function = "translate"
    output_field = TextField()
