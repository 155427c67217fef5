"""Which units go into a prompt: greedily by what each adds for its tokens.

What a unit adds is its relevance times the share of its text that nothing chosen says yet, and less
with each further one of a page, or of a file without pages: a submodular gain, so that greedy
choice is near the best there is (Lin and Bilmes, 2010: divided by a power of the cost). The
neighbours of a chosen passage become candidates with a part of its relevance, so that an answer cut
at a border is whole.
"""

from __future__ import annotations

import heapq
import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from engine.asking.candidates import Candidate
from engine.search.passages import repeated
from engine.store import Row

# Of some 75 questions each of documentation, functions and abstracts the answer is in a prompt of
# 1,000 to 4,000 tokens as often, give or take 0.03, with a power of 0 to 1, with neighbours that
# count 0 to 0.8 (joining costs no answers), and with further units of a file that count 0.6; where
# these count whole, documentation loses 0.03 to 0.04.

#: Power of a unit's tokens that its gain is divided by: 0 takes the best, 1 the best for their
#: tokens, among which are headings and crumbs.
COST_POWER = 0.3
#: Each further unit of a page counts so much of the one before, and so of a file without pages. Of
#: one with pages they do not: counted by the file, too, pages of reports of 150 pages were in a
#: prompt of 4,000 tokens 0.68 times as often as among the first ten hits, and are 1.00 times.
OF_FILE, OF_PAGE = 0.8, 0.8
#: Relevance of a passage for standing beside a chosen one.
BESIDE = 0.4
#: A gain below this share of the best one is no evidence: a long prompt costs time, and distracts.
LEAST = 0.02
#: Sources that a prompt holds at most, whatever the room.
MOST = 40
#: By what is estimated, so much more than there is room for is not counted: a server may have to.
FAR = 1.5
_SHINGLE = 4  # words
_LONGEST_WORD = 24
_WORD = re.compile(r"[^\W_]+")

Key = tuple[str, ...]


class Costs(Protocol):
    """What units take in a prompt, in tokens of the model that reads it."""

    def about(self, row: Row) -> float:
        """Estimated, with its heading."""

    def exact(self, row: Row, *, headed: bool) -> int:
        """Counted; `headed`: with its heading, as one that stands by itself has it."""


def choose(
    candidates: Sequence[Candidate],
    costs: Costs,
    rows: Callable[[Sequence[str]], dict[str, Row]],
    budget: int,
) -> list[Candidate]:
    """The chosen ones, most relevant first, in so many tokens. `rows`: those of the store by unit
    id."""
    choice = _Choice(costs, budget, LEAST * max((one.relevance for one in candidates), default=0.0))
    for one in candidates:
        choice.offer(one)
    while len(choice.taken) < MOST and (best := choice.best()) is not None:
        if choice.take(best):
            for beside in _neighbours(best, rows):
                choice.offer(beside)
    return sorted(choice.taken.values(), key=lambda one: -one.relevance)


