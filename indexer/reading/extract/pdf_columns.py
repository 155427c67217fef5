"""Columns of a page whose text the file has in another order: by turns, the right one first, or in
none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, pairwise
from operator import itemgetter
from statistics import median
from typing import Any

from indexer.reading.extract.reading_order import (
    MIN_COLUMN_LINES,
    MIN_GUTTER,
    in_reading_order,
    rows,
    two_columns,
)

#: A line of prose has so many words in the middle; a table's cell has fewer, or numbers.
_PROSE_WORDS = 3
_MOST_DIGITS = 0.2
_BOLD = 1.5  # points between two prints of a line that is to look bold
#: Share of lines that stand above the one before, from which on their order is none: labels of a
#: chart are fewer, of lines in any order a third goes back.
_ASTRAY = 0.2
#: Added to the numbers of blocks to the right, so that they are blocks of their own.
_RIGHT = 1_000_000

Word = tuple[Any, ...]  # x0, y0, x1, y1, text, block, line, number
_Line = list[Word]
_BLOCK_AND_LINE = itemgetter(5, 6)


def in_columns(words: list[Word], width: float) -> list[Word]:
    """The words in the order that they are read in, lines that are printed twice to be bold once;
    as they are where the file has them in an order that a reader could follow."""
    lines = _lines(words)
    pairs = [(a, b) for a, b in pairwise(lines) if _beside(a, b)]
    by_turns = len(pairs) >= MIN_COLUMN_LINES and (
        _is_prose([a for a, _ in pairs]) and _is_prose([b for _, b in pairs])
    )
    if by_turns:
        left, right = max(a[-1][2] for a, _ in pairs), min(b[0][0] for _, b in pairs)
        if right - left >= MIN_GUTTER * width:
            return [word for line in _turned(lines, left, right) for word in line]
    back = sum(_goes_back(a, b) for a, b in pairwise(lines))
    if by_turns or (back and _is_level(words)):
        placed = [_Placed(line, width) for line in lines]
        if by_turns or back > _ASTRAY * len(lines) or _right_first(placed):
            ordered = _in_order(placed)
            if ordered != placed:
                return _renumbered([item.line for item in ordered])
    count = sum(map(len, lines))
    return words if count == len(words) else [word for line in lines for word in line]


class _Placed:
    """A line with its place, in widths of the page."""

    __slots__ = ("box", "line")

    def __init__(self, line: _Line, width: float) -> None:
        self.line = line
        x0, y0, x1, y1 = zip(*(word[:4] for word in line), strict=True)
        self.box = (min(x0) / width, min(y0) / width, max(x1) / width, max(y1) / width)


def _in_order(placed: list[_Placed]) -> list[_Placed]:
    """Line by line where they stand in columns of prose, or one below the other; else as they are:
    rows across a chart, or across columns around one, are no order either."""
    _, _, right, _ = two_columns(placed)
    alone = right or all(len(row) == 1 for row in rows(placed))
    return in_reading_order(placed) if alone else placed


def _goes_back(one: _Line, two: _Line) -> bool:
    """Whether a line stands above the one before it, and not beside it as the next column does."""
    return bool(two[0][1] + two[0][3] < 2 * one[0][1] and two[0][0] < one[-1][2])


def _is_level(words: list[Word]) -> bool:
    """Not a script that is written from the right, or from top to bottom sign by sign."""
    text: list[str] = [word[4] for word in words]
    signs = sum(len(word) == 1 and word >= "\u2e80" for word in text)
    from_right = sum("\u0590" <= word[0] <= "\u08ff" for word in text)
    return 3 * (signs + from_right) < len(text)


def _right_first(placed: list[_Placed]) -> bool:
    """Whether the file has a column of prose before the one to its left."""
    _, left, right, _ = two_columns(placed)
    place = {id(item): number for number, item in enumerate(placed)}
    lefts, rights = ([place[id(item)] for item in side] for side in (left, right))
    return bool(rights) and max(rights) < min(lefts)


def _renumbered(lines: list[_Line]) -> list[Word]:
    """Words whose blocks end where the lines no longer follow one another."""
    words: list[Word] = []
    block, before = 0, lines[0]
    for number, line in enumerate(lines):
        height = before[0][3] - before[0][1]
        block += not -height <= line[0][1] - before[0][3] < height
        words += [(*word[:5], block, number, *word[7:]) for word in line]
        before = line
    return words


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
