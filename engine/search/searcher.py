"""The searcher: answers and explains queries over one store with one model."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from functools import partial

from msgspec import structs

from engine.contract.types import Answer, Coverage, GivenUp, Notice, Query
from engine.models.registry import ModelSpec
from engine.search.alternatives import best_of
from engine.search.answers import name_hits, run_hits
from engine.search.context import Sources
from engine.search.explain import explain
from engine.search.given_up import kept_readings
from engine.search.lanes import LANES, Lane
from engine.search.ports import CopyIndex, NameIndex, QueryEncoder, SightSource, no_copies, no_sight
from engine.search.query_encoding import QueryEncodings
from engine.search.query_run import Beside, QueryRun
from engine.search.question_language import unread_by, warm
from engine.search.ranker import Ranker
from engine.search.raw_values import statistics_of
from engine.search.token_matches import TokenMatches
from engine.search.word_weights import WordWeights
from engine.store import Looks, UnitStore


class Searcher:
    """Starts the run of each query; callable from any thread."""

    def __init__(
        self,
        store: UnitStore,
        encoder: QueryEncoder,
        spec: ModelSpec,
        names: NameIndex,
        *,
        copies: CopyIndex = no_copies,
        alive: Callable[[int], bool] = lambda file_id: True,
        looks: Looks | None = None,
        sight: Callable[[], SightSource | None] = no_sight,
        ranker: Callable[[], Ranker] | None = None,
        lanes: Mapping[str, Lane] = LANES,
    ) -> None:
        encodings = QueryEncodings(encoder, spec)
        weights = WordWeights(store)
        weighs = ranker or partial(Ranker.of, spec.id)
        self._sources = Sources(
            store, spec, names, copies, encodings, weights, alive, weighs, looks, sight
        )
        self._lanes = lanes
        self._beside = Beside(
            ThreadPoolExecutor(2, thread_name_prefix="words"),
            ThreadPoolExecutor(2, thread_name_prefix="question"),
            ThreadPoolExecutor(2, thread_name_prefix="sight"),
        )

    def close(self) -> None:
        """Wait for what still looks something up; questions that wait for the model are dropped."""
        self._beside.looking.shutdown()
        for waiting in (self._beside.encoding, self._beside.seeing):
            waiting.shutdown(wait=False, cancel_futures=True)

    def run(self, query: Query, limit: int = 20) -> QueryRun:
        """A query's run, not started yet, of which so many files are wanted."""
        return QueryRun(self._sources, self._lanes, query, self._beside, wanted=limit)

    def runs(self, query: Query, limit: int = 20) -> list[QueryRun]:
        """The finished runs of all that a question stands for; its readings are given up as in
        `search`."""
        warm(self._sources.spec)
        asked, _ = self.kept(query)
        made = self._finished(asked, limit)
        if asked.unread is not None and all(run.weak for run in made):
            unread = self._finished(asked.unread, limit)
            return made if all(run.weak for run in unread) else unread
        return made

    def _finished(self, query: Query, limit: int) -> list[QueryRun]:
        return [self.run(one, limit).finish() for one in query.alternatives or (query,)]

    def matches(self, text: str) -> TokenMatches:
        """A text, read as a question is, beside stored passages. InklingError if the model can't
        read it."""
        sources = self._sources
        encoded = sources.encodings.of(Query(text, text))
        return TokenMatches(sources.store, sources.word_weights, text, encoded)

    def search(self, query: Query, limit: int = 20, *, raw: bool = False) -> Iterator[Answer]:
        """Yield names, words, fused, rescored; each replaces the one before. Stop by closing it.

        `raw`: the last with what its hits were ranked by. Where the model can't read the question,
        the last two say why and have what words found.
        """
        started = time.perf_counter()
        spec = self._sources.spec
        warm(spec)
        asked, given_up = self.kept(query)
        for answer in self._stages(asked, limit, started, raw):
            told = answer
            if answer.stage == "rescored" and answer.weak and asked.unread is not None:
                *_, unread = self._stages(asked.unread, limit, started, raw)
                if not unread.weak:
                    told, given_up = unread, "weak"
            notices: tuple[Notice, ...] = ()
            if answer.stage == "rescored" and not query.told_by_image:
                said = unread_by(spec, asked.text)
                notices = () if said is None else (said,)
            yield structs.replace(told, read=query.read, given_up=given_up, notices=notices)

    def kept(self, query: Query) -> tuple[Query, GivenUp]:
        """The question with its readings or, for a reason, without."""
        return kept_readings(query, self._sources.store, self._sources.names)

    def _stages(self, query: Query, limit: int, started: float, raw: bool) -> Iterator[Answer]:
        """The stages of a question, or of all that it stands for, side by side."""
        with ExitStack() as given_up:
            each = [
                given_up.enter_context(closing(self._answers(one, limit, started, raw)))
                for one in query.alternatives or (query,)
            ]
            for answers in zip(*each, strict=True):
                yield answers[0] if len(answers) == 1 else best_of(answers, limit)

    def _answers(
        self, query: Query, limit: int, started: float, raw: bool
    ) -> Generator[Answer, None, None]:
        run = self.run(query, limit)
        for stage in run.stages():
            matches = statistics = None
            if stage == "names" or run.only_filters:
                hits = name_hits(run.names, run.context.copies, limit)
                if run.only_filters and len(hits) < limit:  # else there may be more
                    matches = len(hits)
            else:
                ranked = run.ranked_files(limit)
                meant = stage == "rescored" and run.not_encoded is None
                late = meant and run.context.asks_model
                hits = run_hits(run, ranked, late_evidence=late, raw=raw and meant)
                statistics = statistics_of(run) if raw and meant else None
                known = run.count_matching(ranked) if meant else None
                if known is not None and known < limit:
                    matches = min(known, len(hits))
            took_ms = round((time.perf_counter() - started) * 1000, 2)
            coverage = Coverage()
            if (error := run.not_encoded) is not None:
                said = f"{error} Only names and words were searched."  # the error says what to do
                coverage = Coverage(complete=False, message=said)
            elif (error := run.context.not_looked) is not None:
                said = f"How pictures look could not be asked. {error}"
                coverage = Coverage(complete=False, message=said)
            elif (error := run.context.not_seen) is not None:
                said = f"What is seen on pictures could not be asked. {error}"
                coverage = Coverage(complete=False, message=said)
            spelling = "" if stage == "names" or run.only_filters else run.context.suggestion
            yield Answer(
                tuple(hits),
                stage,
                took_ms,
                run.weak,
                run.phrase_relaxed,
                coverage,
                spelling=spelling,
                pattern_relaxed=run.pattern_relaxed,
                matches=matches,
                statistics=statistics,
            )

    def explain(self, query: Query, file_id: int) -> dict[str, object]:
        """Where a file stands in every lane for a query; where that asks for one thing or another,
        for the one that it answers best."""
        asked, _ = self.kept(query)
        told = [explain(self.run(one).finish(), file_id) for one in asked.alternatives or (asked,)]
        return max(told, key=_rescored)


def _rescored(told: Mapping[str, object]) -> float:
    """The file's score in the end, by what was explained of it."""
    final = told["rescored"]
    return float(final["score"]) if isinstance(final, dict) else -math.inf
