"""What a commit costs at several sizes: replacing 20 files, in one merge over the whole table and
as the store does it, side by side.

    python -m tests.benchmarks.store_commits [--sizes 10000 100000 300000] [--dim 256]

Processor time of the process, milliseconds, median and least of `--runs`, syncing to disk
included. Every fourth file becomes shorter by a unit, as edited files do.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from engine.contract.types import Unit
from engine.store import Store, StoredUnit
from engine.store.rows import sql_ids, to_arrow
from tests.benchmarks.store_scale import Library

FILES, UNITS, PER_FILL = 20, 5, 2_000
NEW = 1_000  # times the size: where the numbers of new files begin
Batch = dict[int, list[StoredUnit]]


def batch(
    library: Library, first: int, files: int, *, words: int = 30, shorter: bool = False
) -> Batch:
    """Files of five units of so many words, without tokens."""
    made: Batch = {}
    for number in range(first, first + files):
        facts = library.facts(number)
        texts = [library.text(words) for _ in range(UNITS - (shorter and number % 4 == 0))]
        made[number] = [
            StoredUnit(Unit(number, n, facts.kind, text), facts, library.vector(), None)
            for n, text in enumerate(texts)
        ]
    return made


def in_one_merge(store: Store, files: Batch) -> None:
    """One commit; LanceDB looks at every row for what is no more in the source."""
    units = [stored for group in files.values() for stored in group]
    rows = to_arrow(units, [None] * len(units), store._dim)
    gone = f"file_id IN ({sql_ids(files)})"
    with store._writing(files) as now:
        store._table.write(
            lambda t: (
                t.merge_insert("id")
                .when_matched_update_all()
                .when_not_matched_insert_all()
                .when_not_matched_by_source_delete(gone)
                .execute(rows, on_bad_vectors="null")
            )
        )
        now.append(rows)


def cost(store: Store, batches: Iterator[Batch], work: Callable[[Store, Batch], object]) -> str:
    """Median and least processor milliseconds."""
    took = []
    for files in batches:
        start = time.process_time()
        work(store, files)
        took.append((time.process_time() - start) * 1000)
    return f"{statistics.median(took):7.0f} (least {min(took):.0f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 100_000, 300_000])
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--runs", type=int, default=8)
    options = parser.parse_args()
    library = Library(options.dim)
    ways: dict[str, Callable[[Store, Batch], object]] = {
        "one merge": in_one_merge,
        "the store": lambda store, files: store.replace_files(files),
        "new files": lambda store, files: store.replace_files(files),
    }
    print(f"{'units':>8s}" + "".join(f"{name:>26s}" for name in ways))
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder), "commits", options.dim)
        filled = 0
        for size in options.sizes:
            while filled < size // UNITS:
                files = min(PER_FILL, size // UNITS - filled)
                store.replace_files(batch(library, filled, files))
                filled += files
            store.maintain(force=True)
            line = f"{store.count():8d}"
            for number, work in enumerate(ways.values()):
                first = NEW * size if work is ways["new files"] else number * options.runs * FILES
                batches = (
                    batch(library, first + run * FILES, FILES, shorter=True)
                    for run in range(options.runs)
                )
                line += f"{cost(store, batches, work):>26s}"
                store.maintain(force=True)  # all begin with as few fragments
            print(line, flush=True)
        store.close()


if __name__ == "__main__":
    main()
