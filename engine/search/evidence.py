"""Evidence: which characters of a passage, which regions of a page, answer the query."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Box, BoxEvidence, Evidence, TextEvidence
from engine.search.common_words import JOINING
from engine.store.analyzer import StandingFor, analyze
from engine.store.spelling import fold

SNIPPET_CHARS = 280
#: More boxes than this on one page point nowhere: then none are drawn.
MAX_BOXES = 8

#: Characters that are looked at beside a token for the rest of its word.
_LONGEST_WORD = 40
#: A matched share of the question's words below which the passage's best sentence is shown as well.
HALF = 0.5

_WORD = re.compile(r"\w+(?:[.'’_-]\w+)*")


@dataclass(frozen=True, slots=True)
class Match:
    """Characters [start, end) of a unit's text that answer a word of the query."""

    start: int
    end: int
    word: str
    weight: float


class WordMatches:
    """Finds words of texts that share an index token with a word of the query, or that stand for
    one: `marks` has the query's word by token."""

    def __init__(self, query: str, marks: Mapping[str, str] | None = None) -> None:
        wanted = dict(marks or {})
        for word in telling_words(query):
            tokens = analyze(word)  # of "air-to-water" the "to" tells nothing either
            for token in [one for one in tokens if one not in JOINING] or tokens:
                wanted[token] = word
        self._query, self._standing = query, StandingFor(wanted)

    def of(self, text: str) -> list[Match]:
        """Those of one text."""
        found = [Match(start, end, word, 1.0) for start, end, word in self._standing.of(text)]
        return found or _substring_matches(text, self._query)


@lru_cache(maxsize=64)
def telling_words(query: str) -> Sequence[str]:
    """The words of a query without "the" and "from", unless it has no others: a page full of marked
    "from" proves nothing."""
    words = _WORD.findall(query)
    return tuple(word for word in words if fold(word) not in JOINING) or tuple(words)


def _substring_matches(text: str, query: str) -> list[Match]:
    """For scripts without spaces: the longest runs of the query's characters in the text."""
    runs = [run for run in re.findall(r"[^\W\d_a-zA-Z]{2,}", query) if not run.isascii()]
    found = []
    for run in runs:
        for size in range(len(run), 1, -1):
            hits = [text.find(run[i : i + size]) for i in range(len(run) - size + 1)]
            places = [(p, i) for i, p in enumerate(hits) if p >= 0]
            if places:
                found += [Match(p, p + size, run[i : i + size], 1.0) for p, i in places]
                break
    return found


def late_matches(
    text: str,
    similarities: NDArray[np.float32],
    token_spans: NDArray[np.int32],
    query_words: Sequence[str],
    threshold: float,
) -> list[Match]:
    """The words of the text under the best document token of each query token, where their cosine
    is high enough and they say something by themselves.

    similarities: [m, n] cosine of query and document tokens; token_spans: [n, 2];
    query_words: the word each of the m query tokens belongs to, "" for special tokens.
    """
    telling = _telling(tuple(query_words))
    best = similarities.argmax(axis=1)
    cosines = similarities[np.arange(len(best)), best]
    found = []
    for row in np.flatnonzero(cosines >= threshold).tolist():
        word = query_words[row]
        if word not in telling:
            continue
        start, end = token_spans[best[row]].tolist()
        if 0 <= start < end:
            for low, high in _whole_words(text, start, end):
                found.append(Match(low, high, word, float(cosines[row]) * 0.6))
    return found


@lru_cache(maxsize=64)
def _telling(query_words: tuple[str, ...]) -> frozenset[str]:
    """Those of the words of a question's tokens that tell."""
    return frozenset(telling_words(" ".join(query_words)))


