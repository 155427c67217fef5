"""Search end to end: time to the names, to exact words, to the fused and to the rescored ones.

    python -m tests.benchmarks.search [--units 100000] [--dir DIR] [--writer]

DIR/base then serves `python -m tests.benchmarks.window --base-dir` as a large index.

A made-up library (five units a file) in a real store and ledger; queries of three to eight words go
through names, words, the real encoder of questions, fusion, rescoring and evidence. Wall and
processor milliseconds of this process; with `--writer` also beside one that replaces 20 files a
second and keeps the indexes in order.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MALLOC_ARENA_MAX", "2")

import psutil

from engine import Engine, NameMatch
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import FileFacts, Filters, Unit
from engine.models.registry import DEFAULT_MODEL, model_spec
from engine.store import Store, StoredUnit
from indexer.ledger.ledger import Done, Ledger
from indexer.reading.work import facts_of, name_match
from tests.benchmarks.made_library import UNITS, MadeLibrary, fill, name_files
from tests.benchmarks.store_arrays import has_arrays
from tests.waiting import until

STAGES = ("names", "words", "fused", "rescored")
AT_ONCE = 20  # files that the writer replaces


def serve(ledger: Ledger, engine: Engine, base: BaseDir) -> None:
    """Let a real indexer take the library for whole: the benchmark of the window asks one."""
    done = [Done(record.id, 5, "none", 0, record.kind) for record in ledger.files()]
    ledger.finish(done, engine.version)
    (base.store / "ledger-id").write_text(ledger.ledger_id)


def measure(engine: Engine, questions: list[str]) -> None:
    wall: dict[str, list[float]] = {stage: [] for stage in STAGES}
    processor: dict[str, list[float]] = {stage: [] for stage in STAGES}
    for number, question in enumerate(questions):
        started, before = time.perf_counter(), time.process_time()
        for answer in engine.search(parse(question), 20):
            if number >= 5:  # the first ones load the model and fill caches
                wall[answer.stage].append((time.perf_counter() - started) * 1000)
                processor[answer.stage].append((time.process_time() - before) * 1000)
    for stage in STAGES:
        ranked = sorted(wall[stage])
        print(
            f"{stage:9s} median {statistics.median(ranked):6.1f} ms,"
            f" p90 {ranked[int(len(ranked) * 0.9)]:6.1f}, least {ranked[0]:6.1f};"
            f" processor {statistics.median(processor[stage]):6.1f},"
            f" least {min(processor[stage]):6.1f}",
            flush=True,
        )
    print(f"this process: {psutil.Process().memory_info().rss / 1e6:.0f} MB resident")


class Writer:
    """Replaces 20 files at a time."""

    def __init__(self, engine: Engine, library: MadeLibrary) -> None:
        self._engine, self._library, self._turn = engine, library, 0
        self._files = [row.file for i in range(1, 400) for row in engine.file_rows(i)[:1]]

    def batch(self) -> dict[int, list[StoredUnit]]:
        """The next files with other units."""
        chosen = [self._files[(self._turn + n) % len(self._files)] for n in range(AT_ONCE)]
        self._turn += AT_ONCE
        return {facts.file_id: self._units(facts) for facts in chosen}

    def _units(self, facts: FileFacts) -> list[StoredUnit]:
        vectors = self._library.directions(1)[0].astype("f4")
        records = self._library.records(UNITS)
        texts = [self._library.text(100) for _ in range(UNITS)]
        return [
            StoredUnit(Unit(facts.file_id, n, facts.kind, text), facts, vectors[n], records[n])
            for n, text in enumerate(texts)
        ]

    def measure(self, commits: int = 8) -> None:
        """What a commit takes while nothing else is done."""
        took = []
        for _ in range(commits):
            batch, before = self.batch(), time.process_time()
            self._engine.replace(batch)
            took.append((time.process_time() - before) * 1000)
        print(f"a commit: processor {statistics.median(took):.0f} ms, least {min(took):.0f}")

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Beside it a commit a second."""
        stopped = threading.Event()

        def write() -> None:
            while not stopped.wait(1.0):
                self._engine.replace(self.batch())
                self._engine.maintain()

        thread = threading.Thread(target=write)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()


def made(base: BaseDir, place: Path, library: MadeLibrary, units: int, ledger: Ledger) -> None:
    """The ledger's files and a store of their units."""
    folder = place / "library"
    folder.mkdir(exist_ok=True)
    name_files(ledger, library, folder, units // UNITS)
    spec = model_spec(DEFAULT_MODEL)
    store = Store.open(base.store, spec.space, spec.dim, arrays=False)
    fill(store, library, [facts_of(record) for record in ledger.files()])
    store.close()
    folder.rmdir()  # a drive that is away keeps its files


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--dir", type=Path, help="keep the library here for the next run")
    parser.add_argument("--writer", action="store_true")
    options = parser.parse_args()
    spec = model_spec(DEFAULT_MODEL)
    with tempfile.TemporaryDirectory() as scratch:
        place = options.dir or Path(scratch)
        base = BaseDir(place / "base").create()
        ledger = Ledger(base.ledger)
        library = MadeLibrary(spec.dim, spec.token_dim)

        def names(words: list[str], limit: int, filters: Filters) -> list[NameMatch]:
            return list(map(name_match, ledger.find_names(words, limit, filters)))

        def opened() -> Engine:
            return Engine(base, spec, names)  # type: ignore[arg-type]

        engine = opened()
        try:
            library.learn(engine)
            if engine.count() < options.units:
                engine.close()
                begun = time.perf_counter()
                made(base, place, library, options.units, ledger)
                engine = opened()
                serve(ledger, engine, base)
                print(f"made in {time.perf_counter() - begun:.0f} s")
            begun = time.perf_counter()
            until(lambda: has_arrays(engine.store), "for the arrays", seconds=1_800)
            print(f"arrays after {time.perf_counter() - begun:.0f} s")
            print(f"{engine.count()} units of {options.units // UNITS} files")
            questions = [library.text(3 + n % 6) for n in range(options.queries + 5)]
            measure(engine, questions)
            if options.writer:
                writer = Writer(engine, library)
                writer.measure()
                with writer.at_work():
                    measure(engine, questions)
        finally:
            engine.close()
            ledger.close()


if __name__ == "__main__":
    main()
