"""The embedded store and the one over Qdrant side by side: quality and time of the whole search.

    python -m tests.benchmarks.served SET_DIR… --keep DIR [--copies N] [--scratch DIR]

`--keep` has the kept indexes of tests.benchmarks.quality: their units are copied over, nothing is
encoded anew. Prints nDCG@10 of each stage with either store, and how often both agree on the first.

    python -m tests.benchmarks.served --library DIR [--times N] [--scratch DIR]

A library of tests.benchmarks.search: copied over (`--times`: so many times, each copy's directions
moved by noise, its texts the same), then asked: milliseconds to fused and rescored, without and
with half of the classes of rights.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from copy import copy as copy_of
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from engine import Engine, NameMatch
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.settings import Settings
from engine.contract.types import Filters, Unit
from engine.models.registry import DEFAULT_MODEL, model_spec
from engine.search.searcher import Searcher
from engine.search.word_weights import WordWeights
from engine.served import QdrantStore
from engine.store import Store, StoredUnit
from engine.store.rows import ROW_COLUMNS, from_arrow, vector_matrix
from engine.store.token_record import TokenRecord
from indexer.ledger.ledger import Ledger
from indexer.reading.work import name_match
from indexer.server.lifecycle import Indexer
from tests.benchmarks.made_library import MadeLibrary
from tests.benchmarks.quality import Question, measures, questions

CLASSES = tuple(range(1, 11))
READABLE = frozenset(CLASSES[:5])


@dataclass(frozen=True)
class About:
    """What the store wants to know of an archive."""

    archive_id: str
    space: str
    dim: int


def stored(store: Store, dim: int) -> Iterator[list[StoredUnit]]:
    """All units of a store, whole files together."""
    columns = [*ROW_COLUMNS, "vector"]
    table: Any = store._read(lambda t: t.search().select(columns).to_arrow())
    order = np.argsort(table["file_id"].to_numpy(), kind="stable")
    table = table.take(order)
    files = table["file_id"].to_numpy()
    cuts = np.flatnonzero(np.diff(files)) + 1
    start = 0
    ends = [*cuts.tolist(), len(files)]
    while start < len(files):
        end = next((e for e in ends if e >= start + 400), len(files))
        part = table.slice(start, end - start)
        rows = from_arrow(part.select(ROW_COLUMNS))
        vectors = vector_matrix(part["vector"], dim)
        refs = [row.ref for row in rows if row.ref is not None]
        records = iter(store.tokens(refs))
        some = []
        for row, vector in zip(rows, vectors, strict=True):
            record = next(records) if row.ref is not None else None
            tokens = None
            if record is not None:
                floats = record.tokens
                if not isinstance(floats, np.ndarray):  # codes, which are as good as directions
                    made = floats.book.decode(floats.rows)
                    floats = np.rint(made * 127).clip(-127, 127).astype(np.int8)
                tokens = TokenRecord(
                    floats, record.spans, record.boxes, record.word_spans, record.word_boxes
                )
            unit = Unit(
                row.file_id, int(row.unit_id.rpartition(":")[2]), row.kind, row.text, row.context,
                row.page, row.lines, row.symbol, row.language,
            )  # fmt: skip
            direction = None if np.isnan(vector[0]) else vector
            some.append(StoredUnit(unit, row.file, direction, tokens))
        yield some
        start = end


def copied(
    store: Store, about: About, folder: Path, times: int = 1, made: bool = False
) -> QdrantStore:
    """A store over Qdrant with the same units, tended; rights by the file's number."""
    served = QdrantStore.open(folder, about)
    numbers = np.random.default_rng(0)
    began, count = time.perf_counter(), 0
    batch: list[StoredUnit] = []
    for copy in range(times):
        for some in stored(store, about.dim):
            batch += [_copy(unit, copy, numbers) for unit in some] if copy else some
            if len(batch) >= 2_000:
                count += len(batch)
                _put(served, batch)
                batch = []
    count += len(batch)
    _put(served, batch)
    served.synced = 1
    written = time.perf_counter()
    served.tend()
    served.synced = 1
    if made:
        size = sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
        print(
            f"  {count} units: {written - began:.0f} s written,"
            f" {time.perf_counter() - written:.0f} s put in order, {size / 1e6:.0f} MB on disk"
        )
    return served


def _put(served: QdrantStore, units: Sequence[StoredUnit]) -> None:
    rights = {s.unit.file_id: CLASSES[s.unit.file_id % len(CLASSES)] for s in units}
    served.upsert(units, rights)


def _copy(stored: StoredUnit, copy: int, numbers: np.random.Generator) -> StoredUnit:
    """A unit of another file, its direction moved by noise."""
    file_id = stored.unit.file_id + copy * 10_000_000
    vector = stored.vector
    if vector is not None:
        vector = vector + 0.02 * numbers.standard_normal(len(vector)).astype(np.float32)
        vector /= np.linalg.norm(vector)
    unit = replace(stored.unit, file_id=file_id)
    file = replace(stored.file, file_id=file_id)
    return replace(stored, unit=unit, file=file, vector=vector)


