"""What the documents say of the repository is true: links, paths, commands, variables, versions."""

import re
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
from django.core.management import get_commands

from onai.env import BASE_DIR, Environment

_FOLDERS = "onai|funnel|sales|templates|static|tests|docs"
_VARIABLES = sorted(field.name.upper() for field in fields(Environment))
_CHANGELOG = BASE_DIR / "CHANGELOG.md"
_DOCUMENTS = sorted([*BASE_DIR.glob("*.md"), *(BASE_DIR / "docs").rglob("*.md")])
# What the changelog says of a past version stays as it was.
_CURRENT = [document for document in _DOCUMENTS if document != _CHANGELOG]


def _name(document: Path) -> str:
    return str(document.relative_to(BASE_DIR))


def _text(name: str) -> str:
    return (BASE_DIR / name).read_text()


def _anchors(document: Path) -> set[str]:
    """The anchors that GitHub gives to a document's headings."""
    headings = re.findall(r"^#+ (.+)$", document.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", _DOCUMENTS, ids=_name)
def test_every_link_within_the_repository_leads_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", document.read_text())
    for path, anchor in links:
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), path
        assert not anchor or anchor in _anchors(target), f"{path}#{anchor}"


@pytest.mark.parametrize("document", _CURRENT, ids=_name)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    paths = re.findall(rf"`((?:{_FOLDERS})/[\w./-]+)`", document.read_text())
    missing = [
        path
        for path in paths
        if not any((BASE_DIR / f"{path}{suffix}").exists() for suffix in ("", ".py"))
        and not list(BASE_DIR.glob(f"{path}_*.py"))  # A migration, named by its number.
    ]
    assert missing == []


@pytest.mark.parametrize("document", _CURRENT, ids=_name)
def test_every_command_that_a_document_names_exists(document: Path) -> None:
    text = document.read_text()
    targets = set(re.findall(r"^([a-z]+):", _text("Makefile"), re.MULTILINE))
    code = re.findall(r"```sh\n(.*?)```|`([^`\n]+)`", text, re.DOTALL)
    for snippet in ("".join(pair) for pair in code):
        assert set(re.findall(r"^make ([a-z]+)", snippet, re.MULTILINE)) <= targets
        assert set(re.findall(r"manage\.py ([a-z_]+)", snippet)) <= set(get_commands())


@pytest.mark.parametrize("variable", _VARIABLES)
def test_every_variable_is_in_the_example_and_in_the_table_for_operators(variable: str) -> None:
    assert re.search(rf"^(# )?{variable}=", _text(".env.example"), re.MULTILINE)
    assert f"| `{variable}` |" in _text("docs/operations.md")


def test_the_example_and_the_table_name_no_variable_that_is_not_read() -> None:
    examples = re.findall(r"^(?:# )?([A-Z_]+)=", _text(".env.example"), re.MULTILINE)
    rows = re.findall(r"^\| `([A-Z_]+)` \|", _text("docs/operations.md"), re.MULTILINE)
    assert {*examples, *rows} == set(_VARIABLES)


def test_the_list_of_decisions_has_every_decision_under_its_title() -> None:
    listed = re.findall(
        r"^\| \[(\d+)\]\((\S+)\) \| (.+) \|$", _text("docs/adr/README.md"), re.MULTILINE
    )
    files = sorted(path for path in (BASE_DIR / "docs/adr").glob("[0-9]*.md"))
    titled = [path.read_text().splitlines()[0].removeprefix("# ").split(". ", 1) for path in files]
    assert listed == [
        (number, path.name, title) for path, (number, title) in zip(files, titled, strict=True)
    ]
    assert [int(path.name[:4]) for path in files] == [*range(1, len(files) + 1)]


def test_the_changelog_has_the_version_of_the_package() -> None:
    version = tomllib.loads(_text("pyproject.toml"))["project"]["version"]
    released = re.findall(
        r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", _CHANGELOG.read_text(), re.MULTILINE
    )
    assert released[0] == version


def test_git_runs_before_a_commit_what_lint_runs() -> None:
    _, recipe = _text("Makefile").split("\nlint: install\n")
    commands = re.findall(r"^\t\$\(BIN\)/(.+)$", recipe.split("\n\n")[0], re.MULTILINE)
    hooks = re.findall(
        r"^ +entry: \.venv/bin/(.+)$", _text(".pre-commit-config.yaml"), re.MULTILINE
    )
    assert hooks == commands
