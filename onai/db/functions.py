"""Functions of PostgreSQL that Django's ORM does not have."""

from django.db.models import Func, TextField


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
