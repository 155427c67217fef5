"""Filter chips and typed prefixes are the same thing: pure functions over the query's text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from engine.contract.query import parse
from engine.contract.query_grammar import Item, form_of
from engine.contract.types import Filters, Query, Reading

_NO_FILTER = Filters()
_ALIASES = {"type": "kind"}


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in the query's text."""

    key: str
    value: str
    negated: bool
    start: int  # where it stands in the text
    end: int


def chips(text: str) -> list[Chip]:
    """The filters of a query in their order; what the query language leaves as text is none.

    Filters that OR or parentheses join are one, without a key.
    """
    found = []
    for node in form_of(text):
        start, end = node.start, node.end
        if isinstance(node, Item):
            if node.key and parse(text[start:end]).filters != _NO_FILTER:
                key = _ALIASES.get(node.key, node.key)
                found.append(Chip(key, node.value, node.negated, start, end))
        elif _only_filters(parse(text[start:end], plain=True)):
            found.append(Chip("", text[start:end], False, start, end))
    return found


def _only_filters(query: Query) -> bool:
    rest = query.text or query.phrases or query.excluded or query.alternatives
    return not rest and query.filters != _NO_FILTER


def readings(text: str, plain: Sequence[str] = ()) -> tuple[Reading, ...]:
    """What of the query's words is read as a filter, those aside that are to be words."""
    return parse(text, plain=plain).read


def typed(key: str, value: str, *, negated: bool = False) -> str:
    """A filter as one would type it."""
    value = value.replace('"', "")
    quoted = f'"{value}"' if re.search(r"\s", value) else value
    return f"{'-' if negated else ''}{key}:{quoted}"


def values(text: str, key: str) -> list[str]:
    """What the query demands of a key, exclusions left out; `a,b` is two values."""
    found = [chip.value for chip in chips(text) if chip.key == key and not chip.negated]
    return [part for value in found for part in _parts(key, value)]


def _parts(key: str, value: str) -> list[str]:
    return [value] if key == "in" else [part for part in value.split(",") if part]


def remove(text: str, chip: Chip) -> str:
    """The query without one filter."""
    return _join(text[: chip.start], text[chip.end :])


def clear(text: str, keys: Sequence[str]) -> str:
    """The query without any filter of these keys."""
    for chip in reversed(chips(text)):
        if chip.key in keys:
            text = remove(text, chip)
    return text


def add(text: str, key: str, value: str) -> str:
    """The query with one more filter, at its end."""
    if value in values(text, key):
        return text
    return _join(text, typed(key, value)) + " "


def toggle(text: str, key: str, value: str) -> str:
    """Add the filter, or take it away where it is already demanded."""
    wanted = values(text, key)
    if value not in wanted:
        return add(text, key, value)
    rest = clear(text, (key,))
    for other in wanted:
        if other != value:
            rest = add(rest, key, other)
    return rest


def replace(text: str, keys: Sequence[str], key: str, value: str | None) -> str:
    """One filter instead of all of these keys; None just removes them."""
    rest = clear(text, keys)
    return rest if value is None else add(rest, key, value)


def words(text: str) -> str:
    """The query without its filters."""
    for chip in reversed(chips(text)):
        text = remove(text, chip)
    return text.strip()


def _join(left: str, right: str) -> str:
    """Two pieces of a query with one space between them; a space being typed at the end stays."""
    if not left.strip():
        return right.lstrip()
    if not right.strip():
        return left.rstrip() + (" " if right else "")
    return f"{left.rstrip()} {right.lstrip()}"
