"""The nearest of many vectors, by the arrays and by LanceDB's index, against comparing all.

    python -m tests.benchmarks.store_nearest STORE_FOLDER SPACE DIM [--queries 30]

On a store that is there, `tests.benchmarks.search --dir` makes one. Questions are its own vectors
moved by what parts two others. Recall of the nearest 100, processor milliseconds of the process.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.store import Store
from engine.store.rows import vector_matrix
from tests.benchmarks.store_arrays import has_arrays
from tests.waiting import until

LIMIT = 100


def questions(vectors: NDArray[np.float16], count: int) -> NDArray[np.float32]:
    """[count, d] of length 1."""
    rng = np.random.default_rng(4)
    a, b, c = (vectors[rng.integers(len(vectors), size=count)].astype(np.float32) for _ in "abc")
    moved = a + np.float32(0.5) * (b - c)
    return np.asarray(moved / np.linalg.norm(moved, axis=1, keepdims=True))


def nearest(vectors: NDArray[np.float16], asked: NDArray[np.float32]) -> NDArray[np.intp]:
    """[m, LIMIT] by comparing all."""
    cosines = np.empty((len(asked), len(vectors)), np.float32)
    for start in range(0, len(vectors), 8192):
        some = vectors[start : start + 8192].astype(np.float32)
        cosines[:, start : start + len(some)] = asked @ some.T
    return np.argpartition(-cosines, LIMIT, axis=1)[:, :LIMIT]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("space")
    parser.add_argument("dim", type=int)
    parser.add_argument("--queries", type=int, default=30)
    options = parser.parse_args()
    store = Store.open(options.folder, options.space, options.dim)
    until(lambda: has_arrays(store), seconds=1_800)
    ids: list[str] = []
    parts = []
    for batch in store._table.read(
        lambda t: t.search().select(["id", "vector"]).to_batches(batch_size=8192)
    ):
        ids += batch["id"].to_pylist()
        column = pa.chunked_array([batch["vector"]])
        parts.append(vector_matrix(column, options.dim).astype(np.float16))
    vectors = np.concatenate(parts)
    asked = questions(vectors, options.queries)
    exact = [{ids[i] for i in row.tolist()} for row in nearest(vectors, asked)]
    del vectors, parts
    kept = store._arrays
    print(f"{len(ids)} vectors; recall of {LIMIT}; processor ms, median and least; wall")
    for name, used in (("arrays", kept), ("LanceDB's index", None)):
        store._arrays = used
        took, wall, recall = list[float](), list[float](), list[float]()
        for question, best in zip(asked, exact, strict=True):
            before, begun = time.process_time(), time.perf_counter()
            found = store.search_vector(question, None, LIMIT)
            took.append((time.process_time() - before) * 1000)
            wall.append((time.perf_counter() - begun) * 1000)
            recall.append(len(best & {c.unit_id for c in found}) / LIMIT)
        print(
            f"{name:16s} {statistics.mean(recall):.4f} (least {min(recall):.2f})"
            f" {statistics.median(took):7.1f} ({min(took):.1f}) {statistics.median(wall):7.1f}"
        )
    store._arrays = kept
    store.close()


if __name__ == "__main__":
    main()
