"""What the sides of the ledger share: the database, reading rows, keeping names in step."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from indexer.ledger import name_rows
from indexer.ledger.records import COLUMNS, FileRecord, to_record
from indexer.ledger.schema import Database

#: `in_flight` is 0, 1, or 2 when the file changed under its reader: what comes back is old then.
CHANGED_UNDER_READER = "in_flight = CASE in_flight WHEN 0 THEN 0 ELSE 2 END"


class Tables:
    """One side of the ledger over its database; each method is one transaction, from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(path)

    def meta(self, key: str) -> str | None:
        row = self._one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        with self.database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _redo(self, where: str, values: Sequence[Sequence[Any]]) -> int:
        # `units` stays: the store has them until the file is read again, or can't be.
        count = 0
        with self.database.write() as connection:
            for value in values:
                count += connection.execute(
                    "UPDATE files SET state = 'pending', reason = '', detail = '', rule = '',"
                    f" attempts = 0, unread = 0, content_hash = NULL, {CHANGED_UNDER_READER}"
                    f" WHERE {where}",
                    value,
                ).rowcount
        return count

    def _delete(self, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        name_rows.delete(connection, ids)
        connection.executemany("DELETE FROM files WHERE id = ?", [(i,) for i in ids])

    def _records(self, rest: str, *values: Any) -> list[FileRecord]:
        limited = [-1 if value is None else value for value in values]
        return [to_record(row) for row in self._all(f"SELECT {COLUMNS} FROM files {rest}", limited)]

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.database.read() as connection:
            return connection.execute(sql, values).fetchall()

    def _one(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        rows = self._all(sql, values)
        return rows[0] if rows else None
