"""Term matching: what exact words tell beyond BM25 of a single passage.

How many of the question's words the whole file holds: a commit's subject names things from all over
a source file (hit@10 on such questions 0.842 -> 0.857; shell commands 0.644 -> 0.651 nDCG@10).
And how many stand side by side in the passage as they do in the question: people remember captions
and half sentences (pages of papers 0.899 -> 0.939, their titles 0.991 -> 1.000).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from engine.store import TextMatches
from engine.store.analyzer import STOP_WORDS, is_unspaced, located
from engine.store.spelling import fold
from engine.store.term_groups import Variant

#: Pairs of mean weight side by side from which on that is no chance, and a quotation.
CHANCE, QUOTATION = 0.5, 6.0


@dataclass(frozen=True, slots=True)
class AskedWord:
    """A word of the question that is looked for."""

    text: str
    start: int  # in the question, characters
    place: int  # among the question's terms; stop words count
    terms: tuple[str, ...]  # any of them will do
    others: tuple[Variant, ...] = ()  # and any of these, though they are another word

    @property
    def single_terms(self) -> tuple[str, ...]:
        """Any of these will do by itself."""
        return (*self.terms, *(v.terms[0] for v in self.others if len(v.terms) == 1))


def asked_words(question: str) -> list[AskedWord]:
    """The words of a question in order; stop words only if there is nothing else."""
    telling: list[AskedWord] = []
    common: list[AskedWord] = []
    place = 0
    for start, end, terms in located(question):
        run = question[start:end]
        if is_unspaced(run):
            pairs = [term for term in terms if len(term) > 1] or terms
            as_asked = len(fold(run)) == len(run) and len(pairs[0]) == 2
            for i, pair in enumerate(pairs):
                word = run[i : i + 2] if as_asked else pair
                telling.append(AskedWord(word, start, place + i, (pair,)))
        else:
            asked = AskedWord(run, start, place, terms)
            (common if fold(run) in STOP_WORDS else telling).append(asked)
        place += len(terms)
    return telling or common


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a question a file holds anywhere."""

    share: float  # against the best of the files looked at, 0..1
    exact: float  # of the whole question; another form of a word counts as much as it is like it


def sought_terms(words: Sequence[AskedWord]) -> list[str]:
    """All terms that tell whether a passage holds any of these words, each once."""
    sought = (terms for word in words for terms, _ in _alternatives(word))
    return list(dict.fromkeys(chain.from_iterable(sought)))


def term_coverage(
    words: Sequence[AskedWord], weights: NDArray[np.float32], matches: TextMatches
) -> dict[int, Coverage]:
    """By file. `weights` [n]: how rare each word is; `matches` that were asked after
    `sought_terms`."""
    likeness = np.zeros((len(matches.found), len(words)), np.float32)
    for i, word in enumerate(words):
        for terms, weight in _alternatives(word):
            column = likeness[:, i]
            np.maximum(column, matches.holding(terms) * np.float32(weight), out=column)
    files = np.array([match.file_id for match in matches.found], np.int64)
    held, places = np.unique(files, return_inverse=True)
    table = np.zeros((len(held), len(words)), np.float32)
    np.maximum.at(table, places, likeness)
    totals = (table > 0).astype(np.float32) @ weights
    exact = table @ weights / max(float(weights.sum()), 1e-9)
    best = float(totals.max(initial=0.0))
    if not best:
        return {}
    return {
        file_id: Coverage(float(total) / best, float(certain))
        for file_id, total, certain in zip(held.tolist(), totals, exact, strict=True)
    }


def _alternatives(word: AskedWord) -> list[tuple[tuple[str, ...], float]]:
    """Terms of which a file that holds the word holds all, and how like the word they are: 0..1,
    the likest first."""
    variants = [(variant.terms, variant.weight) for variant in word.others]
    return [*(((term,), 1.0) for term in word.terms), *sorted(variants, key=lambda v: -v[1])]


class Proximity:
    """How much like a quotation of a question passages are.

    A pair weighs what its more common word does, so that "in the" makes no quotation.
    """

    def __init__(self, words: Sequence[AskedWord], weights: NDArray[np.float32]) -> None:
        self._words = words
        pairs = np.minimum(weights[:-1], weights[1:])
        self._pairs: list[float] = pairs.tolist()
        self._mean = max(float(pairs.mean()), 1e-9) if len(pairs) else 1.0
        self._owners: dict[str, list[int]] = {}  # by term the words that it will do for
        for i, word in enumerate(words):
            for term in word.single_terms:
                self._owners.setdefault(term, []).append(i)

    def possible(self, matches: TextMatches) -> list[str]:
        """Units that hold two of the words at least: the others are like no quotation."""
        held = np.zeros(len(matches.found), np.intp)
        for word in self._words:
            terms = [matches.terms.index(term) for term in word.single_terms]
            held += matches.held[:, terms].any(axis=1)
        return [matches.found[i].unit_id for i in np.flatnonzero(held > 1).tolist()]

    def of(self, terms: Sequence[str]) -> float:
        """Of a passage with these terms: 0 for words that are scattered, 1 for a long run of them
        in the question's order."""
        places: list[list[int]] = [[] for _ in self._words]
        owners = self._owners
        for place in [place for place, term in enumerate(terms) if term in owners]:
            for i in owners[terms[place]]:
                places[i].append(place)
        if sum(map(bool, places)) < 2:
            return 0.0  # of most passages: they hold only one of the words
        longest = _longest_run(self._words, self._pairs, places) / self._mean
        return min(max((longest - CHANCE) / (QUOTATION - CHANCE), 0.0), 1.0)


def _longest_run(
    words: Sequence[AskedWord], pairs: Sequence[float], places: Sequence[Sequence[int]]
) -> float:
    """Weight of the longest run of neighbours; a word more or less between them does not end it."""
    longest = 0.0
    runs: Mapping[int, float] = dict.fromkeys(places[0], 0.0)  # by the place where they end
    for i in range(1, len(words)):
        apart = words[i].place - words[i - 1].place + 1
        longer: dict[int, float] = {}
        for place in places[i]:
            before = [runs[p] for p in range(place - apart, place) if p in runs] if runs else ()
            longer[place] = max(before) + pairs[i - 1] if before else 0.0
        longest = max(longest, max(longer.values(), default=0.0))
        runs = longer
    return longest
