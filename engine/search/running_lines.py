"""Running lines: what is printed at the top or bottom of every page and answers nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import takewhile

#: How many lines at either edge of a page may be running ones, and how long they are at most.
EDGE = 2
LONGEST = 90

_DIGITS = re.compile(r"\d+")
#: "3", "Page 3", "… · 3 / 5" at the end of a line, for a page's number.
_COUNTED = r"(?:^|[\s|·•–—-]){page}(?:\s*(?:/|of|von|de|sur)\s*\d+)?\W*$"

Span = tuple[int, int]


def running_lines(text: str, page: int | None, others: Iterable[tuple[int | None, str]]) -> Span:
    """What of a page's text is its own, as [start, end): without lines at its edges that count the
    page, or that other pages of the file, given with their texts, have as well.

    All of it where it has no page, or nothing would be left.
    """
    if page is None:
        return 0, len(text)
    lines = [(m.start(), m.end(), m[0].strip()) for m in re.finditer(r"[^\n]+", text)]
    lines = [line for line in lines if line[2]]
    known = {
        key
        for other, other_text in others
        if other is not None and other != page
        for key in _edges(other_text)
    }
    counted = re.compile(_COUNTED.format(page=page), re.IGNORECASE)

    def runs(line: str) -> bool:
        return len(line) <= LONGEST and (_key(line) in known or counted.search(line) is not None)

    edge = min(EDGE, len(lines) // 2)
    first = sum(1 for _ in takewhile(lambda line: runs(line[2]), lines[:edge]))
    last = sum(1 for _ in takewhile(lambda line: runs(line[2]), lines[: -edge - 1 : -1]))
    own = lines[first : len(lines) - last]
    return (own[0][0], own[-1][1]) if own else (0, len(text))


def _edges(text: str) -> set[str]:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return {_key(line) for line in (*lines[:EDGE], *lines[-EDGE:]) if len(line) <= LONGEST}


def _key(line: str) -> str:
    """Lines that count pages are one."""
    return _DIGITS.sub("#", " ".join(line.casefold().split()))
