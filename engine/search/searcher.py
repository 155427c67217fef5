"""The searcher: answers and explains queries over one store with one model."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor

from engine.contract.types import Answer, Coverage, Query
from engine.models.registry import ModelSpec
from engine.search.answers import name_hits, run_hits
from engine.search.context import Sources
from engine.search.explain import explain
from engine.search.lanes import LANES, Lane
from engine.search.ports import NameIndex, QueryEncoder
from engine.search.query_encoding import QueryEncodings
from engine.search.query_run import NAMES, Beside, QueryRun
from engine.search.word_weights import WordWeights
from engine.store import Store


class Searcher:
    """Starts the run of each query; callable from any thread."""

    def __init__(
        self,
        store: Store,
        encoder: QueryEncoder,
        spec: ModelSpec,
        names: NameIndex,
        *,
        alive: Callable[[int], bool] = lambda file_id: True,
        lanes: Mapping[str, Lane] = LANES,
    ) -> None:
        encodings = QueryEncodings(encoder, spec)
        self._sources = Sources(store, spec, names, encodings, WordWeights(store), alive)
        self._lanes = lanes
        self._beside = Beside(
            ThreadPoolExecutor(2, thread_name_prefix="words"),
            ThreadPoolExecutor(2, thread_name_prefix="question"),
        )

    def close(self) -> None:
        """Wait for what still looks something up; questions that wait for the model are dropped."""
        self._beside.looking.shutdown()
        self._beside.encoding.shutdown(wait=False, cancel_futures=True)

    def run(self, query: Query, limit: int = NAMES) -> QueryRun:
        """A query's run, not started yet; at least `limit` files are asked of the names."""
        return QueryRun(self._sources, self._lanes, query, self._beside, most_names=limit)

    def search(self, query: Query, limit: int = 20) -> Iterator[Answer]:
        """Yield names, words, fused, rescored; each replaces the one before. Stop by closing it.

        Where the model can't read the question, the last two say why and have what words found.
        """
        started = time.perf_counter()
        run = self.run(query, limit)
        for stage in run.stages():
            if stage == "names" or run.only_filters:
                hits = name_hits(run.names[:limit])
            else:
                meant = stage == "rescored" and run.not_encoded is None
                hits = run_hits(run, limit, late_evidence=meant)
            took_ms = round((time.perf_counter() - started) * 1000, 2)
            coverage = Coverage()
            if (error := run.not_encoded) is not None:
                said = f"{error} Only names and words were searched."  # the error says what to do
                coverage = Coverage(complete=False, message=said)
            yield Answer(tuple(hits), stage, took_ms, run.weak, run.phrase_relaxed, coverage)

    def explain(self, query: Query, file_id: int) -> dict[str, object]:
        """Where a file stands in every lane for a query."""
        return explain(self.run(query).finish(), file_id)
