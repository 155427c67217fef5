"""The lexicon: what a store's passages can say of single words, for one question at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

from engine.store.rows import Row
from engine.store.vocabulary import Vocabulary


class Lexicon(Protocol):
    """Words are the analyzer's terms, of letters alone."""

    def held(self, terms: Sequence[str]) -> dict[str, int]:
        """How many units hold each analyzer term; those that none holds are left out."""

    def known(self, terms: Sequence[str]) -> set[str]:
        """Which of these terms are held at all, or were a moment ago; costs less."""

    def beside(self, term: str, others: Sequence[str]) -> int:
        """How many units hold a term and any of these."""

    def near(self, word: str, errors: int) -> list[str]:
        """Words that so many typing errors or fewer lead to."""

    def longer(self, word: str, most: int) -> tuple[list[str], list[str]]:
        """Words that begin with this one, and that end with it."""

    def passages(self, term: str, most: int) -> list[Row]:
        """Some units that hold a term."""


class TableTexts(Protocol):
    """What the table is asked for."""

    def terms_for(self, terms: Sequence[str], errors: int, limit: int) -> list[str]:
        """The terms, set in spaces, of the units that come first for any of these terms, or for
        terms so many errors away."""

    def rows_for(self, term: str, limit: int) -> list[Row]:
        """Rows of the units that come first for a term."""


#: Units read to see which terms are known, and so many terms are looked for one by one.
_COUNTED, _ONE_BY_ONE = 50, 8


class TableLexicon:
    """Asks the table, where there are no arrays: counts are of the units that come first, of many
    terms those of the rarest, and longer words are not found."""

    def __init__(self, table: TableTexts) -> None:
        self._table = table

    def held(self, terms: Sequence[str]) -> dict[str, int]:
        asked = [[term] for term in terms] if len(terms) <= _ONE_BY_ONE else [terms]
        holding = Counter[str]()
        for some in asked:
            holding |= self._counted(self._table.terms_for(some, 0, _COUNTED))
        return {term: holding[term] for term in dict.fromkeys(terms) if holding[term]}

    def known(self, terms: Sequence[str]) -> set[str]:
        return set(self.held(terms))

    def beside(self, term: str, others: Sequence[str]) -> int:
        texts = self._table.terms_for([term], 0, _COUNTED)
        return sum(not set(text.split()).isdisjoint(others) for text in texts)

    def near(self, word: str, errors: int) -> list[str]:
        found = self._counted(self._table.terms_for([word], errors, _COUNTED))
        return Vocabulary.of(found).near(word, errors)

    def longer(self, word: str, most: int) -> tuple[list[str], list[str]]:
        return [], []

    def passages(self, term: str, most: int) -> list[Row]:
        return self._table.rows_for(term, most)

    @staticmethod
    def _counted(texts: Iterable[str]) -> Counter[str]:
        return Counter(term for text in texts for term in set(text.split()))
