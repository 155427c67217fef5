"""Misspelling: a question's word that no passage holds, and the words that it may have been."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rapidfuzz.distance import OSA

from engine.store.analyzer import analyze, located, stem
from engine.store.lexicon import Lexicon
from engine.store.spelling import fold

#: Letters of a word that may have one error, or two; and from which on it may be the first letter.
ONE_ERROR, TWO_ERRORS, FREE_START = 4, 8, 6
_LETTERS = {1: ONE_ERROR, 2: TWO_ERRORS}
#: What a word counts that is one error away, or two.
WORTH = {1: 0.8, 2: 0.6}
#: So many words stand for one.
MOST = 4
#: Of many the commonest are looked at, and so many passages to see how they are written.
_LOOKED_AT, _READ = 8, 3
#: A word that few passages hold is taken for an error where so many times as many hold another.
RARE, OFTEN = 2, 50
_PARTS = re.compile(r"[\W_]+")
#: Endings that the analyzer takes off, so that an error in them can't be seen among its terms.
_ENDINGS_TEXT = """
ation ations ator ators ating ated ate ates ition itions ional ional ment ments ing ings ed er ers
ity ities ive ively able ible ably ibly ance ances ence ences ant ants ent ents ness ous ously al
ally ial ical ically ful fully ism ist ists ise ised ises ising ize ized izes izing ication
ications icate icates icated icating ify ified ying ies es ly
"""
_ENDINGS = tuple(_ENDINGS_TEXT.split())


class Mend(NamedTuple):
    """A word that may have been meant."""

    term: str
    errors: int
    written: str  # as some passage writes it
    beside: int  # units that hold it and another word of the question
    units: int  # that hold it

    @property
    def weight(self) -> float:
        """What finding it counts."""
        return WORTH[self.errors]


def is_suspect(units: int, *, found: bool) -> bool:
    """Whether a word is looked at: nothing holds it nor anything like it, or hardly anything."""
    return units <= RARE if units else not found


def likely(lexicon: Lexicon, word: str, term: str, units: int, others: Sequence[str]) -> list[Mend]:
    """What a folded word, its term and the number of units that hold it may be errors of: those of
    the fewest errors, likeliest first. `others`: terms of the question's other words."""
    for errors in (1, 2):
        if units and errors == 2:
            break
        # Of a word that the analyzer cut short only as many letters are compared as are left.
        own = [form for form in {word, term} if len(form) >= _LETTERS[errors]]
        near = {w for form in own for w in lexicon.near(form, errors)}
        if errors == 1 and not units and len(word) >= FREE_START:
            near.update(map(stem, _other_endings(word)))
        near = {other for other in near if _plausible(word, other)}
        held = lexicon.held(sorted(near - {term}))
        common = [t for t in held if not units or held[t] >= OFTEN * units]
        common.sort(key=lambda t: (-held[t], t))
        found = []
        for other in common[:_LOOKED_AT]:
            written = _as_written(lexicon, other, word)
            found.append(Mend(other, errors, written, lexicon.beside(other, others), held[other]))
        if found:
            return sorted(found, key=lambda mend: _likelihood(mend, word))[:MOST]
    return []


def _likelihood(mend: Mend, word: str) -> tuple[bool, int, int]:
    """Less is likelier."""
    return not mend.beside, OSA.distance(fold(mend.written), word), -mend.units


def _plausible(word: str, other: str) -> bool:
    """People know how a short word begins; and what little is left of a longer one is no word."""
    return len(other) >= ONE_ERROR and (len(word) >= FREE_START or word[0] == other[0])


def _other_endings(word: str) -> Iterator[str]:
    """The word with an error mended in a common ending."""
    for ending in _ENDINGS:
        for size in range(len(ending) - 1, len(ending) + 2):
            tail = word[-size:] if size else ""
            if len(word) - size < ONE_ERROR - 1:
                continue
            if tail != ending and OSA.distance(tail, ending, score_cutoff=1) == 1:
                yield word[: len(word) - size] + ending


def _as_written(lexicon: Lexicon, term: str, word: str) -> str:
    """A term as some passages write it, of several ways the one nearest to a folded word; the term
    where it stands in names alone."""
    ways = {
        way
        for row in lexicon.passages(term, _READ)
        for text in (row.text, row.context)
        for start, end, terms in located(text)
        if term in terms
        for way in _PARTS.split(text[start:end])
        if analyze(way) == [term]
    }
    return min(ways, key=lambda way: (OSA.distance(fold(way), word), way), default=term)
