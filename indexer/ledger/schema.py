"""The ledger's SQLite file: connections, transactions, migrations, setting a damaged one aside."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from engine.contract.attributes import ATTRIBUTES
from engine.contract.conditions import folder_key
from engine.contract.errors import InklingError
from indexer.ledger import name_rows

log = logging.getLogger(__name__)

#: Applied in order, each in one transaction; `PRAGMA user_version` counts them. Never edit one
#: that has been released: add another.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID""",
        """CREATE TABLE roots (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            path BLOB NOT NULL UNIQUE,
            added REAL NOT NULL,
            online INTEGER NOT NULL DEFAULT 1,
            identity TEXT NOT NULL DEFAULT ''
        )""",
        # AUTOINCREMENT: the store's rows carry file ids, so an id is never given twice.
        """CREATE TABLE files (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            root_id INTEGER NOT NULL,
            path BLOB NOT NULL UNIQUE,
            name_key TEXT NOT NULL,
            kind TEXT NOT NULL DEFAULT 'other',
            picture TEXT,
            language TEXT,
            ext TEXT NOT NULL DEFAULT '',
            size INTEGER NOT NULL,
            mtime_ns INTEGER NOT NULL,
            inode INTEGER NOT NULL,
            content_hash TEXT,
            state TEXT NOT NULL DEFAULT 'pending',
            reason TEXT NOT NULL DEFAULT '',
            detail TEXT NOT NULL DEFAULT '',
            rule TEXT NOT NULL DEFAULT '',
            attempts INTEGER NOT NULL DEFAULT 0,
            in_flight INTEGER NOT NULL DEFAULT 0,
            allowed INTEGER NOT NULL DEFAULT 0,
            units INTEGER NOT NULL DEFAULT 0,
            extractor_version INTEGER NOT NULL DEFAULT 0,
            store_version INTEGER NOT NULL DEFAULT 0
        )""",
        "CREATE INDEX files_by_state ON files (state, mtime_ns)",
        "CREATE INDEX files_by_root ON files (root_id, state, reason, units)",
        "CREATE INDEX files_by_facts ON files (size, mtime_ns)",
        "CREATE INDEX files_by_name ON files (name_key)",
        "CREATE INDEX files_in_flight ON files (id) WHERE in_flight",
        """CREATE VIRTUAL TABLE names USING fts5 (
            name, folder, facets,
            tokenize = "unicode61 remove_diacritics 2", prefix = '2 3'
        )""",
    ),
    (
        # What the vector spaces hold that are not in use; of the one in use `files` tells.
        """CREATE TABLE built (
            file_id INTEGER NOT NULL,
            space TEXT NOT NULL,
            content_hash TEXT NOT NULL,
            extractor_version INTEGER NOT NULL,
            units INTEGER NOT NULL,
            store_version INTEGER NOT NULL,
            PRIMARY KEY (file_id, space)
        ) WITHOUT ROWID""",
        # Rows that have to leave a space that is not in use.
        """CREATE TABLE leftover (
            space TEXT NOT NULL,
            file_id INTEGER NOT NULL,
            PRIMARY KEY (space, file_id)
        ) WITHOUT ROWID""",
        # Triggers, so that no way of forgetting a file forgets the other spaces.
        """CREATE TRIGGER built_removed AFTER DELETE ON files BEGIN
            INSERT OR IGNORE INTO leftover SELECT space, file_id FROM built WHERE file_id = OLD.id;
            DELETE FROM built WHERE file_id = OLD.id;
        END""",
        """CREATE TRIGGER built_redone AFTER UPDATE OF content_hash ON files
            WHEN NEW.content_hash IS NULL BEGIN
            INSERT OR IGNORE INTO leftover SELECT space, file_id FROM built WHERE file_id = NEW.id;
            DELETE FROM built WHERE file_id = NEW.id;
        END""",
    ),
    ("ALTER TABLE built ADD COLUMN detail TEXT NOT NULL DEFAULT ''",),
    (
        # The versions of extractor, chunking and context in one number (see indexer.reading
        # .versions), which is the extractor's alone while the other two are the first.
        "ALTER TABLE files RENAME COLUMN extractor_version TO reading_version",
        "ALTER TABLE built RENAME COLUMN extractor_version TO reading_version",
        "ALTER TABLE files ADD COLUMN extractor TEXT NOT NULL DEFAULT ''",
        # Indexed, but to be read again when nothing else waits: what reads it has a newer version.
        "ALTER TABLE files ADD COLUMN stale INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX files_stale ON files (mtime_ns) WHERE stale",
    ),
    (
        # The folder as filters compare it, the same as in the store.
        "ALTER TABLE files ADD COLUMN folder TEXT NOT NULL DEFAULT ''",
        "UPDATE files SET folder = folder_of(path)",
        "CREATE INDEX files_by_time ON files (mtime_ns)",
    ),
    (
        # Every word of the names and folders: see indexer.ledger.vocabulary, which fills it in.
        """CREATE TABLE words (
            id INTEGER PRIMARY KEY,
            word TEXT NOT NULL UNIQUE,
            backwards TEXT,
            files INTEGER NOT NULL,
            below INTEGER NOT NULL
        )""",
        # With the time, so that the newest of many files of one name need no look at the others.
        "DROP INDEX files_by_name",
        "CREATE INDEX files_by_name ON files (name_key, mtime_ns)",
        "CREATE INDEX words_backwards ON words (backwards) WHERE backwards IS NOT NULL",
        """CREATE VIRTUAL TABLE word_parts USING fts5 (
            word, content = 'words', content_rowid = 'id',
            tokenize = 'trigram', detail = none, columnsize = 0
        )""",
        """CREATE TRIGGER word_known AFTER INSERT ON words
            WHEN NEW.backwards IS NOT NULL AND length(NEW.word) > 2 BEGIN
            INSERT INTO word_parts (rowid, word) VALUES (NEW.id, NEW.word);
        END""",
        """CREATE TRIGGER word_forgotten AFTER DELETE ON words
            WHEN OLD.backwards IS NOT NULL AND length(OLD.word) > 2 BEGIN
            INSERT INTO word_parts (word_parts, rowid, word) VALUES ('delete', OLD.id, OLD.word);
        END""",
    ),
    (
        # Which files are copies: see indexer.ledger.copies. Of files read before this their bytes
        # tell, until they are read again.
        "ALTER TABLE files ADD COLUMN text_hash TEXT",
        "CREATE INDEX files_by_content ON files (content_hash) WHERE content_hash IS NOT NULL",
        "CREATE INDEX files_by_text ON files (text_hash) WHERE text_hash IS NOT NULL",
    ),
    (
        # Pages that are still to be read of a file that is indexed with the others.
        "ALTER TABLE files ADD COLUMN unread INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX files_unread ON files (mtime_ns) WHERE unread",
        # What earlier versions left unread and called done; how many pages turns out then.
        "UPDATE files SET unread = 1, state = 'pending', reason = 'partly-read', stale = 0"
        " WHERE state = 'done' AND (detail LIKE '%Pages without text not read by OCR%'"
        " OR kind IN ('image', 'screenshot') AND detail LIKE '%Only the first 30 of%')",
    ),
    (
        # What scans met and did not enter, by rule: see indexer.ledger.left_out.
        """CREATE TABLE left_out (
            path BLOB PRIMARY KEY,
            root_id INTEGER NOT NULL,
            code TEXT NOT NULL,
            rule TEXT NOT NULL,
            source TEXT NOT NULL,
            folder INTEGER NOT NULL
        ) WITHOUT ROWID""",
        # Indexed, and not with all that is in them: `detail` says what is missing.
        "ALTER TABLE files ADD COLUMN partly INTEGER NOT NULL DEFAULT 0",
        "CREATE INDEX files_partly ON files (mtime_ns) WHERE partly",
        "UPDATE files SET partly = 1 WHERE state = 'done' AND (detail LIKE '%Only the first%'"
        " OR detail LIKE '% are indexed%' OR detail LIKE '%not indexed%'"
        " OR detail LIKE '%left out%' OR detail LIKE '%withheld:%' OR detail LIKE '%Damaged%'"
        " OR detail LIKE '%pages read%' OR detail LIKE '%can''t be read%'"
        " OR detail LIKE '%end the reader%')",
    ),
)