class _Choice:
    """What was chosen so far, and what may be. Values only fall as more is chosen, but for those
    that are offered anew: the best by what was last known is looked at again first."""

    def __init__(self, costs: Costs, budget: int, least: float) -> None:
        self.taken: dict[str, Candidate] = {}
        self._costs, self._left, self._least = costs, budget, least
        self._said = set[Key]()
        self._of_file, self._of_page = Counter[int](), Counter[tuple[int, int | None]]()
        self._heap: list[tuple[float, int, Candidate]] = []  # by value, then as offered
        self._offered: dict[str, Candidate] = {}
        self._shingles: dict[str, frozenset[Key]] = {}
        self._count = itertools.count()

    def offer(self, one: Candidate) -> None:
        """A candidate, unless it is known as a better one or was looked at."""
        unit_id = one.row.unit_id
        known = self._offered.get(unit_id)
        if unit_id in self.taken or (known is not None and known.relevance > one.relevance):
            if known is None or unit_id in self.taken:
                return
            one = known  # beside a chosen one it counts more
        self._offered[unit_id] = one
        self._push(one, one.relevance)

    def best(self) -> Candidate | None:
        """The one that adds most for its tokens; None where none adds enough."""
        while self._heap:
            _, _, one = heapq.heappop(self._heap)
            if self._offered.get(one.row.unit_id) is not one:
                continue
            gain = self._gain(one)
            if gain < self._least:
                continue
            value = self._value(one, gain)
            if self._heap and -self._heap[0][0] > value:
                self._push(one, gain)
                continue
            return one
        return None

    def take(self, one: Candidate) -> bool:
        """Whether it fits; it is not asked again."""
        unit_id = one.row.unit_id
        del self._offered[unit_id]
        if self._costs.about(one.row) > FAR * self._left:
            return False
        tokens = self._costs.exact(one.row, headed=not self._beside(one))
        if tokens > self._left:
            return False
        self._left -= tokens
        self.taken[unit_id] = one
        self._said |= self._own(one)
        self._of_file[one.owner] += 1
        self._of_page[one.row.file_id, one.row.page] += 1
        return True

    def _push(self, one: Candidate, gain: float) -> None:
        heapq.heappush(self._heap, (-self._value(one, gain), next(self._count), one))

    def _value(self, one: Candidate, gain: float) -> float:
        return gain / math.pow(max(self._costs.about(one.row), 1.0), COST_POWER)

    def _gain(self, one: Candidate) -> float:
        own = self._own(one)
        fresh = len(own - self._said) / len(own) if own else 1.0
        return one.relevance * fresh * self._of_others(one)

    def _own(self, one: Candidate) -> frozenset[Key]:
        unit_id = one.row.unit_id
        if unit_id not in self._shingles:
            self._shingles[unit_id] = _shingles(one.row.text)
        return self._shingles[unit_id]

    def _of_others(self, one: Candidate) -> float:
        """0..1: how much it counts beside the others of its page, or file without pages."""
        if self._beside(one):
            return 1.0
        if one.row.page is not None:
            return float(OF_PAGE ** self._of_page[one.row.file_id, one.row.page])
        return float(OF_FILE ** self._of_file[one.owner])

    def _beside(self, one: Candidate) -> bool:
        """Whether a passage before or after it, of the same section, was chosen."""
        file_id, place = one.row.file_id, one.ordinal
        before = self.taken.get(f"{file_id}:{place - 1}")
        after = self.taken.get(f"{file_id}:{place + 1}")
        return (before is not None and continues(before.row, one.row)) or (
            after is not None and continues(one.row, after.row)
        )


def _neighbours(one: Candidate, rows: Callable[[Sequence[str]], dict[str, Row]]) -> list[Candidate]:
    """The passages before and after it, of the same section."""
    row = one.row
    if not row.text:
        return []
    around = {step: f"{row.file_id}:{one.ordinal + step}" for step in (-1, 1)}
    known = rows([unit_id for unit_id in around.values() if not unit_id.endswith("-1")])
    return [
        replace(one, row=other, relevance=one.relevance * BESIDE)
        for step, unit_id in around.items()
        if (other := known.get(unit_id)) is not None
        if (continues(row, other) if step > 0 else continues(other, row))
    ]


def continues(row: Row, after: Row) -> bool:
    """Whether a unit goes on where another ends: the same function, the same page, or prose that
    was cut."""
    if row.file_id != after.file_id or row.page != after.page or not (row.text and after.text):
        return False
    if row.kind == "code":
        return row.symbol is not None and row.symbol == after.symbol
    return row.page is not None or repeated(row.text, after.text) > 0


def _shingles(text: str) -> frozenset[Key]:
    """Runs of words; of scripts without spaces, of characters."""
    words = _WORD.findall(text.casefold())
    if any(len(word) > _LONGEST_WORD for word in words):
        words = [part for word in words for part in _parts(word)]
    if len(words) <= _SHINGLE:
        return frozenset([tuple(words)]) if words else frozenset()
    return frozenset(zip(*(words[i:] for i in range(_SHINGLE)), strict=False))


def _parts(word: str) -> list[str]:
    return (
        [word] if len(word) <= _LONGEST_WORD else [word[i : i + 2] for i in range(0, len(word), 2)]
    )
