"""Which units go into a prompt: greedily by what each adds for its tokens.

What a unit adds is its relevance times the share of its text that nothing chosen says yet, and less
with each further one of a file or page: a submodular gain, so that greedy choice is near the best
there is (Lin and Bilmes, 2010: divided by a power of the cost). The neighbours of a chosen passage
become candidates with a part of its relevance, so that an answer cut at a border is whole.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from engine.asking.candidates import Candidate
from engine.search.passages import repeated
from engine.store import Row

#: Power of a unit's tokens that its gain is divided by: 0 takes the best, 1 the best for their
#: tokens, among which are headings and crumbs.
COST_POWER = 0.3
#: Each further unit of a file counts so much of the one before, and so of a page.
OF_FILE, OF_PAGE = 0.8, 0.8
#: Relevance of a passage for standing beside a chosen one.
BESIDE = 0.4
#: A gain below this share of the best one is no evidence: a long prompt costs time, and distracts.
LEAST = 0.02
#: Sources that a prompt holds at most, whatever the room.
MOST = 40
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


@dataclass(eq=False)
class Choice:
    """Units that were chosen so far."""

    taken: dict[str, Candidate]
    left: int  # tokens
    said: set[Key]
    of_file: Counter[int]
    of_page: Counter[tuple[int, int | None]]


def choose(
    candidates: Sequence[Candidate],
    costs: Costs,
    rows: Callable[[Sequence[str]], dict[str, Row]],
    budget: int,
) -> list[Candidate]:
    """The chosen ones, most relevant first, in so many tokens. `rows`: those of the store by unit
    id."""
    choice = Choice({}, budget, set(), Counter(), Counter())
    pool = {one.row.unit_id: one for one in candidates}
    fresh = dict.fromkeys(pool, 1.0)  # share of its text that was new when last looked
    shingles: dict[str, frozenset[Key]] = {}
    least = LEAST * max((one.relevance for one in candidates), default=0.0)

    def bound(one: Candidate) -> float:
        return one.relevance * fresh[one.row.unit_id] * _of_others(one, choice)

    def value(one: Candidate) -> float:
        return bound(one) / math.pow(max(costs.about(one.row), 1.0), COST_POWER)

    while pool and len(choice.taken) < MOST:
        best, most = None, 0.0
        for one in sorted(pool.values(), key=value, reverse=True):
            if best is not None and value(one) <= most:
                break  # what was new of it before is the most that can be new now
            unit_id = one.row.unit_id
            own = shingles.setdefault(unit_id, _shingles(one.row.text))
            fresh[unit_id] = 1.0 if not own else len(own - choice.said) / len(own)
            if value(one) > most and bound(one) >= least:
                best, most = one, value(one)
        if best is None:
            break
        del pool[best.row.unit_id]
        beside = _beside(best, choice)
        tokens = costs.exact(best.row, headed=not beside)
        if tokens > choice.left:
            continue
        choice.left -= tokens
        choice.taken[best.row.unit_id] = best
        choice.said |= shingles[best.row.unit_id]
        choice.of_file[best.owner] += 1
        choice.of_page[best.row.file_id, best.row.page] += 1
        for one in _neighbours(best, rows):
            unit_id = one.row.unit_id
            known = pool.get(unit_id)
            if unit_id not in choice.taken and (known is None or known.relevance < one.relevance):
                pool[unit_id] = one
                fresh.setdefault(unit_id, 1.0)
    return sorted(choice.taken.values(), key=lambda one: -one.relevance)


def _of_others(one: Candidate, choice: Choice) -> float:
    """0..1: how much it counts beside the others of its file and page."""
    if _beside(one, choice):
        return 1.0
    page = one.row.page is not None
    of_page = choice.of_page[one.row.file_id, one.row.page] if page else 0
    return float(OF_FILE ** choice.of_file[one.owner] * OF_PAGE**of_page)


def _beside(one: Candidate, choice: Choice) -> bool:
    """Whether a passage before or after it, of the same section, was chosen."""
    for step in (-1, 1):
        other = choice.taken.get(f"{one.row.file_id}:{one.ordinal + step}")
        if other is not None:
            first, second = (other, one) if step < 0 else (one, other)
            if continues(first.row, second.row):
                return True
    return False


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
    words = [
        part
        for word in _WORD.findall(text.casefold())
        for part in (
            [word]
            if len(word) <= _LONGEST_WORD
            else [word[i : i + 2] for i in range(0, len(word), 2)]
        )
    ]
    last = max(1, len(words) - _SHINGLE + 1)
    return frozenset(tuple(words[i : i + _SHINGLE]) for i in range(last)) if words else frozenset()
