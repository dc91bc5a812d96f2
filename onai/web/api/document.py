"""The description of the API as a document for people: `docs/api.md`."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

_Json = dict[str, Any]

_HEAD = """\
# The API

<!-- Made of the code by `python -m onai.local.make.api_docs`: change the docstrings there. -->

"""


def markdown(description: _Json) -> str:
    """The addresses, then the shapes that they read and answer, by name."""
    parts = [f"{_HEAD}{description['info']['description']}"]
    for path, by_method in description["paths"].items():
        for method, operation in by_method.items():
            parts.append("\n\n".join(_operation(f"{method.upper()} {path}", operation)))
    parts.append("## Shapes")
    shapes = description["components"]["schemas"].items()
    parts += ["\n\n".join(_shape(name, shape)) for name, shape in shapes]
    return "\n\n".join(parts) + "\n"


def _operation(address: str, operation: _Json) -> Iterator[str]:
    yield f"## {address}"
    yield operation["summary"]
    yield operation["description"]
    if operation["parameters"]:
        rows = [
            (f"`{one['name']}`", one.get("description", ""), _type(one["schema"]))
            for one in operation["parameters"]
        ]
        yield _table(("parameter", "", "values"), rows)
    if body := operation.get("requestBody"):
        yield f"Body: {_type(body['content']['application/json']['schema'])}."
    answers = [
        (status, answer["description"], _type(answer["content"]["application/json"]["schema"]))
        for status, answer in operation["responses"].items()
    ]
    yield _table(("status", "", "shape"), answers)


def _shape(name: str, shape: _Json) -> Iterator[str]:
    yield f"### {name}"
    if text := shape.get("description"):
        yield " ".join(text.split())
    if values := shape.get("enum"):
        yield ", ".join(f"`{value}`" for value in values)
        return
    required = shape.get("required", ())
    rows = [
        (
            f"`{key}`{'' if key in required else ' (may be absent)'}",
            value.get("description", ""),
            _type(value),
        )
        for key, value in shape["properties"].items()
    ]
    yield _table(("key", "", "value"), rows)


def _type(schema: _Json) -> str:
    """A schema in a few words: «[FunnelShape](#funnelshape) or null»."""
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": choices}:
            return " or ".join(map(_type, choices))
        case {"enum": values}:
            return ", ".join(f"`{value}`" for value in values)
        case {"type": "array", "items": items}:
            return f"list of {_type(items)}"
        case {"additionalProperties": {} as values}:
            return f"object of {_type(values)}"
    kind = str(schema.get("format", schema.get("type", "")))
    return f"`{json.dumps(schema['const'])}`" if "const" in schema else kind


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)
