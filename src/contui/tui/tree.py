"""A JSON document as a tree of lines: folded, searched, with its secrets masked."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from contui.model.secrets import mask, mask_args, mask_env
from contui.tui.document import Line, Span, Style, line

_LONG: Final = 40
"""A list or object with more entries than this starts folded."""


@dataclass(frozen=True, slots=True)
class Node:
    """One line of the tree: where it is, whether it holds others, and how many."""

    path: str
    line: Line
    children: int = 0


@dataclass
class Tree:
    """What is folded and revealed in a document; :meth:`nodes` lays it out."""

    toggled: set[str] = field(default_factory=set)

    def toggle(self, path: str) -> None:
        """Fold what is open, open what is folded."""
        self.toggled ^= {path}

    def nodes(self, document: object, revealed: frozenset[str]) -> list[Node]:
        """The visible lines."""
        return list(self._walk("", "", masked(document, revealed), document, revealed))

    def _walk(
        self,
        path: str,
        name: str,
        value: object,
        original: object,
        revealed: frozenset[str],
        depth: int = 0,
    ) -> Iterator[Node]:
        entries = list(_entries(value))
        sources = dict(_entries(original)) if entries else {}
        if depth == 0:
            for key, each in entries:
                below = _join(path, key, value)
                yield from self._walk(below, key, each, sources[key], revealed, 1)
            return
        indent = "  " * (depth - 1)
        if not entries:
            hidden = value != original
            text, style = _scalar(value)
            secret = hidden or path in revealed
            span = Span(text, "dim" if hidden else style, reveal=path if secret else "")
            copy = Span("", copy=str(value) if isinstance(value, str) else json.dumps(value))
            yield Node(path, line(indent + "  ", (f"{name}: ", "label"), span, copy))
            return
        folded = (len(entries) > _LONG) != (path in self.toggled)
        bracket = f"[{len(entries)}]" if isinstance(value, list) else f"{{{len(entries)}}}"
        yield Node(
            path,
            line(
                indent,
                ("▸ " if folded else "▾ ", "accent"),
                (name, "label"),
                (" " + bracket, "dim"),
                Span("", copy=json.dumps(value, indent=2)),
            ),
            len(entries),
        )
        if not folded:
            for key, each in entries:
                below = _join(path, key, value)
                yield from self._walk(below, key, each, sources[key], revealed, depth + 1)


def _join(path: str, key: str, parent: object) -> str:
    return f"{path}[{key}]" if isinstance(parent, list) else f"{path}.{key}"


def _entries(value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, Mapping):
        yield from ((str(key), each) for key, each in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(index), each) for index, each in enumerate(value))


def _scalar(value: object) -> tuple[str, Style]:
    if value is None or value == {} or value == []:
        return json.dumps(value), "dim"
    if isinstance(value, bool):
        return json.dumps(value), "info"
    return (value, "") if isinstance(value, str) else (json.dumps(value), "value")


_COMMANDS: Final = frozenset({"Args", "Cmd", "Entrypoint", "Test", "CreatedBy"})


def masked(document: object, revealed: frozenset[str], path: str = "", name: str = "") -> object:
    """A copy of a document in which secrets are masked, but for the paths revealed."""
    if isinstance(document, Mapping):
        return {
            key: masked(each, revealed, f"{path}.{key}", str(key)) for key, each in document.items()
        }
    if isinstance(document, list | tuple):
        return _masked_list(document, revealed, path, name)
    if isinstance(document, str) and path not in revealed:
        return mask(name, document)
    return document


def _masked_list(
    document: Sequence[Any], revealed: frozenset[str], path: str, name: str
) -> list[object]:
    words = all(isinstance(each, str) for each in document)
    if name in _COMMANDS and words:
        hidden: Sequence[object] = mask_args(list(document))
    elif name == "Env" and words:
        hidden = [mask_env(each) for each in document]
    else:
        hidden = [
            masked(each, revealed, f"{path}[{index}]", name) for index, each in enumerate(document)
        ]
    return [
        document[index] if f"{path}[{index}]" in revealed else each
        for index, each in enumerate(hidden)
    ]


def raw(document: object, revealed: frozenset[str]) -> list[Line]:
    """The document as indented JSON, secrets masked; one line per value."""
    return list(_json("", (), masked(document, revealed), document, revealed, ""))


def _json(
    path: str,
    head: tuple[Span, ...],
    value: object,
    original: object,
    revealed: frozenset[str],
    comma: str,
    depth: int = 0,
) -> Iterator[Line]:
    indent = Span("  " * depth)
    entries = list(_entries(value))
    if not entries:
        secret = value != original or path in revealed
        text = json.dumps(value, ensure_ascii=False) + comma
        yield (indent, *head, Span(text, reveal=path if secret else ""))
        return
    listed = isinstance(value, list)
    sources = dict(_entries(original))
    yield (indent, *head, Span("[" if listed else "{"))
    for number, (key, each) in enumerate(entries, 1):
        name = () if listed else (Span(json.dumps(key, ensure_ascii=False), "label"), Span(": "))
        more = "," if number < len(entries) else ""
        below = _join(path, key, value)
        yield from _json(below, name, each, sources[key], revealed, more, depth + 1)
    yield (indent, Span(("]" if listed else "}") + comma))
