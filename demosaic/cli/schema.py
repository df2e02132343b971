"""What `--json` writes, as Markdown; `python -m demosaic.cli.schema` prints it."""

import ast
import importlib
import inspect
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import demosaic
from demosaic.events import Event

_HEAD = """# Events

With `--json` a command writes an object a line to stdout, each at once. `event` is its kind, and
its other fields are those listed here. The last line of a command that makes a report is the
report; of one that ends early it is `Failed`. A `Notice` is for people: its text may change.
`PictureRestored` is a line for each of its regions, whose `event` is `RegionRestored`: the fields
of that record, with `picture`, `out`, `samples` and `spread`.

New versions may add kinds and fields, so ignore those that you do not know. What is there keeps its
meaning until the changelog says otherwise.

`runs/*/events.jsonl` has the same objects, but only every tenth `StepDone`.

This page is made from the program: do not edit it, run
`python -m demosaic.cli.schema > docs/events.md`.
"""


def schema() -> str:
    """All events with their fields, and the records within them, as one Markdown page."""
    events = sorted(_events(), key=lambda one: one.__name__)
    parts = [_HEAD, *(_described(one) for one in events), "# Records within events\n"]
    return "\n".join([*parts, *(_described(one) for one in _within(events))])


def _events() -> Iterator[type[Event]]:
    """Every event of the program; each package has them in a module of that name."""
    names = (one.name for one in pkgutil.walk_packages(demosaic.__path__, "demosaic."))
    homes = [name for name in names if name.endswith(".events")]
    for home in (*homes, "demosaic.cli.settings"):
        for one in vars(importlib.import_module(home)).values():
            if isinstance(one, type) and Event in one.__bases__ and one.__module__ == home:
                yield one


def _within(events: list[type[Event]]) -> list[Any]:
    """The records that fields of events are made of, by name."""
    found: dict[str, Any] = {}
    waiting: list[Any] = [*events]
    while waiting:
        for hint in get_type_hints(waiting.pop()).values():
            for one in _parts(hint):
                if (
                    isinstance(one, type)
                    and is_dataclass(one)
                    and one.__name__ not in found
                    and one not in events
                ):
                    found[one.__name__] = one
                    waiting.append(one)
    return [found[name] for name in sorted(found)]


def _parts(hint: Any) -> Iterator[Any]:
    """A type, and those that it is made of."""
    yield hint
    for one in get_args(hint):
        yield from _parts(one)


def _described(kind: Any) -> str:
    """A heading, what the record is, and a table of its fields."""
    lines = [f"## {kind.__name__}\n", f"{inspect.getdoc(kind)}\n"]
    known = [one for one in fields(kind) if one.repr]
    if known:
        notes, hints = _notes(kind), get_type_hints(kind)
        lines.append("| field | type | |\n|---|---|---|")
        lines += [f"| `{f.name}` | {_name(hints[f.name])} | {notes[f.name]} |" for f in known]
        lines.append("")
    return "\n".join(lines)


def _notes(kind: Any) -> dict[str, str]:
    """The docstring below each field, in one line; empty where there is none."""
    (body,) = (one.body for one in ast.parse(_source(kind)).body if isinstance(one, ast.ClassDef))
    notes = {}
    for statement, following in zip(body, [*body[1:], ast.Pass()], strict=True):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            notes[statement.target.id] = " ".join(_text(following).split()).replace("|", "\\|")
    return notes


def _source(kind: Any) -> str:
    return inspect.cleandoc(inspect.getsource(kind))


def _text(statement: ast.stmt) -> str:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return str(value.value) if isinstance(value, ast.Constant) else ""


_NAMES = {str: "text", int: "integer", float: "number", bool: "true or false", type(None): "null"}


def _name(hint: Any) -> str:
    """A type as a reader of JSON knows it."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        return ", ".join(f"`{one}`" for one in parts)
    if origin in (Union, UnionType):
        return " or ".join(map(_name, parts))
    if origin is tuple and parts[-1] is not Ellipsis:
        return f"list of {len(parts)}: {', '.join(map(_name, parts))}"
    if origin in (tuple, list):
        return f"list of {_name(parts[0])}"
    if origin is not None and issubclass(origin, Mapping):
        return f"object, {_name(parts[1])} by name"
    return _NAMES.get(hint) or f"[{hint.__name__}](#{hint.__name__.lower()})"


if __name__ == "__main__":
    sys.stdout.write(schema())
