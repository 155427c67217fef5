"""A person's own questions: judged, asked of each model whose index is whole, and fitted to."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from engine import Engine
from engine.contract.errors import InklingError
from engine.contract.judgements import Judgement, Judgements
from engine.contract.query import parse
from engine.models.registry import MODELS, ModelSpec
from engine.models.sizes import as_found
from engine.search.training.judged import Judged
from engine.search.training.own_questions import figures, judged, refitted
from indexer.indexing.index import Index
from indexer.ledger.spaces import Spaces


class Judging:
    """The port `Judging`; for any thread, one evaluation at a time."""

    def __init__(self, index: Index, spaces: Callable[[], Spaces]) -> None:
        self._index, self._spaces = index, spaces
        self._turn = threading.Lock()
        self.judgements = Judgements(index.base)

    def judge(self, said: Judgement, *, take_back: bool = False) -> int:
        """Keep what a person says of an answer, or forget it; how many judgements there are."""
        if take_back:
            if not self.judgements.take_back(said):
                raise InklingError("Nothing was said of this answer.", hint="See `inkling judge`.")
        else:
            self.judgements.note(said)
        return len(self.judgements.all())

    def evaluate(self, given: Sequence[Judgement] = (), *, fit: bool = False) -> dict[str, Any]:
        """nDCG@10, the share of questions answered among the first ten, and how long answers take,
        of each model whose index is whole; with `fit` of a ranker fitted to the questions as well,
        which answers from then on."""
        asked = _by_question(given or self.judgements.all())
        if not asked:
            raise InklingError(
                "No question is judged yet.",
                hint="Say which file answers one: `inkling judge QUESTION FILE`.",
            )
        with self._turn:
            rows = []
            for spec in self._whole():
                with self._engine(spec) as engine:
                    rows.append(self._row(spec, engine, asked, fit=fit))
        return {"questions": len(asked), "models": rows}

    def use_shipped(self) -> bool:
        """Rank as Inkling comes; whether another ranker did."""
        return self._index.engine.ranker.use_shipped()

    def _row(
        self,
        spec: ModelSpec,
        engine: Engine,
        asked: dict[str, list[Judgement]],
        *,
        fit: bool,
    ) -> dict[str, Any]:
        found: list[Judged] = []
        took: list[float] = []
        for question, said in asked.items():
            started = time.perf_counter()
            run = engine.run(parse(question))
            took.append((time.perf_counter() - started) * 1000)
            found.append(judged(run, question, said))
        in_use = engine is self._index.engine
        row: dict[str, Any] = {
            "model": spec.id,
            "title": spec.title,
            "in_use": in_use,
            "median_ms": round(statistics.median(took), 1),
            "shipped": _told(figures(found, engine.ranker.shipped)),
            "own": None,
            "fitted": None,
        }
        if engine.ranker.own is not None:
            row["own"] = _told(figures(found, engine.ranker.own))
        if fit and in_use:
            ranker, left_out = refitted(found, engine.ranker.shipped)
            engine.ranker.use(ranker)
            row["fitted"] = _told(left_out)
        return row

    def _whole(self) -> list[ModelSpec]:
        """The model in use, then others that were and whose index is kept."""
        base, spaces = self._index.base, self._spaces()
        in_use = self._index.engine.spec
        specs = (as_found(spec, base) for spec in MODELS.values() if spec.id != in_use.id)
        return [in_use, *(spec for spec in specs if spaces.is_whole(spec.space))]

    @contextmanager
    def _engine(self, spec: ModelSpec) -> Iterator[Engine]:
        if spec.space == self._index.engine.spec.space:
            yield self._index.engine
            return
        engine = self._index.make_engine(spec)
        try:
            yield engine
        finally:
            engine.close()


def _by_question(judgements: Sequence[Judgement]) -> dict[str, list[Judgement]]:
    """What was said of the answers of each question with a right one."""
    asked: dict[str, list[Judgement]] = {}
    for one in judgements:
        asked.setdefault(one.question, []).append(one)
    return {question: said for question, said in asked.items() if any(j.right for j in said)}


def _told(found: tuple[float, float]) -> dict[str, float]:
    ndcg, hits = found
    return {"ndcg_at_10": round(ndcg, 4), "hit_at_10": round(hits, 4)}
