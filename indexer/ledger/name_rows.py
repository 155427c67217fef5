"""The rows of the index of names: written, moved and deleted together with the vocabulary."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence

from engine.contract.folding import plain
from indexer.ledger import name_words
from indexer.ledger.vocabulary import WordCounts

_INSERT = "INSERT INTO names (rowid, name, folder) VALUES (?, ?, ?)"
_PATHS = "SELECT files.id, files.path, roots.path FROM files JOIN roots ON roots.id = root_id"
#: Below SQLite's limit of host parameters.
_BATCH = 1_000
#: Names carried over in one transaction: a third of a second.
_STEP = 5_000
_WAITING = "names not carried over"


def insert(connection: sqlite3.Connection, files: Iterable[tuple[int, str]], root: str) -> None:
    """Make files of a root, (id, path), searchable by name."""
    rows = [name_words.index_row(file_id, path, root) for file_id, path in files]
    connection.executemany(_INSERT, rows)
    counts = WordCounts()
    counts.add(row[1:] for row in rows)
    counts.write(connection)


def refresh(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Files have new paths. Of a folder that was renamed only the words of its name change."""
    counts, not_yet = WordCounts(), waiting(connection)
    _remove(connection, file_ids, counts)
    for start in range(0, len(file_ids), _BATCH):
        batch = file_ids[start : start + _BATCH]
        rows = [
            name_words.index_row(file_id, os.fsdecode(path), os.fsdecode(root))
            for file_id, path, root in connection.execute(
                f"{_PATHS} WHERE files.id IN ({','.join('?' * len(batch))})", batch
            )
        ]
        connection.executemany(_INSERT, rows)
        counts.add(row[1:] for row in rows if row[0] not in not_yet)
    counts.write(connection)


def delete(connection: sqlite3.Connection, file_ids: Sequence[int]) -> None:
    """Files are not found by name any more."""
    counts = WordCounts()
    _remove(connection, file_ids, counts)
    counts.write(connection)


def _remove(connection: sqlite3.Connection, file_ids: Sequence[int], counts: WordCounts) -> None:
    not_yet = waiting(connection)
    for start in range(0, len(file_ids), _BATCH):
        batch = file_ids[start : start + _BATCH]
        rows = connection.execute(
            f"SELECT name, folder, rowid FROM names WHERE rowid IN ({','.join('?' * len(batch))})",
            batch,
        )
        counts.add(((row[0], row[1]) for row in rows if row[2] not in not_yet), -1)
        connection.executemany("DELETE FROM names WHERE rowid = ?", ((i,) for i in batch))


# Carrying over: an older Inkling folded names beyond ASCII otherwise and had no vocabulary. A
# million names take a minute, so that it is done step by step while names are searched.


def begin_carrying_over(connection: sqlite3.Connection) -> None:
    """Note which names are to be carried over, and do the first."""
    (last,) = connection.execute("SELECT coalesce(max(id), 0) FROM files").fetchone()
    _note_waiting(connection, range(1, last + 1))
    carry_on(connection)


def carry_on(connection: sqlite3.Connection) -> bool:
    """Carry some names over; whether there are more."""
    not_yet = waiting(connection)
    rows = connection.execute(
        "SELECT files.id, files.path, roots.path, name_key, names.name, names.folder"
        " FROM files JOIN roots ON roots.id = root_id JOIN names ON names.rowid = files.id"
        " WHERE files.id >= ? AND files.id < ? ORDER BY files.id LIMIT ?",
        (not_yet.start, not_yet.stop, _STEP),
    ).fetchall()
    texts, keys = list[tuple[int, str, str]](), list[tuple[str, int]]()
    counts = WordCounts()
    for file_id, path, root, key, *text in rows:
        row = file_id, *text
        if not path.isascii():
            decoded = os.fsdecode(path)
            row = name_words.index_row(file_id, decoded, os.fsdecode(root))
            texts += [row] if row[1:] != tuple(text) else []
            new_key = plain(os.path.basename(decoded))
            keys += [(new_key, file_id)] if new_key != key else []
        counts.add([row[1:]])
    connection.executemany("UPDATE files SET name_key = ? WHERE id = ?", keys)
    connection.executemany("DELETE FROM names WHERE rowid = ?", [(row[0],) for row in texts])
    connection.executemany(_INSERT, texts)
    counts.write(connection)
    left = range(rows[-1][0] + 1, not_yet.stop) if len(rows) == _STEP else range(0)
    _note_waiting(connection, left)
    return bool(left)


def waiting(connection: sqlite3.Connection) -> range:
    """Ids of the files that are not carried over yet; their words are not counted."""
    found = connection.execute("SELECT value FROM meta WHERE key = ?", (_WAITING,)).fetchone()
    return range(*map(int, found[0].split())) if found else range(0)


def _note_waiting(connection: sqlite3.Connection, ids: range) -> None:
    connection.execute("DELETE FROM meta WHERE key = ?", (_WAITING,))
    if ids:
        note = f"{ids.start} {ids.stop}"
        connection.execute("INSERT INTO meta VALUES (?, ?)", (_WAITING, note))
