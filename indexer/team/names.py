"""Names, states and copies of an archive's files in SQLite, as each asker may see them.

The file is a ledger's, so that the ledger's own questions are asked of it. A connection of a view
has `files` and `words` in its temporary schema, which SQLite looks into first: views of the rows
whose rights class the asker reads. No question can forget to leave something out, and how often a
word occurs is counted over what is read alone (`class_words`).
"""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from engine.archive.entries import ArchivedFile
from engine.contract.attributes import ATTRIBUTES
from engine.contract.folding import plain
from engine.contract.types import Filters
from engine.search.ports import NameMatch, SameContents
from indexer.ledger import name_rows, name_words
from indexer.ledger.ledger import Lookups
from indexer.ledger.records import batches, extension, marks
from indexer.ledger.schema import Database, readable
from indexer.reading.work import facts_of, name_match

#: Another number for every other form of the tables below: an older file is made anew.
FORM = "1"
#: Everything below this is asked: an archive has no folders of its own.
_ROOT = b"/"

_TABLES = (
    # Which class each file is of.
    "ALTER TABLE files ADD COLUMN rights INTEGER NOT NULL DEFAULT 0",
    # Of the vocabulary how many files of each class hold a word: in names, in folders.
    """CREATE TABLE class_words (
        word INTEGER NOT NULL, class INTEGER NOT NULL,
        files INTEGER NOT NULL, below INTEGER NOT NULL,
        PRIMARY KEY (word, class)
    ) WITHOUT ROWID""",
    """CREATE TABLE class_states (
        class INTEGER NOT NULL, state TEXT NOT NULL, files INTEGER NOT NULL,
        PRIMARY KEY (class, state)
    ) WITHOUT ROWID""",
    # Who reads a class, and with which commit anything of it changed last.
    """CREATE TABLE classes (
        id INTEGER PRIMARY KEY, readers TEXT NOT NULL, changed INTEGER NOT NULL
    )""",
    # Files that are gone here and may still have points.
    "CREATE TABLE leaving (id INTEGER PRIMARY KEY)",
)
_READ = "class IN (SELECT id FROM temp.asked)"
_VIEWS = (
    "CREATE TEMP TABLE asked (id INTEGER PRIMARY KEY)",
    # The plus sign keeps SQLite from going through all files of a class where a name is asked.
    "CREATE TEMP VIEW files AS SELECT * FROM main.files"
    " WHERE +rights IN (SELECT id FROM temp.asked)",
    f"CREATE TEMP VIEW class_states AS SELECT * FROM main.class_states WHERE {_READ}",
    "CREATE TEMP VIEW classes AS SELECT * FROM main.classes"
    " WHERE id IN (SELECT id FROM temp.asked)",
    # No GROUP BY: SQLite then uses the indices of `words` for what is asked of the view.
    "CREATE TEMP VIEW words AS SELECT id, word, backwards,"
    f" (SELECT sum(files) FROM main.class_words WHERE word = w.id AND {_READ}) AS files,"
    f" (SELECT sum(below) FROM main.class_words WHERE word = w.id AND {_READ}) AS below"
    " FROM main.words AS w"
    f" WHERE EXISTS (SELECT 1 FROM main.class_words WHERE word = w.id AND {_READ})",
)
_COLUMNS = (
    "id", "root_id", "path", "name_key", "kind", "picture", "language", "ext", "size", "mtime_ns",
    "inode", "content_hash", "state", "reason", "detail", "units", "text_hash", "folder", "rights",
    *ATTRIBUTES,
)  # fmt: skip


