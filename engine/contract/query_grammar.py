"""The form of a query: words, quotations and filters, and how OR, parentheses and minus join them.

Never fails: a parenthesis without its other half, an OR with nothing beside it, whatever is odd is
a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

_TOKEN = re.compile(
    r"""(?P<minus>-)?
        (?:(?P<key>[A-Za-z]+):)?
        (?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]+(?:(?<=\w)"[^\s"]*)*))""",
    re.VERBOSE,
)
#: After a letter or digit no quotation begins: 27" and Hebrew's abbreviations.
_BARE = re.compile(r'[^\s"]+(?:(?<=\w)"[^\s"]*)*')
_QUOTED = re.compile(r'"[^"]*"')
#: Parentheses inside each other that count; nobody types more.
_DEEPEST = 8
#: Questions that one with OR is taken apart into, at most; beyond it OR is a word.
MOST_QUESTIONS = 64


@dataclass(frozen=True, slots=True)
class Item:
    """A word, a quotation or key:value, as it stands."""

    raw: str
    start: int  # characters of the query
    end: int
    value: str
    key: str = ""
    quoted: bool = False
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """What stands in parentheses: all of it."""

    start: int
    end: int
    parts: tuple[Node, ...]
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Either:
    """Parts with OR between them."""

    options: tuple[Item | Group, ...]

    @property
    def start(self) -> int:
        return self.options[0].start

    @property
    def end(self) -> int:
        return self.options[-1].end


Node: TypeAlias = Item | Group | Either


def form_of(raw: str) -> tuple[Node, ...]:
    """What a query consists of: all of these together."""
    return _Form(raw).nodes(0, len(raw))


def questions(nodes: Sequence[Node]) -> list[tuple[Item, ...]]:
    """The questions without OR and parentheses that a query stands for, any of which may be
    answered; none where they are too many."""
    try:
        return list(dict.fromkeys(_all_of(nodes)))
    except _TooMany:
        return []


class _TooMany(Exception):
    """More than MOST_QUESTIONS."""


def _all_of(nodes: Sequence[Node]) -> list[tuple[Item, ...]]:
    found: list[tuple[Item, ...]] = [()]
    for node in nodes:
        ways = _ways(node)
        if len(found) * len(ways) > MOST_QUESTIONS:
            raise _TooMany
        found = [(*before, *way) for before in found for way in ways]
    return found


def _any_of(nodes: Sequence[Node]) -> list[tuple[Item, ...]]:
    found = [way for node in nodes for way in _ways(node)]
    if len(found) > MOST_QUESTIONS:
        raise _TooMany
    return found


def _ways(node: Node) -> list[tuple[Item, ...]]:
    match node:
        case Item():
            return [(node,)]
        case Either():
            return _any_of(node.options)
        case Group(negated=False):
            return _all_of(node.parts)
    # Not both: not the one, or not the other.
    return _any_of([_denied(part) for part in node.parts])


def _denied(node: Node) -> Node:
    match node:
        case Item():
            return replace(node, negated=not node.negated)
        case Group():
            return replace(node, negated=not node.negated)
    return Group(node.start, node.end, tuple(map(_denied, node.options)))


class _Form:
    """One query while it is taken apart."""

    def __init__(self, raw: str) -> None:
        self._raw = raw
        self._closed = _pairs(raw)

    def nodes(self, start: int, end: int) -> tuple[Node, ...]:
        """What stands between two places."""
        parts = list(self._scan(start, end))
        parts = [
            part for n, part in enumerate(parts) if not (_is_or(parts, n - 1) and _is_or(parts, n))
        ]
        found: list[Node] = []
        place = 0
        while place < len(parts):
            options = [parts[place]]
            while _is_or(parts, place + 1) and place + 2 < len(parts):
                options.append(parts[place + 2])
                place += 2
            place += 1
            if len(options) > 1:
                found.append(Either(tuple(options)))
            elif isinstance(group := options[0], Group) and self._is_text(group):
                found += self._items(group.start, group.end)
            else:
                found.append(options[0])
        return tuple(found)

    def _scan(self, start: int, end: int) -> Iterator[Item | Group]:
        place = start
        while place < end:
            close = self._closed.get(place)
            if close is not None and close < end:
                inside = place + (2 if self._raw[place] == "-" else 1)
                yield Group(place, close + 1, self.nodes(inside, close), self._raw[place] == "-")
                place = close + 1
            elif (item := self._item(place, start, end)) is not None:
                yield item
                place = item.end
            else:
                place += 1

    def _items(self, start: int, end: int) -> Iterator[Item]:
        """The same without parentheses."""
        place = start
        while place < end:
            item = self._item(place, start, end)
            if item is not None:
                yield item
            place = place + 1 if item is None else item.end

    def _item(self, place: int, start: int, end: int) -> Item | None:
        raw = self._raw
        match = _TOKEN.match(raw, place, end)
        if raw[place] == "-" and place > start and not raw[place - 1].isspace():
            match = None  # a minus inside of a word
        if match is None:
            bare = _BARE.match(raw, place, end)
            return bare and Item(bare[0], place, bare.end(), bare[0])
        quoted = match["quoted"]
        return Item(
            match[0],
            match.start(),
            match.end(),
            match["bare"] if quoted is None else quoted,
            (match["key"] or "").lower(),
            quoted is not None,
            match["minus"] is not None,
        )

    @staticmethod
    def _is_text(group: Group) -> bool:
        """Words in parentheses are a remark, as in a title."""
        return not group.negated and all(
            isinstance(part, Item) and not (part.key or part.quoted or part.negated)
            for part in group.parts
        )


def _is_or(parts: Sequence[Item | Group], place: int) -> bool:
    part = parts[place] if 0 <= place < len(parts) else None
    return isinstance(part, Item) and part.raw in ("OR", "|")


def _pairs(raw: str) -> Mapping[int, int]:
    """By the place of each parenthesis that groups (its minus included) that of its other half.

    One groups where it begins a word and the other half ends one.
    """
    pairs: dict[int, int] = {}
    opened: list[tuple[int, int] | None] = []  # where one begins, and is; None: inside of a word
    depth, place = 0, 0
    while place < len(raw):
        begun = not raw[place - 1 : place].isalnum()
        if raw[place] == '"' and begun and (quotation := _QUOTED.match(raw, place)):
            place = quotation.end()
            continue
        if raw[place] == "(":
            start = place - 1 if raw[place - 1 : place] == "-" else place
            begins = start == 0 or raw[start - 1].isspace()
            nested = bool(opened) and opened[-1] is not None and opened[-1][1] == start - 1
            groups = (begins or nested) and depth < _DEEPEST
            opened.append((start, place) if groups else None)
            depth += groups
        elif raw[place] == ")" and opened:
            begin = opened.pop()
            depth -= begin is not None
            after = raw[place + 1 : place + 2]
            if begin is not None and (not after.strip() or after == ")"):
                pairs[begin[0]] = place
        place += 1
    return pairs
