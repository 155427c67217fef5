"""The reads that search needs of a store, whichever engine keeps the units."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from engine.store.condition import Condition
from engine.store.lexicon import Lexicon
from engine.store.rows import Candidate, Row
from engine.store.segments import TokenRef
from engine.store.term_groups import Asked
from engine.store.text_matches import TextMatches
from engine.store.token_record import StoredTokens

T = TypeVar("T")


class UnitStore(Protocol):
    """Units of one vector space, as one asker sees them: nothing here tells of, counts or ranks by
    any other. From any thread. Whatever fails leaves as an InklingError."""

    def count(self) -> int:
        """Number of units."""

    def exists(self, condition: Condition | None) -> bool:
        """Whether any unit fulfils a condition."""

    def files_with(self, condition: Condition | None, file_ids: Sequence[int]) -> set[int]:
        """Of these files those with a unit that fulfils a condition."""

    def rows(self, unit_ids: Iterable[str]) -> dict[str, Row]:
        """Rows by unit id; what is not there is left out."""

    def file_rows(self, file_id: int) -> list[Row]:
        """A file's units in order."""

    def vectors(
        self, unit_ids: Iterable[str], column: Literal["vector", "document"] = "vector"
    ) -> dict[str, NDArray[np.float32]]:
        """Vectors [d] of units, or of their whole files, by unit id; units without one are left
        out."""

    def tokens(self, refs: Sequence[TokenRef]) -> Sequence[StoredTokens]:
        """Token records by the references that rows have; one that is lost has no tokens."""

    def search_vector(
        self,
        vector: NDArray[np.float32],
        condition: Condition | None,
        limit: int,
        *,
        without: Sequence[int] = (),
    ) -> list[Candidate]:
        """Nearest units by cosine similarity, best first; none of the files `without`."""

    def search_text(
        self,
        terms: Sequence[Asked],
        condition: Condition | None,
        limit: int,
        *,
        every: bool = False,
        without: Sequence[int] = (),
    ) -> list[Candidate]:
        """Units that hold any (or every) of these analyzer terms, best BM25 first; none of the
        files `without`."""

    def text_within(
        self,
        asked: Sequence[Asked],
        file_ids: Sequence[int],
        limit: int,
        terms: Sequence[str] = (),
    ) -> TextMatches:
        """Units of these files that hold any of what is asked, best BM25 first, and which of
        `terms` each holds."""

    def unit_terms(self, unit_ids: Iterable[str]) -> dict[str, str]:
        """The analysed terms of units, set in spaces, by unit id; what is not there is left out."""

    def sampled_terms(self, most: int) -> list[str]:
        """The same of all units, or of so many by chance, the same ones while their number
        stays."""

    def holding(self, phrase: str) -> Sequence[str] | None:
        """Units that hold all words of a phrase: where it may stand. None if these are too many to
        list, or it has no words."""

    def ask_words(self, question: Callable[[Lexicon], T]) -> T:
        """What a lexicon of the units' words is asked, all of it of one commit."""