def _give_id(connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO meta VALUES ('id', ?)", (uuid.uuid4().hex,))


#: What SQL alone can't do, after the statements of a migration and in its transaction.
AFTERWARDS: dict[int, Callable[[sqlite3.Connection], None]] = {
    1: _give_id,
    6: name_rows.begin_carrying_over,
}


class LedgerDamagedError(InklingError):
    """The ledger's file can't be read; it is set aside and rebuilt from the folders."""


class Database:
    """One SQLite file in WAL mode: one writer at a time, readers beside it, from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._write_lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._idle: list[sqlite3.Connection] = []
        self._all: list[sqlite3.Connection] = []
        self._writer: sqlite3.Connection | None = None
        #: Rows written since the start: another number whenever anything is known anew.
        self.revision = 0
        #: What was wrong with the file found here, if it had to be set aside.
        self.damage: LedgerDamagedError | None = None
        self._open()

    def _open(self) -> None:
        try:
            self._prepare()
        except sqlite3.DatabaseError as error:
            self.close()
            if not is_damage(error):
                raise readable(error, self.path) from error
            kept = set_aside(self.path)
            self.damage = LedgerDamagedError(
                "The list of indexed files was damaged ({error}).",
                hint="It was set aside as {name}; the folders are being read again.",
                path=str(kept),
                told={"error": error, "name": kept.name},
            )
            log.error("%s", self.damage)
            self._prepare()

    def _prepare(self) -> None:
        connection = self._writer = self._connect()
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(f"database disk image is malformed: {found}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.create_function("folder_of", 1, folder_of, deterministic=True)
        self._migrate(connection)
        _add_attributes(connection)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise InklingError(
                "The list of indexed files was written by a newer version of Inkling.",
                hint="Update Inkling, or choose another folder with --base-dir.",
                path=str(self.path),
            )
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            connection.execute("BEGIN IMMEDIATE")
            try:
                for statement in statements:
                    connection.execute(statement)
                if number in AFTERWARDS:
                    AFTERWARDS[number](connection)
                connection.execute(f"PRAGMA user_version = {number}")
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path, timeout=30.0, isolation_level=None, check_same_thread=False
        )
        with self._pool_lock:
            self._all.append(connection)
        # In WAL mode NORMAL can lose the last transactions in a power cut, never tear one: what is
        # lost is found again by the next scan, or done again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -8192")
        connection.execute("PRAGMA temp_store = MEMORY")
        return connection

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction; nested calls on the same thread join it."""
        with self._write_lock:
            connection = self._writer
            if connection is None:
                raise InklingError("The ledger is closed.")
            if connection.in_transaction:
                yield connection
                return
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                    self.revision = connection.total_changes
                except BaseException:
                    _roll_back(connection)
                    raise
            except sqlite3.DatabaseError as error:
                raise readable(error, self.path) from error

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees the last commit and does not wait for a writer."""
        with self._pool_lock:
            if not self._all:
                raise InklingError("The ledger is closed.")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
        try:
            yield connection
        except sqlite3.DatabaseError as error:
            raise readable(error, self.path) from error
        finally:
            with self._pool_lock:
                self._idle.append(connection)

    def vacuum(self) -> None:
        """Write the file anew: nothing of what was deleted is left in it, its full text or its
        journal. For when nobody else has it open."""
        with self._write_lock:
            connection = self._writer
            if connection is None:
                raise InklingError("The ledger is closed.")
            try:
                for table in ("names", "word_parts"):
                    connection.execute(f"INSERT INTO {table} ({table}) VALUES ('optimize')")
                connection.execute("VACUUM")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            except sqlite3.DatabaseError as error:
                raise readable(error, self.path) from error

    def close(self) -> None:
        with self._write_lock, self._pool_lock:
            self._writer = None
            self._idle.clear()
            while self._all:
                # A reader may be in the middle of a query: its own error is a clear one.
                with suppress(sqlite3.Error):
                    self._all.pop().close()


def folder_of(path: bytes) -> str:
    """What the column `folder` says of a path."""
    return folder_key(os.path.dirname(os.fsdecode(path)))


def _add_attributes(connection: sqlite3.Connection) -> None:
    """A column for each row of engine.contract.attributes; no migration for each."""
    there = {row[1] for row in connection.execute("PRAGMA table_info(files)")}
    for row in ATTRIBUTES.values():
        if row.name not in there:
            kind = "TEXT" if row.type == "text" else "REAL"
            connection.execute(f"ALTER TABLE files ADD COLUMN {row.name} {kind}")


def _roll_back(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:  # a full disk has rolled back by itself
        connection.execute("ROLLBACK")


def is_damage(error: sqlite3.DatabaseError) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return "malformed" in str(error)
    return code & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def readable(error: sqlite3.DatabaseError, path: Path) -> Exception:
    """The same error as a person should hear of it; programming errors stay as they are."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if is_damage(error):
        return LedgerDamagedError(
            "The list of indexed files is damaged ({error}).",
            hint="Restart Inkling: it sets the file aside and reads the folders again.",
            path=str(path),
            told={"error": error},
        )
    if code == sqlite3.SQLITE_FULL:
        return InklingError(
            "The disk is full; Inkling can't note what it has indexed.",
            hint="Free some space; indexing goes on by itself.",
            path=str(path),
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR):
        return InklingError(
            "Inkling can't write its list of indexed files ({error}).",
            hint="Check the permissions and free space of its folder, or choose another "
            "with --base-dir.",
            path=str(path),
            told={"error": error},
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return InklingError(
            "Another program holds Inkling's list of indexed files.",
            hint="Close it (a database browser, a backup, a second Inkling) and try again.",
            path=str(path),
        )
    return error


def set_aside(path: Path) -> Path:
    """Rename a damaged file and its journals out of the way; its new path."""
    stamp = time.strftime("%Y%m%d-%H%M%S")
    kept = path.with_name(f"{path.name}.damaged-{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.damaged-{stamp}-{number}")
    for suffix in ("", "-wal", "-shm"):
        with suppress(FileNotFoundError):
            os.replace(f"{path}{suffix}", f"{kept}{suffix}")
    return kept
