"""Files like an indexed one: its vectors ask; where that costs no wait the model judges."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np

from engine.contract.types import Answer, Query, TextInput
from engine.models.registry import ModelSpec
from engine.search.answers import folded_hit, unit_hit
from engine.search.copies import Copies
from engine.search.evidence import Match, word_matches
from engine.search.ports import CopyIndex, QueryEncoder
from engine.store import Row, Store, build_where

#: Units of a file that ask, and the answers to each.
ASKING, POOL = 8, 100
#: Of the nearest, those that the adapter for likeness compares, and the asking units it reads.
JUDGED, JUDGING = 24, 4


class Similar:
    """Finds files like one that is in the store; callable from any thread."""

    def __init__(
        self,
        store: Store,
        encoder: QueryEncoder,
        spec: ModelSpec,
        copies: CopyIndex,
        alive: Callable[[int], bool],
    ) -> None:
        self._store, self._encoder, self._spec = store, encoder, spec
        self._copies, self._alive = copies, alive

    def find(self, file_id: int, limit: int) -> Answer:
        """Each unit of the file asks, the best answer of a file counts."""
        started = time.perf_counter()
        asking = {row.unit_id: row for row in self._store.file_rows(file_id)[:ASKING]}
        best = self._nearest(file_id, asking)
        copies = Copies(self._copies, Query(""), lambda i: i != file_id and self._alive(i))
        copies.learn(best)
        folded: dict[int, tuple[float, str]] = {}
        for score, uid in sorted(best.values(), reverse=True):
            folded.setdefault(copies.owner(int(uid.partition(":")[0])), (score, uid))
        ranked = list(folded.values())[: max(limit, JUDGED)]
        known = self._store.rows([uid for _, uid in ranked])
        ranked = [(score, uid) for score, uid in ranked if uid in known]
        if "text-matching" in self._spec.adapters and self._encoder.fast:
            ranked = self._judged(asking, ranked, known)
        text = " ".join(row.context for row in asking.values())

        def marked(row: Row) -> list[Match]:
            return word_matches(row.text, text)

        hits = [
            folded_hit(
                unit_hit([(known[uid], score)], ("dense",), marked), copies.of(known[uid].file_id)
            )
            for score, uid in ranked[:limit]
        ]
        took_ms = round((time.perf_counter() - started) * 1000, 2)
        return Answer(tuple(hits), "rescored", took_ms)

    def _nearest(self, file_id: int, asking: Mapping[str, Row]) -> dict[int, tuple[float, str]]:
        """Score and unit of the best answer in each file."""
        best: dict[int, tuple[float, str]] = {}
        for unit_id, vector in self._store.vectors(asking).items():
            where = self._asked(asking[unit_id])
            for found in self._store.search_vector(vector, where, POOL, without=[file_id]):
                if self._alive(found.file_id):
                    rank = (found.score, found.unit_id)
                    best[found.file_id] = max(best.get(found.file_id, (-2.0, "")), rank)
        return best

    def _asked(self, row: Row) -> str | None:
        """Everything; where adapters have spaces of their own, units of the same."""
        if self._spec.shared_single:
            return None
        return build_where(kinds=self._spec.kinds_of(self._spec.adapter_for(row.kind)))

    def _judged(
        self, asking: Mapping[str, Row], ranked: list[tuple[float, str]], known: Mapping[str, Row]
    ) -> list[tuple[float, str]]:
        """The nearest with text, in the order of the adapter that was trained for likeness.

        They share among them the scores that they had, so that the others keep their places.
        """
        mine = [row for row in asking.values() if row.text.strip()][:JUDGING]
        places = [i for i, (_, uid) in enumerate(ranked) if known[uid].text.strip()][:JUDGED]
        if not mine or len(places) < 2:
            return ranked
        texts = [TextInput(row.text) for row in mine]
        texts += [TextInput(known[ranked[i][1]].text) for i in places]
        made = self._encoder.encode_texts(texts, "text-matching", urgent=True)
        singles = np.stack([encoding.single for encoding in made])
        likeness = (singles[len(mine) :] @ singles[: len(mine)].T).max(axis=1)
        judged = list(ranked)
        for place, chosen in zip(places, np.argsort(-likeness, kind="stable"), strict=True):
            judged[place] = (ranked[place][0], ranked[places[int(chosen)]][1])
        return judged
