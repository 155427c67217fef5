"""Which of a question's terms passages hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engine.store.rows import Candidate


@dataclass(frozen=True, slots=True, eq=False)
class TextMatches:
    """Units that hold words of a query, best BM25 first."""

    found: Sequence[Candidate]  # [n]
    terms: Sequence[str]  # [t] that were asked after, each once
    held: NDArray[np.bool_]  # [n, t] whether a unit holds a term

    @classmethod
    def none(cls, terms: Sequence[str]) -> TextMatches:
        """No unit."""
        return cls((), terms, np.zeros((0, len(terms)), np.bool_))

    @classmethod
    def of_texts(
        cls, found: Sequence[Candidate], texts: Sequence[str], terms: Sequence[str]
    ) -> TextMatches:
        """From the units' terms, set in spaces."""
        words = [set(text.split()) for text in texts]
        held = [[term in there for term in terms] for there in words]
        return cls(found, terms, np.array(held, np.bool_).reshape(len(found), len(terms)))

    def with_more(self, others: TextMatches) -> TextMatches:
        """These, and others of which the same was asked."""
        held = np.concatenate([self.held, others.held])
        return TextMatches([*self.found, *others.found], self.terms, held)

    def holding(self, terms: Sequence[str]) -> NDArray[np.bool_]:
        """[n] whether a unit holds all of these, of which each was asked after."""
        columns = [self.terms.index(term) for term in terms]
        return np.asarray(self.held[:, columns].all(axis=1))
