"""The store at scale: time of a commit, of each lane, of reading and rescoring; memory and disk.

    python -m tests.benchmarks.store_scale [--units 100000] [--dim 256] [--dir DIR]

Text is drawn from a Zipf distribution (about 100 words a unit), vectors are clustered.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import psutil
from numpy.typing import NDArray

from engine.contract.types import FileFacts, Filters, Kind, Unit
from engine.search.late_interaction import maxsim, quantise
from engine.store import Store, StoredUnit
from engine.store.condition import Condition
from engine.store.segments import TokenRecord

TOKENS, TOKEN_DIM, WORDS, VOCABULARY = 64, 128, 100, 60_000
KINDS: tuple[Kind, ...] = ("note", "code", "pdf", "image", "screenshot")


class Library:
    """A made-up library: five units a file."""

    def __init__(self, dim: int, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.centres = self.rng.normal(size=(300, dim)).astype(np.float32)
        letters = self.rng.integers(97, 123, size=(VOCABULARY, 9), dtype=np.uint8)
        lengths = self.rng.integers(3, 10, size=VOCABULARY)
        self.words = [bytes(w[:n]).decode() for w, n in zip(letters, lengths, strict=True)]
        weights = 1.0 / np.arange(1, VOCABULARY + 1)
        self.share = np.cumsum(weights / weights.sum())

    def text(self, words: int = WORDS) -> str:
        picks = np.searchsorted(self.share, self.rng.random(words))
        return " ".join(self.words[i] for i in np.minimum(picks, VOCABULARY - 1))

    def vector(self) -> NDArray[np.float32]:
        centre = self.centres[self.rng.integers(len(self.centres))]
        v = centre + 0.7 * self.rng.normal(size=centre.shape).astype(np.float32)
        return np.asarray(v / np.linalg.norm(v), dtype=np.float32)

    def query_tokens(self, count: int) -> NDArray[np.float32]:
        tokens = self.rng.normal(size=(count, TOKEN_DIM)).astype(np.float32)
        return np.asarray(tokens / np.linalg.norm(tokens, axis=1, keepdims=True))

    def facts(self, file_id: int) -> FileFacts:
        kind = KINDS[file_id % len(KINDS)]
        path = f"/home/someone/folder{file_id % 97}/deep/file{file_id}.txt"
        return FileFacts(file_id, path, kind, None, "txt", 1.6e9 + file_id, 1000 + file_id)

    def file(self, facts: FileFacts, units: int = 5) -> list[StoredUnit]:
        return [self.unit(facts, n) for n in range(units)]

    def unit(self, facts: FileFacts, ordinal: int) -> StoredUnit:
        tokens = quantise(self.query_tokens(TOKENS))
        spans = np.zeros((TOKENS, 2), dtype=np.int32)
        unit = Unit(facts.file_id, ordinal, facts.kind, self.text(), context=self.text(5))
        return StoredUnit(unit, facts, self.vector(), TokenRecord(tokens, spans))


def rss_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 1e6


def median_ms(work: Callable[[], object], runs: int = 30) -> str:
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return f"{statistics.median(times):6.1f} ms (p90 {sorted(times)[int(runs * 0.9)]:.1f})"


def fill(store: Store, library: Library, files: Sequence[FileFacts], per_commit: int) -> None:
    making = commits = upkeep = 0.0
    slowest = 0.0
    for first in range(0, len(files), per_commit):
        t0 = time.perf_counter()
        batch = {f.file_id: library.file(f) for f in files[first : first + per_commit]}
        t1 = time.perf_counter()
        store.replace_files(batch)
        t2 = time.perf_counter()
        store.maintain()
        t3 = time.perf_counter()
        making, commits, upkeep = making + t1 - t0, commits + t2 - t1, upkeep + t3 - t2
        slowest = max(slowest, t3 - t2)
    print(f"commits {commits:.1f} s, maintenance {upkeep:.1f} s (slowest {slowest:.1f} s)")
    print(f"(making the data took {making:.1f} s)")


def measure(store: Store, library: Library) -> None:
    everything = [c.unit_id for c in store.search_vector(library.vector(), None, 60)]
    refs = [row.ref for row in store.rows(everything).values() if row.ref]
    query = library.query_tokens(16)
    where = Condition(Filters(kinds=("pdf",)))
    folder = Condition(Filters(folders=("folder7",)))
    phrase = Condition(phrases=(library.text(2),))
    common, rare = library.words[:3], library.words[2000:2005]
    docs = [record.tokens for record in store.tokens(refs)]
    lanes: dict[str, Callable[[], object]] = {
        "vector, 60": lambda: store.search_vector(library.vector(), None, 60),
        "vector, kind:pdf": lambda: store.search_vector(library.vector(), where, 60),
        "vector, in:folder7": lambda: store.search_vector(library.vector(), folder, 60),
        "text, 3 rare + 2 common": lambda: store.search_text([*rare[:3], *common[:2]], None, 60),
        "text, 8 drawn": lambda: store.search_text(library.text(8).split(), None, 60),
        "text, 3 most common": lambda: store.search_text(common, None, 60),
        "text, kind:pdf": lambda: store.search_text(rare, where, 60),
        "vector, phrase": lambda: store.search_vector(library.vector(), phrase, 60),
        "rows, 50": lambda: store.rows(everything[:50]),
        "vectors, 50": lambda: store.vectors(everything[:50]),
        "tokens, 60": lambda: store.tokens(refs),
        "maxsim, 60 x 64 x 16": lambda: maxsim(query, docs),
    }
    for name, work in lanes.items():
        work()
        print(f"{name:26s} {median_ms(work)}   RSS {rss_mb():.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=256)
    parser.add_argument("--per-commit", type=int, default=200, help="files")
    parser.add_argument("--dir", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        directory = options.dir or Path(scratch)
        library = Library(options.dim)
        store = Store.open(directory, "scale", options.dim)
        print(f"opened: RSS {rss_mb():.0f} MB")
        if store.count() < options.units:
            files = [library.facts(number) for number in range(options.units // 5)]
            fill(store, library, files, options.per_commit)
            print(f"filled: RSS {rss_mb():.0f} MB")
            start = time.perf_counter()
            store.maintain(force=True)
            print(f"final maintenance {time.perf_counter() - start:.1f} s")
        print(f"{store.count()} units, {store.size_bytes() / 1e6:.0f} MB, RSS {rss_mb():.0f} MB")
        measure(store, library)


if __name__ == "__main__":
    main()
