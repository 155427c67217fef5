"""Filters in the ledger's SQL, and the newest files they allow; name patterns by way of the words
that a name of such a pattern has to hold."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from engine.contract.conditions import filter_conditions, quote
from engine.contract.folding import plain
from engine.contract.types import Filters
from indexer.ledger import name_rows, vocabulary
from indexer.ledger.records import below

#: Where the index leaves fewer names than this, each is compared with the pattern.
_FEW = 5_000
#: Where more files match than this, some of them are among the newest.
_MANY = 5_000
#: Among so many of the newest.
_NEWEST = 20_000
#: A piece of a pattern that more words hold than this does not narrow the search.
_MOST_WORDS = 400
#: Runs of letters and digits with wildcards in them; what stands between separates words.
_RUN = re.compile(r"(?:[^\W_]|[*?])+")


class Sqlite:
    """The ledger's SQL, for engine.contract.conditions."""

    date = "coalesce(files.taken, files.mtime_ns / 1e9)"

    def contains(self, column: str, text: str) -> str:
        return f"instr({column if column != 'folder' else 'files.folder'}, {quote(text)}) > 0"

    def below(self, folder: str) -> str:
        first, after = below(os.fsencode(folder))
        return f"(files.path >= x'{first.hex()}' AND files.path < x'{after.hex()}')"

    def named(self, pattern: str) -> str:
        return f"files.name_key GLOB {quote(_glob(pattern))}"


def _glob(pattern: str) -> str:
    return plain(pattern).replace("[", "[[]")


def condition(filters: Filters) -> str:
    """What a file must fulfil."""
    return " AND ".join(["1", *filter_conditions(filters, Sqlite())])


def newest(connection: sqlite3.Connection, filters: Filters, limit: int) -> list[int]:
    """The newest files that the filters allow; withheld ones only where names are asked for."""
    if not filters.names:
        # Where dates are asked, all files are gone through anyway; else an index has the order.
        by_date = filters.after is not None or filters.before is not None
        rows = connection.execute(
            f"SELECT id FROM files WHERE state != 'withheld' AND {condition(filters)}"
            f" ORDER BY {Sqlite.date if by_date else 'mtime_ns'} DESC LIMIT ?",
            (limit,),
        )
        return [row[0] for row in rows]
    found: dict[int, int] = {}
    for pattern in filters.names:
        one = condition(replace(filters, names=(pattern,)))
        found.update(_of_pattern(connection, pattern, one, limit))
    return sorted(found, key=lambda file_id: (found[file_id], file_id), reverse=True)[:limit]


def _of_pattern(
    connection: sqlite3.Connection, pattern: str, where: str, limit: int
) -> dict[int, int]:
    """The newest files of a pattern: id → time."""
    folded = plain(pattern)
    literal = re.split(r"[*?]", folded, maxsplit=1)[0]
    order = f"WHERE {where} ORDER BY mtime_ns DESC LIMIT {limit}"
    by_name = f"SELECT id, mtime_ns FROM files {_by(connection, 'files_by_name')} {order}"
    if literal and _fewer(connection, literal):
        return dict(connection.execute(by_name).fetchall())
    narrowed = [] if name_rows.waiting(connection) else list(_narrowed(connection, folded))
    if any(not found.files for found in narrowed):
        return {}
    if min((found.files for found in narrowed), default=_MANY) >= _MANY:
        among_newest = _among_newest(connection, where, limit)
        if len(among_newest) >= limit:
            return among_newest
    if not narrowed:
        return dict(connection.execute(by_name).fetchall())
    terms = " AND ".join(found.terms for found in narrowed)
    matching = connection.execute(
        "SELECT files.id, files.mtime_ns FROM names CROSS JOIN files"
        f" ON files.id = names.rowid AND names MATCH ? {order}",
        (f"name : ({terms})",),
    )
    return dict(matching.fetchall())


def _by(connection: sqlite3.Connection, index: str) -> str:
    """Which index to go by; where `files` is a view of some of them, SQLite takes no advice."""
    view = connection.execute("SELECT 1 FROM temp.sqlite_schema WHERE name = 'files'").fetchone()
    return "" if view else f"INDEXED BY {index}"


def _among_newest(connection: sqlite3.Connection, where: str, limit: int) -> dict[int, int]:
    """Those of the newest files that meet a condition: id → time."""
    oldest = connection.execute(
        "SELECT mtime_ns FROM files ORDER BY mtime_ns DESC LIMIT 1 OFFSET ?", (_NEWEST,)
    ).fetchone()
    if oldest is None:
        return {}
    found = connection.execute(
        f"SELECT id, mtime_ns FROM files {_by(connection, 'files_by_time')}"
        f" WHERE mtime_ns > ? AND {where} ORDER BY mtime_ns DESC LIMIT ?",
        (oldest[0], limit),
    )
    return dict(found.fetchall())


def _fewer(connection: sqlite3.Connection, beginning: str) -> bool:
    (count,) = connection.execute(
        "SELECT count(*) FROM (SELECT 1 FROM files WHERE name_key >= ? AND name_key < ? LIMIT ?)",
        (beginning, beginning + vocabulary.END, _FEW),
    ).fetchone()
    return bool(count < _FEW)


class _Piece(NamedTuple):
    """Letters of a pattern that a name's run of letters and digits holds."""

    text: str
    begins: bool  # the run begins with it
    ends: bool


def _narrowed(connection: sqlite3.Connection, pattern: str) -> Iterator[_Words]:
    for piece in _pieces(pattern):
        if (found := _words(connection, piece)) is not None:
            yield found


def _pieces(pattern: str) -> Iterator[_Piece]:
    for run in _RUN.findall(pattern):
        texts = re.split(r"[*?]+", run)
        last = len(texts) - 1
        for number, text in enumerate(texts):
            if text:
                yield _Piece(text, number == 0, number == last)


class _Words(NamedTuple):
    """What to look for in the index of names, and how many names hold it at most."""

    terms: str
    files: int


def _words(connection: sqlite3.Connection, piece: _Piece) -> _Words | None:
    """The words that hold a piece; None where they are too many to tell."""
    if piece.begins and piece.ends:
        row = connection.execute("SELECT files FROM words WHERE word = ?", (piece.text,)).fetchone()
        return _Words(f'"{piece.text}"', row[0] if row else 0)
    if piece.begins and len(piece.text) < 2:
        return None
    if piece.begins:
        found = vocabulary.beginning(connection, piece.text)
        return _Words(f'"{piece.text}"*', found.files)
    words = vocabulary.holding(connection, piece.text, _MOST_WORDS + 1, ends=piece.ends)
    if words is None or len(words) > _MOST_WORDS:
        return None
    terms = " OR ".join(f'"{word}"' for word in words)
    return _Words(f"({terms})", sum(words.values()))