def _whole_words(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The telling words that a token is a part of, or spans: "ce" of "certificate" is the word."""
    low = max(0, start - _LONGEST_WORD)
    return [
        (word.start(), word.end())
        for word in _WORD.finditer(text, low, end + _LONGEST_WORD)
        if word.start() < end and word.end() > start and fold(word[0]) not in JOINING
    ]


def said_share(matches: Sequence[Match], words: Sequence[str], weights: Sequence[float]) -> float:
    """0..1: how much of what the question's words say the matches hold; words: [m] of its tokens,
    weights: [m]."""
    telling = _telling(tuple(words))
    counts = {word: max(w, 0.0) for word, w in zip(words, weights, strict=True) if word in telling}
    matched = {fold(match.word) for match in matches}
    held = sum(weight for word, weight in counts.items() if fold(word) in matched)
    total = sum(counts.values())
    return held / total if total else 1.0


def snippet_window(
    text: str, matches: Sequence[Match], own: tuple[int, int] | None = None
) -> tuple[int, int]:
    """The [start, end) of at most SNIPPET_CHARS that holds most of the matched words; `own`: within
    this part of the text."""
    if own is not None and own != (0, len(text)):
        low, high = own
        moved = [
            Match(m.start - low, m.end - low, m.word, m.weight)
            for m in matches
            if low <= m.start and m.end <= high
        ]
        start, end = snippet_window(text[low:high], moved)
        return start + low, end + low
    if len(text) <= SNIPPET_CHARS:
        return 0, len(text)
    best, best_value = 0, -1.0
    for anchor in matches:
        start = max(0, anchor.start - 60)
        inside = [m for m in matches if start <= m.start and m.end <= start + SNIPPET_CHARS]
        kinds = {m.word: m.weight for m in inside}
        value = sum(kinds.values()) + 0.01 * len(inside)
        if value > best_value:
            best, best_value = start, value
    last = len(text) - SNIPPET_CHARS
    if best >= last:  # the end of the text, from a whole word on
        cut = text.find(" ", last, last + 40)
        return (cut + 1 if cut >= 0 else last), len(text)
    start = _word_border(text, best)
    end = min(len(text), start + SNIPPET_CHARS)
    if end < len(text):
        cut = text.rfind(" ", start + SNIPPET_CHARS // 2, end)
        end = cut if cut > 0 else end
    return start, end


def _word_border(text: str, position: int) -> int:
    if position == 0:
        return 0
    border = max(text.rfind(" ", 0, position + 1), text.rfind("\n", 0, position + 1))
    return border + 1 if position - border < 40 else position


def text_evidence(matches: Sequence[Match], start: int, end: int) -> list[Evidence]:
    """The matches inside [start, end) as spans of that snippet, in order; where two overlap, the
    surer one."""
    kept: list[Match] = []
    for match in sorted(matches, key=lambda m: (-m.weight, m.start)):
        inside = start <= match.start and match.end <= end
        if inside and all(match.end <= k.start or k.end <= match.start for k in kept):
            kept.append(match)
    return [
        TextEvidence(match.start - start, match.end - start, match.word)
        for match in sorted(kept, key=lambda m: m.start)
    ]


def box_evidence(
    matches: Sequence[Match],
    word_spans: NDArray[np.int32],
    word_boxes: NDArray[np.uint16],
    page: int | None,
) -> list[Evidence]:
    """Regions of the page under the matches, one per matched word; none if they are everywhere.

    word_spans: [w, 2] characters; word_boxes: [w, 4] in 1/65535 of the page.
    """
    found: dict[tuple[int, ...], Evidence] = {}
    for match in matches:
        under = (word_spans[:, 0] < match.end) & (word_spans[:, 1] > match.start)
        for row in np.flatnonzero(under)[:3]:
            corners = tuple(int(x) for x in word_boxes[row])
            box: Box = tuple(x / 65535 for x in corners)  # type: ignore[assignment]
            found.setdefault(corners, BoxEvidence(box, page, match.word))
    return list(found.values()) if len(found) <= MAX_BOXES else []


def line_boxes(
    span: tuple[int, int],
    word_spans: NDArray[np.int32],
    word_boxes: NDArray[np.uint16],
    page: int | None,
) -> list[Evidence]:
    """A region for each line of the page that a sentence stands on.

    word_spans: [w, 2] characters; word_boxes: [w, 4] in 1/65535 of the page.
    """
    under = np.flatnonzero((word_spans[:, 0] < span[1]) & (word_spans[:, 1] > span[0]))
    lines: list[list[int]] = []  # left, top, right, bottom of each
    for left, top, right, bottom in word_boxes[under].tolist():
        last = lines[-1] if lines else None
        # The next word of a line is level with it and to its right; of a table's cell it is near.
        level = last is not None and min(bottom, last[3]) - max(top, last[1]) > (bottom - top) / 2
        if last is not None and level and -(bottom - top) < left - last[2] < 4 * (bottom - top):
            last[1], last[3] = min(top, last[1]), max(bottom, last[3])
            last[2] = max(right, last[2])
        else:
            lines.append([left, top, right, bottom])
    return [BoxEvidence(tuple(x / 65535 for x in line), page) for line in lines]  # type: ignore[arg-type]


def words_of_tokens(query: str, spans: NDArray[np.int32] | None) -> list[str]:
    """The query word each query token belongs to ("" for special tokens); spans [m, 2]."""
    if spans is None:
        return []
    words = [(m.start(), m.end(), m[0]) for m in _WORD.finditer(query)]
    result = []
    for start, end in spans:
        inside = (w for a, b, w in words if a <= start < b and end > start)
        result.append(next(inside, "") if start >= 0 else "")
    return result
