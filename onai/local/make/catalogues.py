"""The translations in `locale/`: extracted from the code, checked, and compiled.

Russian is the source language, so its catalogue is filled in by itself but for plurals. A catalogue
is read by Django from its compiled form, which is not committed.

Usage: python -m onai.local.make.catalogues extract|check|compile
"""

import ast
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import django.utils.dates
from babel.messages import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.utils.translation.template import templatize

from onai.env import BASE_DIR

_LOCALE = BASE_DIR / "locale"
_SOURCE_LANGUAGE = "ru"
_DOMAIN = "django"
_FOLDERS = ("onai", "funnel", "sales", "templates")
# The stand-ins and the commands of development are in one language.
_LEFT_OUT = ("onai/local", "templates/local")
# Names of months and days, of which Django itself has not all in Kazakh.
_OF_DJANGO = Path(django.utils.dates.__file__)
_PLAIN = ("_", "_now", "gettext", "gettext_lazy", "gettext_noop")
_WITH_PLURAL = ("ngettext", "ngettext_lazy", "npgettext", "npgettext_lazy")
_WITH_CONTEXT = ("pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy")
_FUNCTIONS = {*_PLAIN, *_WITH_PLURAL, *_WITH_CONTEXT}
# `plural(count, "заявка,заявки,заявок")`, and the filter; `nouns` marks what stands elsewhere.
_NOUNS = re.compile(
    r"""\b(?:plural|nouns)(?::|\([^"']*?)["']([^"',]+),([^"',]+),([^"',]+)["']""",
)
_OF_NUMBER = "number"
_LITERAL = r"""u?(?:'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
# A call in what Django makes of a template, where everything else is blanked out.
_CALL = re.compile(rf"\b({'|'.join(_FUNCTIONS)})\(({_LITERAL}(?:, {_LITERAL})*)")


def languages() -> list[str]:
    """The languages that have a catalogue."""
    return sorted(path.name for path in _LOCALE.iterdir() if path.is_dir())


def extracted() -> Catalog:
    """Every message of the code and the templates, untranslated."""
    if not settings.configured:
        settings.configure(USE_I18N=True)
    found = Catalog(domain=_DOMAIN, charset="utf-8", fuzzy=False)
    for path in _sources():
        place = str(path.relative_to(BASE_DIR)) if path != _OF_DJANGO else "django"
        messages = _of_code(path) if path.suffix == ".py" else _of_template(path)
        for context, identifier in messages:
            found.add(identifier, context=context, locations=[(place, 0)])
        for one, _few, many in _nouns(path):
            found.add((one, many), context=_OF_NUMBER, locations=[(place, 0)])
    return found


def _sources() -> Iterator[Path]:
    for folder in _FOLDERS:
        for path in sorted((BASE_DIR / folder).rglob("*")):
            place = path.relative_to(BASE_DIR).as_posix()
            if path.suffix in (".py", ".html", ".txt", ".js") and not place.startswith(_LEFT_OUT):
                yield path
    yield _OF_DJANGO


def _nouns(path: Path) -> list[tuple[str, str, str]]:
    """The Russian forms of the nouns of a file: of 1, of 2 to 4, of 5 and more."""
    return [(one, few, many) for one, few, many in _NOUNS.findall(path.read_text())]


def _of_code(path: Path) -> Iterator[tuple[str | None, str | tuple[str, ...]]]:
    with path.open("rb") as file:
        keywords = dict.fromkeys(_FUNCTIONS)
        for _line, function, found, _comments in extract_python(file, keywords, (), {}):
            strings = [found] if isinstance(found, str) else [one for one in found if one]
            # What is no literal is marked elsewhere.
            if len(strings) >= (function in _WITH_PLURAL) + (function in _WITH_CONTEXT) + 1:
                yield _message(str(function), strings)


def _of_template(path: Path) -> Iterator[tuple[str | None, str | tuple[str, ...]]]:
    for function, arguments in _CALL.findall(templatize(path.read_text(), origin=str(path))):
        yield _message(function, list(ast.literal_eval(f"[{arguments}]")))


def _message(function: str, strings: list[str]) -> tuple[str | None, str | tuple[str, ...]]:
    """The context of a call's message, and the message: a pair where it has a plural."""
    context = strings.pop(0) if function in _WITH_CONTEXT else None
    return context, tuple(strings[:2]) if function in _WITH_PLURAL else strings[0]


def read(language: str) -> Catalog:
    with _path(language).open("rb") as file:
        return read_po(file, locale=language, domain=_DOMAIN)


def update(language: str, source: Catalog) -> None:
    """Bring a catalogue in line with the code. What is similar is kept, and marked as fuzzy."""
    catalogue = read(language)
    catalogue.update(source, update_header_comment=False, update_creation_date=False)
    if language == _SOURCE_LANGUAGE:
        for message in catalogue:
            if message.id and isinstance(message.id, str) and not _is_of_django(message):
                message.string = message.id
                message.flags.discard("fuzzy")
        few = {one: few for path in _sources() for one, few, _many in _nouns(path)}
        for message in catalogue:
            if message.context == _OF_NUMBER and isinstance(message.id, tuple):
                one, many = message.id
                message.string = (one, few[one], many)
                message.flags.discard("fuzzy")
    write(language, catalogue)


def write(language: str, catalogue: Catalog) -> None:
    with _path(language).open("wb") as file:
        write_po(
            file,
            catalogue,
            width=100,
            sort_output=True,
            include_lineno=False,
            ignore_obsolete=True,
        )


def complaints(language: str, source: Catalog) -> Iterator[str]:
    """What is wrong with a catalogue, a sentence each."""
    catalogue, places = read(language), {_key(message): message for message in source}
    for message in catalogue:
        if not message.id:
            continue
        name = f"locale/{language}: {_key(message)[1]!r}"
        if _key(message) not in places:
            yield f"{name} is in no source file"
        elif message.fuzzy:
            yield f"{name} is fuzzy"
        elif not _is_translated(message):
            yield f"{name} is not translated"
        for error in message.check(catalogue):
            yield f"{name}: {error}"
    known = {_key(message) for message in catalogue}
    for key, message in places.items():
        if message.id and key not in known:
            yield f"locale/{language}: {key[1]!r} is not extracted"


def compile_catalogues() -> None:
    """Write each `.mo` that is older than its `.po`."""
    for language in languages():
        source = _path(language)
        compiled = source.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        # Renamed when it is whole, since other processes may read it meanwhile.
        unfinished = compiled.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as file:
            write_mo(file, read(language))
        unfinished.replace(compiled)


def _path(language: str) -> Path:
    return _LOCALE / language / "LC_MESSAGES" / f"{_DOMAIN}.po"


def _key(message: Message) -> tuple[str | None, str]:
    return message.context, message.id if isinstance(message.id, str) else message.id[0]


def _is_translated(message: Message) -> bool:
    forms = [message.string] if isinstance(message.string, str) else message.string or [""]
    return all(forms)


def _is_of_django(message: Message) -> bool:
    return any(place == "django" for place, _line in message.locations)


def main(act: str) -> None:
    if act == "compile":
        compile_catalogues()
        return
    source = extracted()
    if act == "extract":
        for language in languages():
            update(language, source)
    else:
        found = [one for language in languages() for one in complaints(language, source)]
        if found:
            advice = "Write them with `make messages` and translate what is empty or fuzzy."
            sys.exit("\n".join([*found, f"{len(found)} messages to mend. {advice}"]))


if __name__ == "__main__":
    main(sys.argv[1])
