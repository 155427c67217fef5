"""Look-ups and searches with and without the arrays beside the table, in one run.

    python -m tests.benchmarks.store_arrays [--units 100000] [--dim 256] [--dir DIR]

Processor time of the process, milliseconds, median and least. `--dir` keeps the store between runs.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from engine.contract.types import Filters
from engine.search.lanes.words import MATCHES
from engine.store import Store
from engine.store.condition import Condition
from tests.benchmarks.store_commits import PER_FILL, UNITS, batch
from tests.benchmarks.store_scale import WORDS, Library, rss_mb
from tests.waiting import until

CANDIDATES = 155  # of a query at 100,000 units


def has_arrays(store: Store) -> bool:
    return store._arrays is not None and store._arrays.view(store._table.mark()) is not None


def opened(folder: Path, dim: int) -> tuple[Store, float]:
    """A store with its arrays, and the processor seconds until it had them."""
    start = time.process_time()
    store = Store.open(folder, "arrays", dim)
    until(lambda: has_arrays(store))
    return store, time.process_time() - start


def cost(work: Callable[[], object], runs: int) -> str:
    took = []
    for _ in range(runs):
        start = time.process_time()
        work()
        took.append((time.process_time() - start) * 1000)
    return f"{statistics.median(took):8.1f} ({min(took):.1f})"


def measure(store: Store, library: Library, runs: int) -> None:
    """Each stage as a query asks for it."""
    found = store.search_vector(library.vector(), None, CANDIDATES)
    units, files = [c.unit_id for c in found], sorted({c.file_id for c in found})
    words = [library.words[n] for n in (40, 900, 2_000)]
    pdf, folder = (
        Condition(filters)
        for filters in (Filters(kinds=("pdf",)), Filters(kinds=("note", "code"), after=1.6e9))
    )
    stages: dict[str, Callable[[], object]] = {
        "search_vector": lambda: store.search_vector(library.vector(), None, 100),
        "search_vector, a fifth": lambda: store.search_vector(library.vector(), pdf, 100),
        "search_vector, two fifths": lambda: store.search_vector(library.vector(), folder, 100),
        "vectors, 60": lambda: store.vectors(units[:60]),
        "documents, 155": lambda: store.vectors(units, "document"),
        "rows, 60": lambda: store.rows(units[:60]),
        "rows, 20": lambda: store.rows(units[:20]),
        "search_text": lambda: store.search_text(words, None, 100),
        "text_within": lambda: store.text_within(words, files, MATCHES),
    }
    print(f"{'processor ms':26s}{'table':>18s}{'arrays':>18s}")
    for name, work in stages.items():
        arrays, line = store._arrays, f"{name:26s}"
        for used in (None, arrays):
            store._arrays = used
            work()
            line += f"{cost(work, runs):>18s}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--dir", type=Path)
    options = parser.parse_args()
    library = Library(options.dim)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.dir or Path(scratch)
        store, _ = opened(folder, options.dim)
        for first in range(store.count() // UNITS, options.units // UNITS, PER_FILL):
            store.replace_files(batch(library, first, PER_FILL, words=WORDS))
            store.maintain()
        store.maintain(force=True)
        store.close()
        before = rss_mb()
        store, loaded = opened(folder, options.dim)
        print(f"loaded in {loaded:.1f} s, resident {before:.0f} -> {rss_mb():.0f} MB")
        store.close()
        arrays = folder / "arrays.lance" / "arrays"
        size = sum(path.stat().st_size for path in arrays.iterdir())
        print(f"{size / 1e6:.0f} MB of arrays")
        shutil.rmtree(arrays)
        store, made = opened(folder, options.dim)
        print(f"made in {made:.1f} s, {store.count()} units")
        measure(store, library, options.runs)
        print(f"resident {rss_mb():.0f} MB")
        store.close()


if __name__ == "__main__":
    main()
