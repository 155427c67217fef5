"""Retrieval quality: index a set's corpus through the real pipeline, ask its questions.

    python -m tests.benchmarks.quality SET_DIR… [--model ID] [--keep DIR] [--names] [--dump DIR]

A set has `corpus/` and `queries.jsonl` (`qid`, `query`, `relevant`; perhaps `pages`, `grades`).
With `corpus_neutral/` that one is used, unless --names asks for the original names. Prints nDCG@10,
recall@10, hit@10 and MRR for each lane, fused, and rescored. --keep keeps the indexes for the next
run; --dump writes every candidate's scores for tuning.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("MALLOC_ARENA_MAX", "2")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.settings import DEFAULT_MODEL, Settings
from indexer.server.lifecycle import Indexer

LANES = ("name", "text", "dense", "late", "fused", "rescored")


@dataclass(frozen=True)
class Question:
    """One row of queries.jsonl: what is asked and how good each answer is."""

    qid: str
    text: str
    grades: dict[str, int]  # "path" or "path#page" -> grade
    by_page: bool


def questions(folder: Path, neutral: bool) -> list[Question]:
    """Every question; one with pages is asked for the page as well."""
    found = []
    for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        relevant = row["relevant_neutral" if neutral else "relevant"]
        given = row.get("grades", {})
        grades = {path: given.get(path, 1) for path in relevant}
        found.append(Question(row["qid"], row["query"], grades, False))
        if "pages" in row:
            pages = {f"{p['path']}#{p['page']}": 1 for p in row["pages"]}
            found.append(Question(row["qid"], row["query"], pages, True))
    return found


def measures(grades: dict[str, int], ranked: Iterable[str]) -> tuple[float, float, float, float]:
    """nDCG@10 (exponential gain), recall@10, hit@10, MRR of one ranking without repeats."""
    order = list(dict.fromkeys(ranked))
    top = order[:10]
    gain = sum((2 ** grades.get(x, 0) - 1) / math.log2(i + 2) for i, x in enumerate(top))
    best = sorted(grades.values(), reverse=True)[:10]
    ideal = sum((2**g - 1) / math.log2(i + 2) for i, g in enumerate(best))
    hits = sum(x in grades for x in top)
    first = next((i for i, x in enumerate(order) if x in grades), None)
    reciprocal = 0.0 if first is None else 1 / (first + 1)
    return gain / ideal if ideal else 0.0, hits / len(grades), float(hits > 0), reciprocal


class Asked:
    """The lanes' rankings for one question."""

    def __init__(self, indexer: Indexer, corpus: Path, text: str) -> None:
        started = time.perf_counter()
        self.run = indexer.index.engine.run(parse(text))
        self.took_ms = (time.perf_counter() - started) * 1000
        found = self.run.candidates
        #: Candidates with content; a file known by name alone is in the lane “name” only.
        self.units = found.with_unit
        rows = found.rows.of([found.unit_ids[i] for i in self.units])
        known = [rows[found.unit_ids[i]] for i in self.units]
        self.paths = [str(Path(row.file.path).relative_to(corpus)) for row in known]
        self.pages = [f"{p}#{r.page}" for p, r in zip(self.paths, known, strict=True)]
        self.kinds = [row.kind for row in known]
        self.named = [str(Path(n.file.path).relative_to(corpus)) for n in self.run.names]

    def ranking(self, lane: str, by_page: bool) -> list[str]:
        """Files (or pages) by one lane's score, best first."""
        if lane == "name":
            return [] if by_page else self.named
        labels = self.pages if by_page else self.paths
        scores = self.scores(lane)
        order = np.argsort(-np.nan_to_num(scores, nan=-9.0), kind="stable")
        return [labels[int(i)] for i in order if not np.isnan(scores[i])]

    def scores(self, lane: str) -> NDArray[np.float32]:
        """[k] of the candidates with content; NaN where the lane tells nothing."""
        if lane == "rescored":
            return self.run.scores[self.units]
        if lane == "fused":
            return self.run.fused[self.units]
        return self.run.features.raw(lane)[self.units]


