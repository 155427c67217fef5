"""Running lines: what is printed at the top or bottom of every page and answers nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import islice, takewhile

#: How many lines at either edge of a page may be running ones, and how long they are at most.
EDGE = 2
LONGEST = 90

_DIGITS = re.compile(r"\d+")
#: "3", "Page 3", "… · 3 / 5" at the end of a line, for a page's number.
_COUNTED = r"(?:^|[\s|·•–—-]){page}(?:\s*(?:/|of|von|de|sur)\s*\d+)?\W*$"

Span = tuple[int, int]
Line = tuple[int, int, str]  # start, end and what is on it


def running_lines(text: str, page: int | None, others: Iterable[tuple[int | None, str]]) -> Span:
    """What of a page's text is its own, as [start, end): without lines at its edges that count the
    page, or that other pages of the file, given with their texts, have as well.

    All of it where it has no page, or nothing would be left.
    """
    if page is None:
        return 0, len(text)
    known = {
        key
        for other, other_text in others
        if other is not None and other != page
        for key in _edges(other_text)
    }
    counted = _counted(page)

    def runs(line: Line) -> bool:
        said = line[2]
        return len(said) <= LONGEST and (_key(said) in known or counted.search(said) is not None)

    top = list(islice(_lines(text), 2 * EDGE + 1))
    # Where there are more, what lies between the edges is not looked at.
    bottom = top[::-1] if len(top) <= 2 * EDGE else list(islice(_lines_upwards(text), EDGE + 1))
    edge = min(EDGE, len(top) // 2)
    first = sum(1 for _ in takewhile(runs, top[:edge]))
    last = sum(1 for _ in takewhile(runs, bottom[:edge]))
    if first + last >= len(top):
        return 0, len(text)
    return top[first][0], bottom[last][1]


def _lines(text: str) -> Iterator[Line]:
    """Those with something on them, from the top."""
    start = 0
    while start <= len(text):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if said := text[start:end].strip():
            yield start, end, said
        start = end + 1


def _lines_upwards(text: str) -> Iterator[Line]:
    end = len(text)
    while end >= 0:
        start = text.rfind("\n", 0, end) + 1
        if said := text[start:end].strip():
            yield start, end, said
        end = start - 1


@lru_cache(maxsize=256)
def _edges(text: str) -> frozenset[str]:
    edges = (*islice(_lines(text), EDGE), *islice(_lines_upwards(text), EDGE))
    return frozenset(_key(said) for _, _, said in edges if len(said) <= LONGEST)


@lru_cache(maxsize=256)
def _counted(page: int) -> re.Pattern[str]:
    return re.compile(_COUNTED.format(page=page), re.IGNORECASE)


def _key(line: str) -> str:
    """Lines that count pages are one."""
    return _DIGITS.sub("#", " ".join(line.casefold().split()))
