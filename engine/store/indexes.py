"""Which indexes the units table has, and when they are brought up to date."""

from __future__ import annotations

import logging
import time
from datetime import timedelta
from typing import Any

from lancedb.index import FTS, Bitmap, BTree, IvfSq
from lancedb.query import MatchQuery

from engine.contract.errors import RefusedQueryError, StoreDamagedError
from engine.store import memory
from engine.store.lance_table import LanceTable

log = logging.getLogger(__name__)

VECTOR_INDEX_ROWS = 10_000  # below, a flat scan takes 4–7 ms at 256 dims, as long as the index
COMMITS = 20  # each adds 0.1 ms to every query
#: Text search reads rows that the index has not seen one by one, 12 µs each.
UNINDEXED_ROWS = 2_000
IDLE_S = 20.0
VECTOR_DELTAS = 8  # each maintenance adds one, and a fragment that can't be merged until a rebuild
#: Old versions stay readable that long, longer than any query. Ten minutes of them are many times
#: the table where files change all the time.
GRACE = timedelta(minutes=1)

_COLUMNS: dict[str, Any] = {
    "id": BTree(),
    "file_id": BTree(),
    "kind": Bitmap(),
    "ext": Bitmap(),
    "mtime": BTree(),
    "path": BTree(),
    # The analyzer's terms are separated by spaces and final.
    "fts": FTS(
        base_tokenizer="whitespace",
        lower_case=False,
        stem=False,
        remove_stop_words=False,
        ascii_folding=False,
        max_token_length=None,
    ),
}


#: One for every index but those of text and vectors, to see whether it answers.
_CONDITIONS = ("id = 'x'", "file_id = -1", "kind = 'x'", "ext = 'x'", "mtime < 0", "path = 'x'")


def create_indexes(table: LanceTable) -> None:
    """Make all indexes, for the vectors only if there are many."""
    for column, config in _COLUMNS.items():
        _create(table, column, config)
    rows = table.read(lambda t: int(t.count_rows()))
    if rows >= VECTOR_INDEX_ROWS:
        _index_vectors(table)


def _create(table: LanceTable, column: str, config: Any) -> None:
    table.write(lambda t: t.create_index(column, config=config, replace=True))


def check_indexes(table: LanceTable, dim: int) -> None:
    """Ask every index something; make them anew if one is not there or can't answer.

    StoreBusyError where that is for want of descriptors or the like: then nothing is dropped.
    """
    names = _index_names(table)
    try:
        if missing := {f"{column}_idx" for column in _COLUMNS} - names:
            log.warning("search indexes are missing: %s", ", ".join(sorted(missing)))
        else:
            _ask_all(table, dim)
            return
    except (StoreDamagedError, RefusedQueryError) as error:
        log.warning("search indexes can't be read and are built anew: %s", error.__cause__)
    for name in names:
        _drop(table, name)
    create_indexes(table)


def _drop(table: LanceTable, name: str) -> None:
    table.write(lambda t: t.drop_index(name))


def _ask_all(table: LanceTable, dim: int) -> None:
    def ask(t: Any) -> None:
        for condition in _CONDITIONS:
            t.search().where(condition).select(["id"]).to_arrow()

    table.read(ask)
    text = MatchQuery("x", "fts")
    table.read(
        lambda t: t.search(text, query_type="fts").limit(1).select(["id", "_score"]).to_arrow()
    )
    vector = [1.0] + [0.0] * (dim - 1)
    table.read(
        lambda t: (
            t.search(vector, vector_column_name="vector")
            .distance_type("cosine")
            .limit(1)
            .select(["id", "_distance"])
            .to_arrow()
        )
    )


def _index_names(table: LanceTable) -> set[str]:
    return table.read(lambda t: {str(index.name) for index in t.list_indices()})


def _index_vectors(table: LanceTable) -> None:
    # IvfSq: at 100,000 x 256 built in 3 s, recall@10 1.00 with refinement; product quantisation
    # and HNSW took 20 to 60 times as long for nothing.
    config = IvfSq(distance_type="cosine")
    _create(table, "vector", config)


class Upkeep:
    """Decides when a table's maintenance is due, and does it; the writer's thread only."""

    def __init__(self, table: LanceTable) -> None:
        self._table = table
        self._commits = 0
        self._last = 0.0
        self._swept = False
        self._ran = 0.0
        self._outdated = False  # whether versions are left that were too young to remove

    def committed(self) -> None:
        """Take note of a commit."""
        self._commits += 1
        self._last = time.monotonic()

    @property
    def rests(self) -> bool:
        """Whether nothing was written since the last run."""
        return self._commits == 0

    def due(self) -> bool:
        """Whether queries have become slower, or the table larger, than need be."""
        if not self._commits:
            return self._outdated and time.monotonic() - self._ran > GRACE.total_seconds()
        idle = time.monotonic() - self._last > IDLE_S
        return idle or self._commits >= COMMITS or self._unindexed() >= UNINDEXED_ROWS

    def _unindexed(self) -> int:
        stats = self._table.read(lambda t: t.index_stats("fts_idx"))
        return 0 if stats is None else int(stats.num_unindexed_rows)

    def run(self, *, sweep: bool, age: timedelta | None = None) -> None:
        """Bring the indexes up to date, merge fragments, remove old versions.

        `sweep` also removes what a crash left behind; only without other processes on the table.
        `age`: of the versions that go, if not of the usual one.
        """
        self._table.read(lambda t: t.checkout_latest())
        self._refresh_vectors()
        sweep = sweep and (age is not None or not self._swept)
        if age is None:
            age = timedelta(seconds=1) if sweep else GRACE
        self._table.write(lambda t: t.optimize(cleanup_older_than=age, delete_unverified=sweep))
        self._swept = self._swept or sweep
        self._outdated = self._commits > 0
        self._ran = time.monotonic()
        self._commits = 0
        memory.release()

    def _refresh_vectors(self) -> None:
        rows = self._table.read(lambda t: int(t.count_rows()))
        if rows < VECTOR_INDEX_ROWS:
            return
        names, stats = _index_names(self._table), None
        if "vector_idx" in names:
            stats = self._table.read(lambda t: t.index_stats("vector_idx"))
        if stats is None or stats.num_indices >= VECTOR_DELTAS + rows // 100_000:
            log.info("building the vector index over %d rows", rows)
            _index_vectors(self._table)
