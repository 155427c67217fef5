"""The rows of the index of names: written, moved and deleted together with the vocabulary."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence

from engine.contract.folding import plain
from indexer.ledger import name_words, vocabulary
from indexer.ledger.vocabulary import WordCounts

_INSERT = "INSERT INTO names (rowid, name, folder) VALUES (?, ?, ?)"
_PATHS = "SELECT files.id, files.path, roots.path FROM files JOIN roots ON roots.id = root_id"
#: Below SQLite's limit of host parameters.
_BATCH = 1_000


def insert(connection: sqlite3.Connection, files: Iterable[tuple[int, str]], root: str) -> None:
    """Make files of a root, (id, path), searchable by name."""
    rows = [name_words.index_row(file_id, path, root) for file_id, path in files]
    connection.executemany(_INSERT, rows)
    counts = WordCounts()
    counts.add(row[1:] for row in rows)
    counts.write(connection)


def refresh(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Files have new paths. Of a folder that was renamed only the words of its name change."""
    counts = WordCounts()
    _remove(connection, file_ids, counts)
    for start in range(0, len(file_ids), _BATCH):
        batch = file_ids[start : start + _BATCH]
        rows = [
            name_words.index_row(file_id, os.fsdecode(path), os.fsdecode(root))
            for file_id, path, root in connection.execute(
                f"{_PATHS} WHERE files.id IN ({','.join('?' * len(batch))})",
                batch,
            )
        ]
        connection.executemany(_INSERT, rows)
        counts.add(row[1:] for row in rows)
    counts.write(connection)


def delete(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Files are not found by name any more."""
    counts = WordCounts()
    _remove(connection, file_ids, counts)
    counts.write(connection)


def _remove(connection: sqlite3.Connection, file_ids: Sequence[int], counts: WordCounts) -> None:
    for start in range(0, len(file_ids), _BATCH):
        batch = file_ids[start : start + _BATCH]
        marks = ",".join("?" * len(batch))
        counts.add(
            connection.execute(f"SELECT name, folder FROM names WHERE rowid IN ({marks})", batch),
            -1,
        )
        connection.executemany("DELETE FROM names WHERE rowid = ?", ((i,) for i in batch))


def carry_over(connection: sqlite3.Connection) -> None:
    """The index as an older Inkling left it: names beyond ASCII fold differently now, and there
    was no vocabulary."""
    foreign = [
        (file_id, os.fsdecode(path), os.fsdecode(root))
        for file_id, path, root in connection.execute(_PATHS)
        if not path.isascii()
    ]
    connection.executemany(
        "UPDATE files SET name_key = ? WHERE id = ?",
        [(plain(os.path.basename(path)), file_id) for file_id, path, _ in foreign],
    )
    connection.executemany("DELETE FROM names WHERE rowid = ?", [(row[0],) for row in foreign])
    connection.executemany(_INSERT, [name_words.index_row(*row) for row in foreign])
    vocabulary.rebuild(connection)
