"""Search end to end: time to the first results, to the fused and to the rescored ones.

    python -m tests.benchmarks.search [--units 100000] [--dir DIR]

DIR/base then serves `python -m tests.benchmarks.window --base-dir` as a large index.

A made-up library (five units a file) in a real store and ledger; queries of three to eight words go
through names, words, the real encoder worker, fusion, rescoring and evidence.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MALLOC_ARENA_MAX", "2")

import psutil

from engine import Engine, NameMatch
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Filters
from engine.models.registry import DEFAULT_MODEL, model_spec
from indexer.ledger.ledger import Done, Found, Ledger
from indexer.reading.work import facts_of, name_match
from tests.benchmarks.store_scale import Library, fill


def name_files(ledger: Ledger, library: Library, folder: Path, count: int) -> None:
    """Give the ledger as many files, with names of three words."""
    root = ledger.add_root(folder)
    for start in range(0, count, 1000):
        found = []
        for number in range(start, min(start + 1000, count)):
            words = library.text(3).replace(" ", "-")
            path = folder / f"folder{number % 97}" / f"{words}-{number}.txt"
            found.append(Found(os.fsencode(path), 1000, number, number, "note"))
        ledger.add_files(root, found)


def serve(ledger: Ledger, engine: Engine, base: BaseDir) -> None:
    """Let a real indexer take the library for whole: the benchmark of the window asks one."""
    done = [Done(record.id, 5, "none", 0, record.kind) for record in ledger.files()]
    ledger.finish(done, engine.version)
    (base.store / "ledger-id").write_text(ledger.ledger_id)


def measure(engine: Engine, library: Library, queries: int) -> None:
    stages: dict[str, list[float]] = {"names": [], "words": [], "fused": [], "rescored": []}
    for number in range(queries + 5):
        started = time.perf_counter()
        for answer in engine.search(parse(library.text(3 + number % 6)), 20):
            if number >= 5:  # the first ones load the model and fill caches
                stages[answer.stage].append((time.perf_counter() - started) * 1000)
    for stage, times in stages.items():
        ranked = sorted(times)
        print(
            f"{stage:9s} median {statistics.median(times):6.1f} ms,"
            f" p90 {ranked[int(len(ranked) * 0.9)]:6.1f} ms"
        )
    print(f"this process: {psutil.Process().memory_info().rss / 1e6:.0f} MB resident")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=60)
    parser.add_argument("--dir", type=Path, help="keep the library here for the next run")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        place = options.dir or Path(scratch)
        base = BaseDir(place / "base").create()
        ledger = Ledger(base.ledger)
        library = Library(model_spec(DEFAULT_MODEL).dim)

        def names(words: list[str], limit: int, filters: Filters) -> list[NameMatch]:
            return list(map(name_match, ledger.find_names(words, limit, filters)))

        engine = Engine(base, model_spec(DEFAULT_MODEL), names)  # type: ignore[arg-type]
        try:
            if engine.count() < options.units:
                folder = place / "library"
                folder.mkdir(exist_ok=True)
                name_files(ledger, library, folder, options.units // 5)
                fill(engine.store, library, [facts_of(r) for r in ledger.files()], 400)
                engine.maintain(force=True)
                serve(ledger, engine, base)
                folder.rmdir()  # a drive that is away keeps its files
            print(f"{engine.count()} units of {options.units // 5} files")
            measure(engine, library, options.queries)
        finally:
            engine.close()
            ledger.close()


if __name__ == "__main__":
    main()
