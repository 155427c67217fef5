"""Hits: from ranked units to what a person sees, with title, snippet and evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from engine.contract.types import Adapter, Encoding, Evidence, FileFacts, Hit, Lane, Location, Place
from engine.search import evidence
from engine.store import Row, Store

if TYPE_CHECKING:
    from engine.search.searcher import Candidates, NameMatch

#: Further places of the same file shown with a hit.
MORE_PLACES = 3
LANE_ORDER: tuple[Lane, ...] = ("name", "text", "dense", "late")


class HitMaker:
    """Makes the hits of one query."""

    def __init__(self, query_text: str, store: Store) -> None:
        self._text = query_text
        self._store = store

    def from_names(self, names: Sequence[NameMatch]) -> list[Hit]:
        """Files known by name only, before or without any content."""
        return [_hit(match.file, match.score, ("name",)) for match in names]

    def from_units(
        self,
        ranked: Sequence[tuple[FileFacts | None, float, list[int]]],
        found: Candidates,
        encoded: Mapping[Adapter, Encoding] | None = None,
    ) -> list[Hit]:
        """One hit for each ranked file; `encoded` given: late-interaction evidence too."""
        hits = []
        for facts, score, units in ranked:
            rows = [found.rows.get(found.unit_ids[i]) for i in units[: MORE_PLACES + 1]]
            known = [row for row in rows if row is not None]
            if known:
                lanes = found.lanes[known[0].unit_id]
                hits.append(self._unit_hit(known, score, lanes, encoded))
            elif facts is not None:
                hits.append(_hit(facts, score, ("name",)))
        return hits

    def from_row(self, row: Row, score: float) -> Hit:
        """A unit found by its likeness alone."""
        return self._unit_hit([row], score, {"dense"}, None)

    def _unit_hit(
        self,
        rows: Sequence[Row],
        score: float,
        lanes: set[Lane],
        encoded: Mapping[Adapter, Encoding] | None,
    ) -> Hit:
        best = rows[0]
        snippet, proof = self._prove(best, encoded)
        more = []
        for row in rows[1:]:
            text, _ = self._prove(row, None)
            more.append(Place(_location(row), text, 0.0))
        hit = _hit(best.file, score, tuple(lane for lane in LANE_ORDER if lane in lanes))
        return _with_unit(hit, best, snippet, tuple(proof), tuple(more))

    def _prove(
        self, row: Row, encoded: Mapping[Adapter, Encoding] | None
    ) -> tuple[str, list[Evidence]]:
        matches = evidence.word_matches(row.text, self._text)
        record = None
        if row.ref is not None and encoded:
            record = self._store.tokens([row.ref])[0]
            adapter: Adapter = "code" if row.kind == "code" else "retrieval"
            query = encoded.get(adapter) or next(iter(encoded.values()))
            words = evidence.words_of_tokens(self._text, query.spans)
            if record.spans is not None and words:
                tokens = record.tokens.astype(np.float32) / np.float32(127)
                similarities: NDArray[np.float32] = query.tokens @ tokens.T
                matches += evidence.late_matches(similarities, record.spans, words)
        start, end = evidence.snippet_window(row.text, matches)
        proof = evidence.text_evidence(matches, start, end)
        if record is not None and record.word_spans is not None and record.word_boxes is not None:
            proof += evidence.box_evidence(matches, record.word_spans, record.word_boxes, row.page)
        return row.text[start:end], proof


def _location(row: Row) -> Location:
    return Location(row.page, row.lines, row.symbol)


def _hit(facts: FileFacts, score: float, lanes: tuple[Lane, ...]) -> Hit:
    return Hit(
        path=facts.path,
        kind=facts.kind,
        picture=facts.picture,
        score=round(score, 5),
        title=PurePath(facts.path).name,
        lanes=lanes,
        mtime=facts.mtime,
        size=facts.size,
        attributes=dict(facts.attributes),
    )


def _with_unit(
    hit: Hit, row: Row, snippet: str, proof: tuple[Evidence, ...], more: tuple[Place, ...]
) -> Hit:
    return replace(hit, snippet=snippet, location=_location(row), evidence=proof, more=more)
