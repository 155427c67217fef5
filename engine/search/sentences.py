"""Sentences of a passage, and which of them means most of what is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

#: A longer sentence is cut: more than this no one reads as one answer.
LONGEST = 240
#: Fewer words than this are a heading or a cell.
FEWEST_WORDS = 3

#: Between sentences: their end (no "2." of a list), an empty line, the next item of a list.
_BETWEEN = re.compile(
    r"""(?:(?<=[.!?…])|(?<=[.!?…]["'”»)\]]))(?<!\n\d\.)(?<!\n\d\d\.)\s+|(?<=[。！？])|\s*\n\s*\n\s*"""
    r"""|\n(?=\s*(?:[•·*+–-]|\d+[.)])\s)"""
)
_LINES = re.compile(r"\n\s*")
_WORD = re.compile(r"[^\W\d_]{2,}")
_TINY = 1e-6

Span = tuple[int, int]


def sentences(
    text: str, start: int = 0, end: int | None = None, *, by_line: bool = False
) -> list[Span]:
    """The [start, end) of each sentence in a part of a text; of each line where that is code."""
    found: list[Span] = []
    for low, high in _between(text, start, len(text) if end is None else end, by_line):
        while high > low and text[high - 1].isspace():
            high -= 1
        while low < high and text[low].isspace():
            low += 1
        while high - low > LONGEST:
            cut = max(text.rfind(mark, low + LONGEST // 2, low + LONGEST) for mark in "\n;, ")
            cut = cut + 1 if cut > 0 else low + LONGEST
            found.append((low, cut))
            low = cut
        if high > low:
            found.append((low, high))
    return found


def _between(text: str, start: int, end: int, by_line: bool) -> Iterator[Span]:
    for gap in (_LINES if by_line else _BETWEEN).finditer(text, start, end):
        yield start, gap.start()
        start = gap.end()
    yield start, end


def best_sentence(
    text: str,
    found: Sequence[Span],
    similarities: NDArray[np.float32],
    weights: NDArray[np.float32],
    tokens: NDArray[np.float32],
    token_spans: NDArray[np.int32],
) -> Span | None:
    """The sentence that is nearest to the question, word by word and as a whole; None where none
    is one.

    similarities: [m, n] cosine of the question's and the passage's tokens; weights: [m]; tokens:
    [n, d] of length one; token_spans: [n, 2] characters.
    """
    known = [span for span in found if len(_WORD.findall(text, *span)) >= FEWEST_WORDS]
    if not known:
        return None
    lows, highs = np.array(known).T
    middles = (token_spans[:, 0] + token_spans[:, 1]) // 2
    inside = lows.searchsorted(middles, "right") - 1  # of each token the sentence it stands in
    held = (token_spans[:, 0] >= 0) & (inside >= 0) & (middles < highs[inside])
    order = np.flatnonzero(held)
    stands = inside[order]
    steps = np.diff(stands)
    if (steps < 0).any():  # not in the order of the text
        sort = stands.argsort(kind="stable")
        order, stands = order[sort], stands[sort]
        steps = np.diff(stands)
    if not len(order):
        return None
    first = np.concatenate(([0], np.flatnonzero(steps) + 1))
    number = stands[first]
    near = similarities[:, order]
    by_word = weights @ np.maximum.reduceat(near, first, axis=1)
    # The mean of its tokens is what the model says of a sentence, or close to it.
    sums = np.add.reduceat(tokens[order], first, axis=0)
    lengths = np.sqrt(np.add.reduce(sums * sums, axis=1))
    whole = weights @ np.add.reduceat(near, first, axis=1) / np.maximum(lengths, _TINY)
    # Long sentences have a token for each word of the question, short ones no others: the sum of
    # both is in favour of neither.
    return known[int(number[np.argmax(_spread(by_word) + _spread(whole))])]


def _spread(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each lies from the mean, in standard deviations."""
    count = np.float32(len(values))
    away: NDArray[np.float32] = values - np.add.reduce(values) / count
    return away / max(float(np.sqrt(np.add.reduce(away * away) / count)), _TINY)