def other(searcher: Searcher, view: Any) -> Searcher:
    """The same searcher over another store."""
    made = copy_of(searcher)
    sources = searcher._sources
    made._sources = replace(sources, store=view, word_weights=WordWeights(view))
    return made


def rank(searcher: Searcher, text: str, corpus: Path) -> tuple[list[str], list[str]]:
    """Paths of a question, and with pages."""
    run = searcher.run(searcher.kept(parse(text))[0]).finish()
    found = run.candidates
    units = found.with_unit
    rows = found.rows.of([found.unit_ids[i] for i in units])
    scores = np.nan_to_num(run.scores[units], nan=-9.0)
    known = [rows[found.unit_ids[units[int(i)]]] for i in np.argsort(-scores, kind="stable")]
    paths = [str(Path(row.file.path).relative_to(corpus)) for row in known]
    return paths, [f"{p}#{row.page}" for p, row in zip(paths, known, strict=True)]


def quality(folder: Path, keep: Path, scratch: Path) -> None:
    """One set with either store."""
    neutral = (folder / "corpus_neutral").is_dir()
    corpus = (folder / ("corpus_neutral" if neutral else "corpus")).resolve()
    base = scratch / folder.name
    shutil.copytree(keep, base)
    indexer = Indexer(BaseDir(base), Settings.load(BaseDir(base))).open()
    try:
        engine = indexer.index.engine
        about = About(folder.name, engine.spec.space, engine.spec.dim)
        served = copied(engine.store, about, scratch / "points")
        searchers = [engine._searcher, other(engine._searcher, served.view())]
        asked: list[Question] = questions(folder, neutral)
        found: dict[str, list[tuple[list[str], list[str]]]] = {}
        for text in dict.fromkeys(q.text for q in asked):
            found[text] = [rank(searcher, text, corpus) for searcher in searchers]
        values = [
            statistics.mean(measures(q.grades, found[q.text][i][q.by_page])[0] for q in asked)
            for i in range(2)
        ]
        same = statistics.mean(a[0][:1] == b[0][:1] for a, b in found.values())
        tens = statistics.mean(a[0][:10] == b[0][:10] for a, b in found.values())
        print(
            f"{folder.name:20} {len(asked)} questions, {served.view().count()} units:"
            f" nDCG@10 {values[0]:.4f} embedded, {values[1]:.4f} Qdrant"
            f" ({values[1] - values[0]:+.4f}); same first {same:.1%}, same ten {tens:.1%}",
            flush=True,
        )
        served.close()
    finally:
        indexer.close()


def speed(library: Path, times: int, scratch: Path) -> None:
    """Milliseconds of whole searches with either store."""
    base = BaseDir(library / "base")
    ledger = Ledger(base.ledger)

    def names(words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        return [name_match(hit) for hit in ledger.find_names(list(words), limit, filters)]

    engine = Engine(base, model_spec(DEFAULT_MODEL), names)
    about = About("library", engine.spec.space, engine.spec.dim)
    served = copied(engine.store, about, scratch / "points", times, made=True)
    made = MadeLibrary(engine.spec.dim, engine.spec.token_dim)
    made.learn(engine)
    asked = [made.text(3 + number % 6) for number in range(45)]
    everyone = frozenset(CLASSES)
    for title, searcher in (
        ("embedded", engine._searcher),
        ("Qdrant, all", other(engine._searcher, served.view())),
        ("Qdrant, all by rights", other(engine._searcher, served.view(everyone))),
        ("Qdrant, half of the classes", other(engine._searcher, served.view(READABLE))),
    ):
        took: dict[str, list[float]] = {}
        for number, question in enumerate(asked):
            started = time.perf_counter()
            for answer in searcher.search(parse(question), 20):
                if number >= 5:
                    elapsed = (time.perf_counter() - started) * 1000
                    took.setdefault(answer.stage, []).append(elapsed)
        told = ", ".join(f"{stage} {statistics.median(ms):.1f}" for stage, ms in took.items())
        print(f"  {title:28} median ms: {told}", flush=True)
    print(f"  {psutil.Process().memory_info().rss / 1e6:.0f} MB resident")
    served.close()
    engine.close()
    ledger.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sets", nargs="*", type=Path)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--library", type=Path)
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--scratch", type=Path)
    args = parser.parse_args()
    for folder in args.sets:
        with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
            neutral = "-neutral" if (folder / "corpus_neutral").is_dir() else ""
            keep = args.keep / folder.name / f"{folder.name}{neutral}"
            quality(folder, keep, Path(scratch))
    if args.library is not None:
        with tempfile.TemporaryDirectory(dir=args.scratch) as scratch:
            speed(args.library, args.times, Path(scratch))


if __name__ == "__main__":
    main()
