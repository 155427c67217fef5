"""One query's way through names, words, fused, rescored: answers, explanations and measurements
all look here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from engine.contract.errors import InklingError
from engine.contract.types import Kind, Query, Stage
from engine.search import signals
from engine.search.candidates import Candidates, Rows
from engine.search.context import QueryContext, Sources
from engine.search.features import FeatureMatrix, Floats
from engine.search.lanes import Lane
from engine.search.lanes.lane import LaneStage
from engine.search.patterns import relax_patterns
from engine.search.phrases import relax_phrases
from engine.search.pools import spread
from engine.search.ports import NameMatch, SameContents
from engine.search.ranker import BY_PIXELS, Weights, below_rescored
from engine.store import Candidate

#: How many of the fused candidates are rescored. Measured on the tuning sets: more change nDCG@10
#: by less than 0.002.
RESCORED = 60
#: Of these at most so many of one file, while there are other files.
RESCORED_OF_FILE = 3
#: Stages that propose candidates.
_GATHERED: tuple[Literal["words", "fused", "seen"], ...] = ("words", "fused", "seen")
#: Files asked of the names index, at least.
NAMES = 40


@dataclass(frozen=True, slots=True)
class RankedFile:
    """A file by its best candidate; `places` of all its candidates, best first."""

    file_id: int
    score: float
    places: Sequence[int]
    same: SameContents | None = None  # it and its copies, which it stands for


@dataclass(frozen=True, slots=True)
class Beside:
    """Threads for what a stage need not wait for; encoding and seeing may wait long, for a model
    to load."""

    looking: Executor
    encoding: Executor
    seeing: Executor


class QueryRun:
    """Runs one query; after each stage what is known by then stands in its attributes."""

    def __init__(
        self,
        sources: Sources,
        lanes: Mapping[str, Lane],
        query: Query,
        beside: Beside,
        *,
        wanted: int,
    ) -> None:
        asked = relax_patterns(query, sources.names)
        #: The patterns of names that took the place of those typed, or "".
        self.pattern_relaxed = "" if asked is query else " ".join(asked.filters.names)
        relaxed, candidate_ids = relax_phrases(asked, sources.store, sources.names)
        self.query = relaxed
        self.phrase_relaxed = bool(query.phrases) and not relaxed.phrases
        most_names = max(wanted, NAMES)
        self.context = QueryContext(sources, relaxed, candidate_ids, most_names, wanted)
        #: What is known of the question by now; see engine.search.signals.
        self.signals = signals.of_words(relaxed.text, latin_only=sources.spec.latin_only)
        self.signals |= signals.of_picture(relaxed)
        self._ranker = sources.ranker()
        self.candidates = Candidates([], [], Rows(sources.store))
        self.features = FeatureMatrix(0)
        #: [k] of the candidates: by the lanes that are cheap, and in the end. Empty before.
        self.fused = self.scores = np.zeros(0, np.float32)
        #: The best fused candidates: places [r] of those that are rescored.
        self.rescored = np.zeros(0, np.intp)
        self.weak = False
        #: Why the model could not read the question; then names and words alone answer.
        self.not_encoded: InklingError | None = None
        #: Those for which the question holds anything.
        self._lanes = {name: lane for name, lane in lanes.items() if lane.asked(self.context)}
        self._beside = beside

    @property
    def names(self) -> list[NameMatch]:
        """Files whose names answer, best first."""
        return self.context.names

    @property
    def weights(self) -> Weights:
        """By feature, as far as the question is known."""
        columns = [feature for lane in self._lanes.values() for feature in lane.columns]
        return self._ranker.weights_for(columns, self.signals)

    @property
    def only_filters(self) -> bool:
        """Nothing is asked but filters: the answer is the newest files they allow."""
        return not (self.context.asks_model or self._by_picture)

    @property
    def _by_picture(self) -> bool:
        """Whether a query picture asks by its pixels, whatever the model can't see."""
        seen = "seen" in self._lanes and self.query.image is not None
        return seen or "sight" in self._lanes

    def stages(self) -> Iterator[Stage]:
        """Do one stage after another; each is named when it is done. StoreDamagedError, and any
        InklingError of the store, where that is not possible."""
        if self.only_filters:
            _ = self.names
            yield from ("names", "words", "fused", "rescored")
            return
        found = {
            name: self._beside.looking.submit(lane.candidates, self.context)
            for name, lane in self._lanes.items()
            if lane.stage == "words"
        }
        asks = self.context.asks_model
        encoding = self._beside.encoding.submit(self._encode)
        seeing = self._beside.seeing.submit(self._see)
        try:
            _ = self.names
            yield "names"
            self._gather("words", found)
            yield "words"
            try:
                found |= encoding.result()
            except InklingError as error:
                if not self.query.text and not self._by_picture:
                    raise  # a picture alone: names and words have nothing to look for
                self.not_encoded = error
                yield "fused"
                self._gather_seen(seeing)
                yield "rescored"
                return
            if asks:
                pieces = self.context.encoded.pieces
                self.signals |= signals.of_pieces(self.query.text, pieces)
            self._gather("fused", found)
            yield "fused"
            self._gather_seen(seeing)
            self._rescore()
            yield "rescored"
        finally:
            asked_no_more: list[Future[Any]] = [encoding, seeing, *found.values()]
            for begun in asked_no_more:
                begun.cancel()  # the next question must not wait for it

    def _encode(self) -> dict[str, Future[Sequence[Candidate]]]:
        """Have the model read the question; then what lanes look up with that is under way."""
        if not self.context.asks_model:
            return {}
        _ = self.context.encoded
        return {
            name: self._beside.looking.submit(lane.candidates, self.context)
            for name, lane in self._lanes.items()
            if lane.stage == "fused"
        }

    def _see(self) -> None:
        """Have the sight model read the question."""
        if "seen" in self._lanes:
            try:
                _ = self.context.sight_question
            except InklingError as error:
                self.context.not_seen = error

    def _gather_seen(self, seeing: Future[None]) -> None:
        """Take in what the sight model found, where there is one."""
        if "seen" in self._lanes:
            seeing.result()
            self._gather("seen", {})

    def finish(self) -> QueryRun:
        """Do all stages; itself."""
        for _ in self.stages():
            pass
        return self

    def _gather(
        self,
        stage: Literal["words", "fused", "seen"],
        found: Mapping[str, Future[Sequence[Candidate]]],
    ) -> None:
        """Take in what the lanes of a stage propose, and weigh all candidates by what is known."""
        alive = self.context.sources.alive
        for name, lane in self._lanes.items():
            if lane.stage == stage:
                told = found[name].result() if name in found else lane.candidates(self.context)
                self.context.proposals[name] = [c for c in told if alive(c.file_id)]
        proposed = [c for name in self._lanes for c in self.context.proposals.get(name, ())]
        before = self.candidates
        self.candidates = Candidates.union(proposed, before.rows)
        places = self.candidates.places_in(before)
        self.features = self.features.taken(places)
        new = np.flatnonzero(places < 0)
        for earlier in itertools.takewhile(lambda s: s != stage, _GATHERED):
            if earlier != "fused" or self.not_encoded is None:
                self._ask(earlier, new)
        self._ask(stage, np.arange(len(self.candidates)))
        if stage == "fused":
            self.signals |= signals.of_kinds(self._kinds_near())
        self.signals |= signals.of_best(self.features)
        self.fused = self.scores = self.features.weighted(self.weights)

    def _rescore(self) -> None:
        units = np.array(self.candidates.with_unit, np.intp)
        ranked = units[np.argsort(-self.fused[units], kind="stable")]
        owners = self.context.copies.owners([self.candidates.file_ids[i] for i in ranked])
        self.rescored = ranked[spread(owners, RESCORED, RESCORED_OF_FILE)]
        self._ask("rescored", self.rescored)
        self.scores = self.final_scores(self.features)
        self.signals |= signals.of_best(self.features)
        self.weak = self._ranker.is_weak(self.signals)

    def _kinds_near(self) -> list[Kind]:
        """Of the candidates that are nearest in meaning."""
        dense = np.nan_to_num(self.features.raw("dense"), nan=-1.0)
        nearest = [self.candidates.unit_ids[i] for i in np.argsort(-dense)[: signals.NEAREST]]
        rows = self.candidates.rows.of(nearest)
        return [rows[unit_id].kind for unit_id in nearest if unit_id in rows]

    def final_scores(self, features: FeatureMatrix) -> Floats:
        """[k] of the last stage, from these features of the candidates."""
        scores = features.weighted(self.weights)
        rest = np.zeros(len(scores), np.bool_)
        rest[self.candidates.with_unit] = True
        rest[self.rescored] = False
        if rest.any():
            scores[rest] = below_rescored(scores[self.rescored], self.fused[rest])
        return scores

    def _ask(self, stage: LaneStage, places: NDArray[np.intp]) -> None:
        """Fill the columns of a stage's lanes for these candidates."""
        if not len(places) and len(self.candidates):
            return
        chosen = self.candidates.take(places.tolist())
        for lane in self._lanes.values():
            if lane.stage == stage:
                told = lane.features(self.context, chosen)
                for feature in lane.columns:
                    column = self.features.raw(feature.name).copy()
                    column[places] = told[feature.name]
                    self.features.add(feature, column)

    def ranked_files(self, limit: int) -> list[RankedFile]:
        """The best files by what is known now, best first; of copies the best found one."""
        by_file: dict[int, list[int]] = {}
        for i in np.argsort(-self.scores, kind="stable"):
            by_file.setdefault(self.candidates.file_ids[int(i)], []).append(int(i))
        copies = self.context.copies
        copies.learn(by_file)
        best: dict[int, int] = {}
        for file_id in by_file:
            best.setdefault(copies.owner(file_id), file_id)
        return [
            RankedFile(i, float(self.scores[by_file[i][0]]), by_file[i], copies.of(i))
            for i in list(best.values())[:limit]
        ]

    def count_matching(self, files: Sequence[RankedFile]) -> int | None:
        """How many of these files, best first, answer; those after are only similar. None while
        that is not known."""
        if not len(self.rescored):
            return None
        if self.weak:
            return 0
        return self._ranker.count_matching(self._told([file.places[0] for file in files]))

    def probabilities(self, places: Sequence[int]) -> list[float] | None:
        """0..1 for each of these candidates that it answers; None where that is not known."""
        if not len(self.rescored):
            return None
        return self._ranker.probabilities(self._told(places))

    def _told(self, places: Sequence[int]) -> list[dict[str, float]]:
        """What the ranker is told of each of these candidates."""
        at = np.array(places, np.intp)
        told = signals.of_hits(self.features, self.scores, at)
        told |= {name: self.features.value(name)[at] for name in BY_PIXELS}
        return [
            {name: float(column[n]) for name, column in told.items()} | self.signals
            for n in range(len(at))
        ]

    def found_by(self) -> dict[str, NDArray[np.bool_]]:
        """By lane, in the table's order: [k] which candidates it found."""
        return {
            name: lane.found(self.features)
            for name, lane in self._lanes.items()
            if any(feature.name in self.features for feature in lane.columns)
        }
