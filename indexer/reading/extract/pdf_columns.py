"""Columns of a page whose text runs across them in the file, left and right by turns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from statistics import median
from typing import Any

from indexer.reading.extract.reading_order import MIN_COLUMN_LINES, MIN_GUTTER

#: A line of prose has so many words in the middle; a table's cell has fewer, or numbers.
_PROSE_WORDS = 3
_MOST_DIGITS = 0.2
_BOLD = 1.5  # points between two prints of a line that is to look bold
#: Added to the numbers of blocks to the right, so that they are blocks of their own.
_RIGHT = 1_000_000

Word = tuple[Any, ...]  # x0, y0, x1, y1, text, block, line, number
_Line = list[Word]
_BLOCK_AND_LINE = itemgetter(5, 6)


def in_columns(words: list[Word], width: float) -> list[Word]:
    """The words in the order that they are read in, lines that are printed twice to be bold once;
    as they are where no columns run by turns."""
    lines = _lines(words)
    pairs = [(a, b) for a, b in pairwise(lines) if _beside(a, b)]
    if len(pairs) >= MIN_COLUMN_LINES:
        left, right = max(a[-1][2] for a, _ in pairs), min(b[0][0] for _, b in pairs)
        if right - left >= MIN_GUTTER * width and (
            _is_prose([a for a, _ in pairs]) and _is_prose([b for _, b in pairs])
        ):
            return [word for line in _turned(lines, left, right) for word in line]
    count = sum(map(len, lines))
    return words if count == len(words) else [word for line in lines for word in line]


def _lines(words: list[Word]) -> list[_Line]:
    """Words by line, without a line that is the one before, printed again at its place."""
    lines: list[_Line] = []
    for _, run in groupby(words, _BLOCK_AND_LINE):
        line = list(run)
        if not (lines and _is_again(line, lines[-1])):
            lines.append(line)
    return lines


def _is_again(line: _Line, before: _Line) -> bool:
    one, two = line[0], before[0]
    near = abs(one[0] - two[0]) < _BOLD and abs(one[1] - two[1]) < _BOLD
    return near and [word[4] for word in line] == [word[4] for word in before]


def _beside(one: _Line, two: _Line) -> bool:
    if two[0][0] <= one[-1][2]:
        return False  # nearly all
    shared = min(one[0][3], two[0][3]) - max(one[0][1], two[0][1])
    height = min(one[0][3] - one[0][1], two[0][3] - two[0][1])
    return bool(shared > 0.5 * height)


def _is_prose(lines: list[_Line]) -> bool:
    texts = ["".join(word[4] for word in line) for line in lines]
    digits = sum(sum(map(str.isdigit, text)) for text in texts)
    return median(map(len, lines)) >= _PROSE_WORDS and digits <= _MOST_DIGITS * sum(map(len, texts))


def _turned(lines: list[_Line], left: float, right: float) -> Iterator[_Line]:
    """Of each stretch without a line across both columns the left one, then the right one."""
    first: list[_Line] = []
    second: list[_Line] = []
    for line in lines:
        if line[-1][2] <= left:
            first.append(line)
        elif line[0][0] >= right:
            second.append([(*word[:5], word[5] + _RIGHT, *word[6:]) for word in line])
        else:
            yield from first + second
            first, second = [], []
            yield line
    yield from first + second
