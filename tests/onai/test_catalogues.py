"""The translations in `locale/`: nothing is missing, and a lack fails `make lint`."""

import shutil
from pathlib import Path

import pytest
from babel.messages import Catalog

from onai.local.make import catalogues


@pytest.fixture
def locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the catalogues, to be spoilt."""
    shutil.copytree(catalogues._LOCALE, tmp_path / "locale")
    monkeypatch.setattr(catalogues, "_LOCALE", tmp_path / "locale")
    return tmp_path / "locale"


@pytest.fixture(scope="module")
def source() -> Catalog:
    return catalogues.extracted()


def _spoil(
    language: str, identifier: str, *, string: str | None = None, fuzzy: bool = False
) -> None:
    catalogue = catalogues.read(language)
    message = catalogue.get(identifier)
    assert message is not None
    if string is not None:
        message.string = string
    if fuzzy:
        message.flags.add("fuzzy")
    catalogues.write(language, catalogue)


def _complaints(language: str, source: Catalog) -> list[str]:
    return [one for one in catalogues.complaints(language, source) if "'Войти'" in one]


@pytest.mark.parametrize("language", ["kk", "en"])
def test_a_missing_translation_fails(locale: Path, source: Catalog, language: str) -> None:
    assert _complaints(language, source) == []
    _spoil(language, "Войти", string="")

    assert _complaints(language, source) == [f"locale/{language}: 'Войти' is not translated"]


def test_a_fuzzy_translation_fails(locale: Path, source: Catalog) -> None:
    _spoil("kk", "Войти", fuzzy=True)

    assert _complaints("kk", source) == ["locale/kk: 'Войти' is fuzzy"]


def test_a_plural_without_all_its_forms_fails(locale: Path, source: Catalog) -> None:
    catalogue = catalogues.read("ru")
    message = catalogue.get("%(count)s день назад")
    assert message is not None
    message.string = ("%(count)s день назад", "", "%(count)s дней назад")
    catalogues.write("ru", catalogue)

    assert "locale/ru: '%(count)s день назад' is not translated" in list(
        catalogues.complaints("ru", source)
    )


def test_a_sentence_that_is_not_extracted_fails(locale: Path, source: Catalog) -> None:
    catalogue = catalogues.read("en")
    catalogue.delete("Войти")
    catalogues.write("en", catalogue)

    assert _complaints("en", source) == ["locale/en: 'Войти' is not extracted"]


def test_a_sentence_that_the_code_no_longer_has_fails(locale: Path, source: Catalog) -> None:
    catalogue = catalogues.read("en")
    catalogue.add("Этого предложения нет", "There is no such sentence")
    catalogues.write("en", catalogue)

    assert "locale/en: 'Этого предложения нет' is in no source file" in list(
        catalogues.complaints("en", source)
    )


def test_another_placeholder_fails(locale: Path, source: Catalog) -> None:
    identifier = "От %(shortest)s символов."
    _spoil("en", identifier, string="At least %(longest)s characters.")

    [complaint] = [one for one in catalogues.complaints("en", source) if identifier in one]
    assert "longest" in complaint


def test_extraction_keeps_translations_and_marks_what_is_similar(
    locale: Path, source: Catalog
) -> None:
    catalogue = catalogues.read("en")
    catalogue.delete("Запросить новую ссылку")
    catalogue.add("Запросить новую ссылочку", "Ask for a new link")
    catalogues.write("en", catalogue)

    catalogues.update("en", source)

    found = catalogues.read("en").get("Запросить новую ссылку")
    assert found is not None
    assert (found.string, found.fuzzy) == ("Ask for a new link", True)
    kept = catalogues.read("en").get("Войти")
    assert kept is not None
    assert kept.string == "Sign in"


def test_russian_fills_in_its_own_sentences_and_nouns(locale: Path, source: Catalog) -> None:
    catalogue = catalogues.read("ru")
    catalogue.delete("Войти")
    catalogue.delete("заявка", context="number")
    catalogues.write("ru", catalogue)

    catalogues.update("ru", source)

    renewed = catalogues.read("ru")
    sentence, noun = renewed.get("Войти"), renewed.get("заявка", context="number")
    assert sentence is not None
    assert sentence.string == "Войти"
    assert noun is not None
    assert noun.string == ("заявка", "заявки", "заявок")


def test_templates_and_code_are_extracted_alike(source: Catalog) -> None:
    for identifier in ("Забыли пароль?", "Слишком много попыток входа. Подождите минуту"):
        assert any(str(message.id).startswith(identifier) for message in source), identifier
    assert source.get("заявка", context="number") is not None
