"""Files like an indexed one: its vectors ask, of a picture its look; where that costs no wait the
model judges."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import cast

import numpy as np

from engine.contract.errors import InklingError
from engine.contract.types import Answer, Lane, Query, TextInput
from engine.models.registry import ModelSpec
from engine.search.answers import folded_hit, unit_hit
from engine.search.copies import Copies
from engine.search.evidence import Match, WordMatches
from engine.search.lanes.sight import COMPARED
from engine.search.ports import CopyIndex, QueryEncoder
from engine.search.same_picture import likeness, sureness
from engine.store import Condition, Looks, Row, UnitStore

log = logging.getLogger(__name__)

#: Units of a file that ask, and the answers to each.
ASKING, POOL = 8, 100
#: What it counts to be the same picture, to look as alike as can be 1: as in the sight lane.
SAME = 0.75
#: Of the nearest, those that the adapter for likeness compares, and the asking units it reads.
JUDGED, JUDGING = 24, 4


def _is_read(rows: Iterable[Row]) -> bool:
    """Whether it is a picture of text: what is like a page reads like it."""
    return any(row.text.strip() and row.file.picture != "photo" for row in rows)


class Similar:
    """Finds files like one that is in the store; callable from any thread."""

    def __init__(
        self,
        store: UnitStore,
        encoder: QueryEncoder,
        spec: ModelSpec,
        copies: CopyIndex,
        alive: Callable[[int], bool],
        looks: Looks | None = None,
    ) -> None:
        self._store, self._encoder, self._spec = store, encoder, spec
        self._copies, self._alive, self._looks = copies, alive, looks

    def find(self, file_id: int, limit: int) -> Answer:
        """Each unit of the file asks, the best answer of a file counts. Photographs and pictures
        without text are asked by their look alone, of other pictures it counts as much as text."""
        started = time.perf_counter()
        asking = {row.unit_id: row for row in self._store.file_rows(file_id)[:ASKING]}
        near = self._near_by_look(file_id)
        by_look = near is not None and not _is_read(asking.values())
        best = {} if by_look else self._nearest(file_id, asking)
        if near is not None:
            best = self._with_look(near, best, by_look)
        copies = Copies(self._copies, Query(""), lambda i: i != file_id and self._alive(i))
        copies.learn(best)
        folded: dict[int, tuple[float, str]] = {}
        for score, uid in sorted(best.values(), reverse=True):
            folded.setdefault(copies.owner(int(uid.partition(":")[0])), (score, uid))
        ranked = list(folded.values())[: max(limit, JUDGED)]
        known = self._store.rows([uid for _, uid in ranked])
        ranked = [(score, uid) for score, uid in ranked if uid in known]
        judges = "text-matching" in self._spec.adapters and self._encoder.fast
        if judges and near is None:
            ranked = self._judged(asking, ranked, known)
        words = WordMatches(" ".join(row.context for row in asking.values()))

        def marked(row: Row) -> list[Match]:
            return words.of(row.text)

        asked = {"dense": not by_look, "sight": near is not None}
        lanes: tuple[Lane, ...] = tuple(cast("Lane", lane) for lane in asked if asked[lane])
        hits = [
            folded_hit(
                unit_hit([(known[uid], score)], lanes, marked), copies.of(known[uid].file_id)
            )
            for score, uid in ranked[:limit]
        ]
        took_ms = round((time.perf_counter() - started) * 1000, 2)
        return Answer(tuple(hits), "rescored", took_ms)

    def _near_by_look(self, file_id: int) -> dict[int, float] | None:
        """How much the nearest pictures look like this one, 0..1; None where that is not known."""
        if self._looks is None:
            return None
        try:
            look = self._looks.of([file_id]).get(file_id)
            if look is None:
                return None
            near = dict(self._looks.nearest(look, None, POOL, without=[file_id]))
            others = self._looks.of(list(near)[:COMPARED])
        except InklingError as error:  # what they say is whole
            log.warning("Looks could not be asked: %s", error)
            return None
        alike = likeness(np.array(list(near.values()), np.float32))
        same = dict(zip(others, sureness(look, list(others.values())), strict=True))
        return {
            i: float(value + SAME * same.get(i, 0.0)) / (1 + SAME)
            for i, value in zip(near, alike, strict=True)
            if self._alive(i)
        }

    def _with_look(
        self, near: Mapping[int, float], best: Mapping[int, tuple[float, str]], by_look: bool
    ) -> dict[int, tuple[float, str]]:
        """Score and unit of each file by its look, and where not `by_look` by its text as well."""
        if by_look:
            return {i: (score, f"{i}:0") for i, score in near.items()}
        told = {i: best.get(i, (0.0, f"{i}:0")) for i in {*near, *best}}
        return {i: ((near.get(i, 0.0) + score) / 2, uid) for i, (score, uid) in told.items()}

    def _nearest(self, file_id: int, asking: Mapping[str, Row]) -> dict[int, tuple[float, str]]:
        """Score and unit of the best answer in each file."""
        best: dict[int, tuple[float, str]] = {}
        for unit_id, vector in self._store.vectors(asking).items():
            condition = self._asked(asking[unit_id])
            for found in self._store.search_vector(vector, condition, POOL, without=[file_id]):
                if self._alive(found.file_id):
                    rank = (found.score, found.unit_id)
                    best[found.file_id] = max(best.get(found.file_id, (-2.0, "")), rank)
        return best

    def _asked(self, row: Row) -> Condition | None:
        """Everything; where adapters have spaces of their own, units of the same."""
        if self._spec.shared_single:
            return None
        return Condition(kinds=self._spec.kinds_of(self._spec.adapter_for(row.kind)))

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
