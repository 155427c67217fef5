"""Where words stand in a text, counted as Qt counts: in units of UTF-16."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

_ASTRAL = re.compile(r"[\U00010000-\U0010ffff]")
_WORDS = re.compile(r"\w+")
#: What may stand between two words of a run besides what stood there: line ends, signs of Markdown.
_BETWEEN = r"[\W_]{1,12}"
_MOST = 40  # places of one run: more marks tell nothing


class Positions:
    """Characters of a text as positions of a QTextCursor: an emoji takes two of them."""

    def __init__(self, text: str) -> None:
        self._wide = [match.start() for match in _ASTRAL.finditer(text)]

    def __call__(self, index: int) -> int:
        return index + bisect_left(self._wide, index) if self._wide else index

    def index(self, position: int) -> int:
        """The character at a position."""
        low, high = position - len(self._wide), position
        while low < high:  # the last character that begins there or before
            middle = (low + high + 1) // 2
            if self(middle) <= position:
                low = middle
            else:
                high = middle - 1
        return max(low, 0)


def places(
    text: str, runs: Iterable[str], start: int = 0, end: int = -1
) -> Iterator[tuple[int, int]]:
    """Where runs of words stand in a text, as [start, end) of characters, whatever case, spaces or
    signs of Markdown are between them; a run without words as it is."""
    end = len(text) if end < 0 else end
    for run in dict.fromkeys(" ".join(run.split()) for run in runs):
        words = _WORDS.findall(run)
        if not run:
            continue
        pattern = _BETWEEN.join(map(re.escape, words)) if words else re.escape(run)
        found = re.compile(pattern, re.IGNORECASE).finditer(text, start, end)
        for _, match in zip(range(_MOST), found, strict=False):
            yield match.span()
