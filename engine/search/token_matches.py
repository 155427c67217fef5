"""Stored tokens beside the query's: read and compared once, for score and evidence alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.contract.types import Adapter
from engine.search.evidence import words_of_tokens
from engine.search.features import Floats
from engine.search.late_interaction import maxsim
from engine.search.query_encoding import EncodedQuery
from engine.search.word_weights import WordWeights
from engine.store import Row, UnitStore
from engine.store.token_record import StoredTokens


@dataclass(frozen=True, slots=True, eq=False)
class TokenMatch:
    """A unit's n stored tokens beside the m tokens of the query."""

    record: StoredTokens
    score: float  # mean over the query's tokens of the best stored one; meaningless if none stored
    similarities: Floats  # [m, n] cosine
    query_words: Sequence[str]  # [m] the word each query token belongs to; empty for pictures
    threshold: float  # cosine from which a stored token means what the query's does
    weights: Floats | None  # [m] how much each of the query's tokens says; None for pictures


class TokenMatches:
    """One query's token matches by unit; each is made when first asked for."""

    def __init__(
        self, store: UnitStore, weights: WordWeights, query_text: str, encoded: EncodedQuery
    ) -> None:
        self._store = store
        self._encoded = encoded
        self._words = {
            adapter: words_of_tokens(query_text, encoding.spans)
            for adapter, encoding in encoded.by_adapter.items()
        }
        self._weights: dict[Adapter, Floats | None] = {
            adapter: weights.tokens(words) if words else None
            for adapter, words in self._words.items()
        }
        self._made: dict[str, TokenMatch] = {}

    def of(self, rows: Sequence[Row]) -> Mapping[str, TokenMatch]:
        """At least these rows' matches by unit id; a row without tokens has none."""
        missing = [row for row in rows if row.unit_id not in self._made and row.ref is not None]
        for adapter in self._encoded.by_adapter:
            mine = [row for row in missing if self._encoded.adapter_for(row.kind) == adapter]
            if mine:
                self._read(adapter, mine)
        return self._made

    def _read(self, adapter: Adapter, rows: Sequence[Row]) -> None:
        query = self._encoded.by_adapter[adapter].tokens
        records = self._store.tokens([row.ref for row in rows if row.ref is not None])
        found = maxsim(query, [record.tokens for record in records], weights=self._weights[adapter])
        for i, (row, record) in enumerate(zip(rows, records, strict=True)):
            self._made[row.unit_id] = TokenMatch(
                record,
                float(found.scores[i]),
                found.similarities[i],
                self._words[adapter],
                self._encoded.spec.same_meaning,
                self._weights[adapter],
            )