def index(
    corpus: Path, base: Path, model: str = DEFAULT_MODEL, sight: str = ""
) -> tuple[Indexer, float]:
    """A running service with the corpus fully indexed, and the seconds that took."""
    settings = Settings.load(BaseDir(base).create())
    if (settings.model, settings.sight_model) != (model, sight):
        settings.set("model", model)
        settings.set("sight_model", sight)
        settings.save()
    indexer = Indexer(BaseDir(base), settings).open()
    started = time.perf_counter()
    indexer.start()
    indexer.ports.library.add_folders([str(corpus)])
    while indexer.state() != "idle":
        time.sleep(0.1)
    return indexer, time.perf_counter() - started


def run(folder: Path, base: Path, neutral: bool, dump: Path | None, model: str) -> None:
    corpus = folder / ("corpus_neutral" if neutral else "corpus")
    indexer, seconds = index(corpus.resolve(), base, model)
    try:
        asked = questions(folder, neutral)
        answers: dict[str, Asked] = {}
        for question in asked:
            if question.text not in answers:
                answers[question.text] = Asked(indexer, corpus.resolve(), question.text)
        counts = indexer.index.ledger.counts()
        report(folder.name + (", neutral names" if neutral else ""), asked, answers)
        size = indexer.index.engine.size_bytes() / 1e6
        median = statistics.median(a.took_ms for a in answers.values())
        print(
            f"  {counts['done']} of {sum(counts.values())} files, {indexer.index.engine.count()}"
            f" units, indexed in {seconds:.0f} s, {size:.1f} MB, search median {median:.0f} ms"
        )
        if dump is not None:
            _dump(dump / f"{folder.name}.json", asked, answers)
    finally:
        indexer.close()


def report(name: str, asked: Sequence[Question], answers: dict[str, Asked]) -> None:
    for by_page in (False, True):
        rows = [q for q in asked if q.by_page == by_page]
        if not rows:
            continue
        print(f"{name}{' (pages)' if by_page else ''}: {len(rows)} questions")
        print(f"  {'lane':10s} nDCG@10 recall@10 hit@10   MRR")
        for lane in LANES:
            scored = [measures(q.grades, answers[q.text].ranking(lane, by_page)) for q in rows]
            means = [statistics.fmean(column) for column in zip(*scored, strict=True)]
            print(f"  {lane:10s} " + "  ".join(f"{mean:6.3f}" for mean in means))


def _dump(path: Path, asked: Sequence[Question], answers: dict[str, Asked]) -> None:
    rows: list[dict[str, Any]] = []
    for question in asked:
        a = answers[question.text]
        features = {name: a.scores(name).tolist() for name in a.run.features}
        rows.append(
            {
                "qid": question.qid,
                "query": question.text,
                "by_page": question.by_page,
                "grades": question.grades,
                "labels": a.pages if question.by_page else a.paths,
                "kinds": a.kinds,
                "units": [a.run.candidates.unit_ids[i] for i in a.units],
                **{name: [None if x != x else x for x in told] for name, told in features.items()},
                "named": [(p, n.score) for p, n in zip(a.named, a.run.names, strict=True)],
            }
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(rows), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET_DIR")
    parser.add_argument("--keep", type=Path, help="keep the indexes here for the next run")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="row of engine.models.registry")
    parser.add_argument("--names", action="store_true", help="with the original file names")
    parser.add_argument("--dump", type=Path, help="write every candidate's scores here")
    options = parser.parse_args()
    for folder in options.sets:
        neutral = (folder / "corpus_neutral").is_dir() and not options.names
        with tempfile.TemporaryDirectory(prefix="inkling-quality-") as scratch:
            name = folder.name + ("-neutral" if neutral else "")
            base = (options.keep or Path(scratch)) / name
            base.parent.mkdir(parents=True, exist_ok=True)
            run(folder, base, neutral, options.dump, options.model)
    return 0


if __name__ == "__main__":
    sys.exit(main())