class NamesView(Lookups):
    """The ledger's questions, over what somebody may read; for any thread."""

    def __init__(self, path: Path, database: Any) -> None:
        self.path = path
        self.database = database

    def names(self, words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        """The files whose names answer: the engine's lane of names."""
        return [name_match(hit) for hit in self.find_names(words, limit, filters)]

    def same_contents(self, file_ids: Sequence[int], filters: Filters) -> list[SameContents]:
        """Files with the same contents: what the engine folds into one hit."""
        groups = self.copies(file_ids, filters)
        return [SameContents([facts_of(record) for record in group.files]) for group in groups]

    def counts(self, root_id: int | None = None) -> dict[str, int]:
        """Files per state, by what is counted of each class: every answer tells."""
        rows = self._all("SELECT state, sum(files) FROM class_states GROUP BY state")
        return dict.fromkeys(("pending", "done", "failed", "withheld", "skipped"), 0) | dict(rows)

    def revision(self) -> int:
        """The commit that changed anything of this last."""
        rows = self._all("SELECT coalesce(max(changed), 0) FROM classes")
        return int(rows[0][0])


class Names:
    """The file: written by the one who follows the archive, read through views."""

    def __init__(self, path: Path, archive: str) -> None:
        """`archive`: whose files these are; a file of another's, or of an older form, goes."""
        self.path = path
        self._database = _opened(path, archive)
        self._views = _Views(path)
        with self._database.read() as connection:
            self.leaving = {row[0] for row in connection.execute("SELECT id FROM leaving")}
        self._classes = self._read_classes()

    @property
    def commit(self) -> int:
        """The archive's commit that this stands for."""
        with self._database.read() as connection:
            row = connection.execute("SELECT value FROM meta WHERE key = 'commit'").fetchone()
        return int(row[0]) if row else 0

    def classes_of(self, principals: frozenset[str]) -> frozenset[int]:
        """The rights classes that somebody of these names may read."""
        return frozenset(i for i, readers in self._classes.items() if readers & principals)

    def view(self, rights: frozenset[int] | None) -> NamesView:
        """What may be read by those of these classes; None: everything."""
        if rights is None:
            return NamesView(self.path, self._database)
        return NamesView(self.path, _Seen(self._views, rights))

    # Following

    def ids(self) -> list[int]:
        """All files."""
        with self._database.read() as connection:
            return [row[0] for row in connection.execute("SELECT id FROM files")]

    def apply(
        self,
        commit: int,
        files: Sequence[ArchivedFile],
        gone: Sequence[int] = (),
        languages: Mapping[int, str | None] | None = None,
    ) -> None:
        """What the archive's commits up to this one changed, in one transaction; done again it
        changes nothing. Files whose rights alone changed are among `files`, and not among
        `languages`: they keep theirs."""
        with self._database.write() as connection:
            ids = [file.file_id for file in files]
            known = {**_languages(connection, ids), **(languages or {})}
            touched = _remove(connection, [*ids, *gone])
            for batch in batches(files):
                touched |= _insert(connection, batch, known)
            _note_classes(connection, files, touched, commit)
            connection.executemany("INSERT OR IGNORE INTO leaving VALUES (?)", [(i,) for i in gone])
            connection.executemany("DELETE FROM leaving WHERE id = ?", [(i,) for i in ids])
            connection.execute("INSERT OR REPLACE INTO meta VALUES ('commit', ?)", (str(commit),))
        self.leaving.difference_update(ids)
        self.leaving.update(gone)
        self._classes = self._read_classes()

    def left(self, file_ids: Iterable[int]) -> None:
        """The points of these files are gone, too."""
        ids = list(file_ids)
        with self._database.write() as connection:
            connection.executemany("DELETE FROM leaving WHERE id = ?", [(i,) for i in ids])
        self.leaving.difference_update(ids)

    def close(self) -> None:
        self._views.close()
        self._database.close()

    def _read_classes(self) -> dict[int, frozenset[str]]:
        with self._database.read() as connection:
            rows = connection.execute("SELECT id, readers FROM classes").fetchall()
        return {row[0]: frozenset(json.loads(row[1])) for row in rows}


def _opened(path: Path, archive: str) -> Database:
    wanted = f"{FORM} {archive}"
    database = Database(path)
    with database.read() as connection:
        row = connection.execute("SELECT value FROM meta WHERE key = 'team'").fetchone()
    if row is not None and row[0] == wanted:
        return database
    if row is not None:
        database.close()
        for suffix in ("", "-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.unlink(f"{path}{suffix}")
        database = Database(path)
    with database.write() as connection:
        for statement in _TABLES:
            connection.execute(statement)
        connection.execute("INSERT INTO roots (id, path, added) VALUES (1, ?, 0)", (_ROOT,))
        connection.execute("INSERT INTO meta VALUES ('team', ?)", (wanted,))
    return database


class _Views:
    """Connections whose temporary schema has the views; each knows for whom it stands now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._idle: list[tuple[sqlite3.Connection, frozenset[int] | None]] = []
        self._closed = False

    @contextmanager
    def read(self, rights: frozenset[int]) -> Iterator[sqlite3.Connection]:
        connection, stands_for = self._taken(rights)
        try:
            if stands_for != rights:
                connection.execute("BEGIN")
                connection.execute("DELETE FROM temp.asked")
                connection.executemany(
                    "INSERT INTO temp.asked VALUES (?)", [(i,) for i in sorted(rights)]
                )
                connection.execute("COMMIT")
                stands_for = rights
            yield connection
        except sqlite3.DatabaseError as error:
            raise readable(error, self._path) from error
        finally:
            with self._lock:
                if self._closed or connection.in_transaction:
                    connection.close()
                else:
                    self._idle.append((connection, stands_for))

    def close(self) -> None:
        with self._lock:
            self._closed = True
            while self._idle:
                self._idle.pop()[0].close()

    def _taken(self, rights: frozenset[int]) -> tuple[sqlite3.Connection, frozenset[int] | None]:
        """One that stands for the same classes, if there is any."""
        with self._lock:
            for place, (_, known) in enumerate(self._idle):
                if known == rights:
                    return self._idle.pop(place)
            if len(self._idle) > _MOST_IDLE:
                return self._idle.pop(0)
        connection = sqlite3.connect(
            self._path, timeout=30.0, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.execute("PRAGMA cache_size = -8192")
        for statement in _VIEWS:
            connection.execute(statement)
        return connection, None


#: Connections that wait for an asker of the same rights; beyond, the oldest stands for others.
_MOST_IDLE = 32


class _Seen:
    """The reading side of a database, as the ledger's questions take it."""

    def __init__(self, views: _Views, rights: frozenset[int]) -> None:
        self._views, self._rights = views, rights

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        with self._views.read(self._rights) as connection:
            yield connection


# Rows


def _languages(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, str | None]:
    known: dict[int, str | None] = {}
    for batch in batches(ids):
        known.update(
            connection.execute(
                f"SELECT id, language FROM files WHERE id IN ({marks(batch)})", batch
            ).fetchall()
        )
    return known


def _remove(connection: sqlite3.Connection, ids: Sequence[int]) -> set[int]:
    """Forget files; the classes that they were of."""
    touched: set[int] = set()
    for batch in batches(ids):
        there = connection.execute(
            "SELECT files.id, rights, names.name, names.folder, state FROM files"
            f" JOIN names ON names.rowid = files.id WHERE files.id IN ({marks(batch)})",
            batch,
        ).fetchall()
        _count(connection, (row[1:4] for row in there), -1)
        _count_states(connection, ((row[1], row[4]) for row in there), -1)
        touched |= {row[1] for row in there}
        name_rows.delete(connection, [row[0] for row in there])
        connection.executemany("DELETE FROM files WHERE id = ?", [(row[0],) for row in there])
    return touched


def _insert(
    connection: sqlite3.Connection,
    files: Sequence[ArchivedFile],
    languages: Mapping[int, str | None],
) -> set[int]:
    """Note files; the classes that they are of."""
    rows = [_row(file, languages.get(file.file_id)) for file in files]
    connection.executemany(
        f"INSERT INTO files ({', '.join(_COLUMNS)})"
        f" VALUES ({', '.join('folder_of(?)' if c == 'folder' else '?' for c in _COLUMNS)})",
        rows,
    )
    root = os.fsdecode(_ROOT)
    name_rows.insert(connection, [(f.facts.file_id, f.facts.path) for f in files], root)
    words = (
        (f.rights_class, *name_words.index_row(f.facts.file_id, f.facts.path, root)[1:])
        for f in files
    )
    _count(connection, words, 1)
    _count_states(connection, ((file.rights_class, file.state) for file in files), 1)
    return {file.rights_class for file in files}


def _row(file: ArchivedFile, language: str | None) -> tuple[Any, ...]:
    facts = file.facts
    name = os.path.basename(facts.path)
    path = os.fsencode(facts.path)
    known = {
        "id": facts.file_id,
        "root_id": 1,
        "path": path,
        "name_key": plain(name),
        "kind": facts.kind,
        "picture": facts.picture,
        "language": language,
        "ext": extension(name),
        "size": facts.size,
        "mtime_ns": round(facts.mtime * 1e9),
        "inode": 0,
        "content_hash": file.content or None,
        "state": file.state,
        "reason": file.reason,
        "detail": file.note,
        "units": file.units,
        "text_hash": file.text_hash,
        "folder": path,
        "rights": file.rights_class,
        **facts.attributes,
    }
    return tuple(known.get(column) for column in _COLUMNS)


def _count(connection: sqlite3.Connection, rows: Iterable[tuple[int, str, str]], sign: int) -> None:
    """More, or fewer, files of a class hold the words of these names and folders."""
    counts: dict[tuple[int, str], list[int]] = {}
    for rights, name, folder in rows:
        for column, text in enumerate((name, folder)):
            for word in set(text.split()):
                counts.setdefault((rights, word), [0, 0])[column] += sign
    connection.executemany(
        "INSERT INTO class_words SELECT id, ?, ?, ? FROM words WHERE word = ?"
        " ON CONFLICT (word, class) DO UPDATE SET"
        " files = files + excluded.files, below = below + excluded.below",
        [(rights, files, below, word) for (rights, word), (files, below) in counts.items()],
    )
    if sign < 0:
        connection.executemany(
            "DELETE FROM class_words WHERE word = (SELECT id FROM words WHERE word = ?)"
            " AND class = ? AND files <= 0 AND below <= 0",
            [(word, rights) for rights, word in counts],
        )


def _count_states(
    connection: sqlite3.Connection, files: Iterable[tuple[int, str]], sign: int
) -> None:
    """More, or fewer, files of a class are in a state."""
    connection.executemany(
        "INSERT INTO class_states VALUES (?, ?, ?)"
        " ON CONFLICT (class, state) DO UPDATE SET files = files + excluded.files",
        [(*known, sign * count) for known, count in Counter(files).items()],
    )


def _note_classes(
    connection: sqlite3.Connection,
    files: Sequence[ArchivedFile],
    touched: set[int],
    commit: int,
) -> None:
    """Which classes there are, who reads them, and with which commit they changed last."""
    readers = {file.rights_class: sorted(file.rights) for file in files}
    connection.executemany(
        "INSERT OR IGNORE INTO classes VALUES (?, ?, 0)",
        [(i, json.dumps(names)) for i, names in readers.items()],
    )
    connection.executemany(
        "UPDATE classes SET changed = max(changed, ?) WHERE id = ?", [(commit, i) for i in touched]
    )
