"""The tables of one archive at a place, every call into LanceDB guarded."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any, TypeVar

import lancedb
import pyarrow as pa
from lancedb.index import BTree

from engine.archive.failures import ConflictError, guarded
from engine.archive.layout import INDEXED
from engine.archive.place import Place
from engine.store.durable import Durable

T = TypeVar("T")

BATCH_ROWS = 2_000
#: Seconds before a change is tried again that met another writer's.
WAITS = (0.1, 0.3, 1.0, 3.0)
#: Ids named in one condition; more are asked in several.
IDS_AT_ONCE = 2_000


class Table:
    """One table; what fails leaves as an InklingError that names the place."""

    def __init__(self, place: Place, raw: Any, name: str) -> None:
        self.name = name
        self._place = place
        self._raw = raw
        folder = place.folder
        self._durable = None if folder is None else Durable(folder / f"{name}.lance")

    @property
    def schema(self) -> pa.Schema:
        return self.read(lambda t: t.schema)

    @property
    def indexed(self) -> Sequence[str]:
        """Columns that have an index."""
        return INDEXED.get(self.name, ())

    def index(self, column: str) -> None:
        """Make the index of a column, or make it anew."""
        self.write(lambda t: t.create_index(column, config=BTree(), replace=True))

    def read(self, ask: Callable[[Any], T]) -> T:
        """Ask LanceDB's table something; the answer's conversion belongs into the question."""
        with guarded(self._place, "read"):
            return ask(self._raw)

    def write(self, change: Callable[[Any], T]) -> T:
        """Change LanceDB's table; when this returns, the change lasts.

        Another writer's commit is no obstacle: the change is made once more on top of it.
        """
        for wait in WAITS:
            try:
                return self._write(change)
            except ConflictError:
                time.sleep(wait * random.uniform(0.5, 1.5))
        return self._write(change)

    def _write(self, change: Callable[[Any], T]) -> T:
        with guarded(self._place, "write"):
            done = change(self._raw)
            if self._durable is not None:
                self._durable.sync()
            return done

    def index_stats(self, column: str) -> Any:
        """How many rows the index of a column knows, and does not."""
        return self.read(lambda t: t.index_stats(f"{column}_idx"))

    def add(self, rows: pa.Table) -> None:
        """Rows at the end."""
        self.write(lambda t: t.add(rows, on_bad_vectors="null"))

    def delete(self, where: str) -> None:
        """Remove the rows that fulfil a condition."""
        self.write(lambda t: t.delete(where))

    def count(self) -> int:
        """Rows that there are."""
        return self.read(lambda t: int(t.count_rows()))

    def column(self, name: str, where: str | None = None) -> pa.ChunkedArray:
        """One column, whole."""
        return self.rows([name], where)[name]

    def rows(
        self, columns: Sequence[str], where: str | None = None, *, offset: int = 0
    ) -> pa.Table:
        """Rows in the order they came."""

        def ask(t: Any) -> pa.Table:
            query = t.search().select(list(columns))
            if where is not None:
                query = query.where(where)
            return (query.offset(offset) if offset else query).to_arrow()

        return self.read(ask)

    def rows_of(self, column: str, ids: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Rows whose number in a column is one of these."""
        parts = [self.rows(columns, where) for where in among(column, ids)]
        return pa.concat_tables(parts) if parts else self.rows(columns, "false")

    def batches(self, columns: Sequence[str], where: str | None = None) -> Iterator[pa.Table]:
        """All rows, some at a time."""

        def start(t: Any) -> Any:
            query = t.search().select(list(columns))
            return (query if where is None else query.where(where)).to_batches(
                batch_size=BATCH_ROWS
            )

        batches = iter(self.read(start))
        while True:
            with guarded(self._place, "read"):
                batch = next(batches, None)
            if batch is None:
                return
            yield pa.Table.from_batches([batch])


def among(column: str, ids: Sequence[int]) -> Iterator[str]:
    """Conditions that together say that a number is one of these."""
    for start in range(0, len(ids), IDS_AT_ONCE):
        some = ids[start : start + IDS_AT_ONCE]
        yield f"{column} IN ({', '.join(str(int(i)) for i in some)})"


class Tables:
    """All tables of a place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        # Caches are bounded; interval 0 makes every read see the newest commit.
        session = lancedb.Session(
            index_cache_size_bytes=64 << 20, metadata_cache_size_bytes=32 << 20
        )
        with guarded(place, "read"):
            self._db = lancedb.connect(
                place.uri,
                storage_options=dict(place.options),
                session=session,
                read_consistency_interval=timedelta(0),
            )

    def names(self) -> set[str]:
        """Of the tables that there are."""
        with guarded(self.place, "read"):
            return set(self._db.list_tables().tables)

    def open(self, name: str) -> Table:
        """A table that is there."""
        with guarded(self.place, "read"):
            return Table(self.place, self._db.open_table(name), name)

    def make(self, name: str, schema: pa.Schema, rows: pa.Table | None = None) -> Table:
        """A new table, with these rows from the start."""
        with guarded(self.place, "write"):
            raw = self._db.create_table(name, data=rows, schema=schema)
        table = Table(self.place, raw, name)
        for column in table.indexed:
            table.index(column)
        table.write(lambda t: None)  # on disk
        return table

    def drop(self, name: str) -> None:
        """Remove a table."""
        with guarded(self.place, "write"), suppress(ValueError):
            self._db.drop_table(name)
