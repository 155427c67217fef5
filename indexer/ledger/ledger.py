"""The ledger: which folders are watched, and of every file in them what is known and done."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from engine.contract.attributes import ATTRIBUTES
from engine.contract.errors import REASONS, FileState, InklingError
from engine.contract.types import Filters
from indexer.ledger import names, roots_file
from indexer.ledger.records import (
    BATCH,
    COLUMNS,
    Done,
    FileRecord,
    Found,
    NameHit,
    Root,
    batches,
    below,
    extension,
    marks,
    to_record,
    to_root,
)
from indexer.ledger.schema import Database, LedgerDamagedError

__all__ = ["Done", "FileRecord", "Found", "Ledger", "LedgerDamagedError", "NameHit", "Root"]

#: `in_flight` is 0, 1, or 2 when the file changed under its reader: what comes back is old then.
_STALE = "in_flight = CASE in_flight WHEN 0 THEN 0 ELSE 2 END"
_INDEX_NAME = "INSERT INTO names (rowid, name, folder) VALUES (?, ?, ?)"
_ATTRIBUTES_SET = "".join(f", {name} = ?" for name in ATTRIBUTES)
#: A file in flight this often when the whole indexer died is set aside. An indexer's death accuses
#: all files in flight, most of them wrongly, so that this is more than a worker's two.
GIVE_UP_AFTER = 8


class Ledger:
    """SQLite beside the store; each method is one transaction, callable from any thread."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(path)
        #: What was wrong with the file found here: all files are pending again, and the store's
        #: rows belong to nobody (`ledger_id` has changed).
        self.damage = self.database.damage
        self._restore_roots()

    def close(self) -> None:
        self.database.close()

    @property
    def ledger_id(self) -> str:
        """Made with the file: a store that was filled under another id has to be filled again."""
        return self.meta("id") or ""

    def meta(self, key: str) -> str | None:
        row = self._one("SELECT value FROM meta WHERE key = ?", (key,))
        return row[0] if row else None

    def set_meta(self, key: str, value: str) -> None:
        with self.database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    # -- roots ---------------------------------------------------------------------------------

    def roots(self) -> list[Root]:
        return [
            to_root(row)
            for row in self._all("SELECT id, path, added, online, identity FROM roots ORDER BY id")
        ]

    def add_root(
        self, path: str | os.PathLike[str], reaches: Callable[[str, str], bool] | None = None
    ) -> Root:
        """Watch a folder; the root that covers it already, if one does.

        Roots inside the new one are taken over with their files. `reaches(root, folder)` says
        whether a walk of that root enters the folder; where it does not (a hidden folder, another
        file system) both stay roots of their own.
        """
        chosen = os.path.abspath(os.path.expanduser(os.fspath(path)))
        roots_file.check_folder(chosen, self.path.parent)
        reaches = reaches or (lambda root, folder: True)
        real = os.path.realpath(chosen)
        inner = []
        for root in self.roots():
            known = os.path.realpath(root.path)
            if real == known or (roots_file.inside(real, known) and reaches(root.path, chosen)):
                return root
            if roots_file.inside(known, real) and reaches(chosen, root.path):
                inner.append(root.id)
        with self.database.write() as connection:
            cursor = connection.execute(
                "INSERT INTO roots (path, added) VALUES (?, ?)", (os.fsencode(chosen), time.time())
            )
            root_id = cursor.lastrowid or 0
            for old in inner:
                connection.execute("UPDATE files SET root_id = ? WHERE root_id = ?", (root_id, old))
                connection.execute("DELETE FROM roots WHERE id = ?", (old,))
        self._save_roots()
        return next(root for root in self.roots() if root.id == root_id)

    def remove_root(self, path: str | os.PathLike[str]) -> list[int]:
        """Forget a folder, its files and their names; the ids of those files."""
        chosen = os.path.abspath(os.path.expanduser(os.fspath(path)))
        real = os.path.realpath(chosen)
        named = [r for r in self.roots() if chosen == r.path or real == os.path.realpath(r.path)]
        root = next(iter(named), None)
        if root is None:
            raise InklingError(
                f"{chosen} is not one of the watched folders.",
                hint="`inkling status` lists them.",
                path=chosen,
            )
        with self.database.write() as connection:
            rows = connection.execute("SELECT id FROM files WHERE root_id = ?", (root.id,))
            ids = [row[0] for row in rows]
            connection.executemany("DELETE FROM names WHERE rowid = ?", ((i,) for i in ids))
            connection.execute("DELETE FROM files WHERE root_id = ?", (root.id,))
            connection.execute("DELETE FROM roots WHERE id = ?", (root.id,))
            connection.execute("DELETE FROM meta WHERE key = ?", (f"rules:{root.id}",))
        self._save_roots()
        return ids

    def set_online(self, root_id: int, online: bool, identity: str | None = None) -> None:
        with self.database.write() as connection:
            connection.execute(
                "UPDATE roots SET online = ?, identity = coalesce(?, identity) WHERE id = ?",
                (online, identity, root_id),
            )

    def _save_roots(self) -> None:
        roots_file.save(self.path, [(root.path, root.added) for root in self.roots()])

    def _restore_roots(self) -> None:
        if self._one("SELECT 1 FROM roots LIMIT 1", ()) or self._one(
            "SELECT 1 FROM files LIMIT 1", ()
        ):
            return
        with self.database.write() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO roots (path, added) VALUES (?, ?)",
                [(os.fsencode(path), added) for path, added in roots_file.load(self.path)],
            )

    # -- files: looking up ---------------------------------------------------------------------

    def file(self, path: str | os.PathLike[str]) -> FileRecord | None:
        return next(iter(self._records("WHERE path = ?", os.fsencode(path))), None)

    def file_by_id(self, file_id: int) -> FileRecord | None:
        return self.files_by_ids([file_id]).get(file_id)

    def files_by_ids(self, ids: Collection[int]) -> dict[int, FileRecord]:
        found: dict[int, FileRecord] = {}
        for batch in batches(ids):
            rows = self._all(f"SELECT {COLUMNS} FROM files WHERE id IN ({marks(batch)})", batch)
            found.update((row[0], to_record(row)) for row in rows)
        return found

    def files(
        self,
        state: FileState | None = None,
        limit: int | None = None,
        root_id: int | None = None,
        below_path: str | None = None,
    ) -> list[FileRecord]:
        where, values = ["1"], list[Any]()
        if state is not None:
            where.append("state = ?")
            values.append(state)
        if root_id is not None:
            where.append("root_id = ?")
            values.append(root_id)
        if below_path is not None:
            where.append("path >= ? AND path < ?")
            values.extend(below(os.fsencode(below_path)))
        return self._records(f"WHERE {' AND '.join(where)} ORDER BY id LIMIT ?", *values, limit)

    def all_ids(self) -> list[int]:
        """Every file id: what the store may hold, all else in it is a ghost."""
        return [row[0] for row in self._all("SELECT id FROM files", ())]

    def next_pending(
        self, limit: int, exclude_ids: Collection[int] = (), not_kinds: Sequence[str] = ()
    ) -> list[FileRecord]:
        """Files to read, newest first, none of an offline root; `not_kinds` are left for later."""
        rows = self._records(
            "WHERE state = 'pending' AND root_id IN (SELECT id FROM roots WHERE online)"
            f" AND kind NOT IN ({marks(not_kinds)}) ORDER BY mtime_ns DESC LIMIT ?",
            *not_kinds,
            limit + len(exclude_ids),
        )
        excluded = set(exclude_ids)
        return [record for record in rows if record.id not in excluded][:limit]

    def recent(self, limit: int) -> list[FileRecord]:
        """The newest files that are indexed."""
        return self._records("WHERE state = 'done' ORDER BY mtime_ns DESC LIMIT ?", limit)

    def problems(
        self, reason: str | None = None, state: str | None = None, limit: int | None = None
    ) -> list[FileRecord]:
        """Files that are not indexed, with their reasons; newest first."""
        states = [state] if state else ["failed", "withheld", "skipped"]
        where, values = f"state IN ({marks(states)})", list[Any](states)
        if reason is not None:
            where += " AND reason = ?"
            values.append(reason)
        return self._records(f"WHERE {where} ORDER BY mtime_ns DESC LIMIT ?", *values, limit)

    def counts(self, root_id: int | None = None) -> dict[str, int]:
        """Files per state; every state is there."""
        counts = dict.fromkeys(("pending", "done", "failed", "withheld", "skipped"), 0)
        where, values = ("WHERE root_id = ?", (root_id,)) if root_id is not None else ("", ())
        rows = self._all(f"SELECT state, count(*) FROM files {where} GROUP BY state", values)
        counts.update((state, count) for state, count in rows)
        return counts

    def reasons(self, root_id: int | None = None) -> dict[str, int]:
        """Files per reason."""
        where, values = ("AND root_id = ?", (root_id,)) if root_id is not None else ("", ())
        rows = self._all(
            f"SELECT reason, count(*) FROM files WHERE reason != '' {where} GROUP BY reason", values
        )
        return dict(rows)

    def pending_by_kind(self, root_id: int | None = None) -> dict[str, int]:
        """Files still to be read, per kind."""
        where, values = ("AND root_id = ?", (root_id,)) if root_id is not None else ("", ())
        rows = self._all(
            f"SELECT kind, count(*) FROM files WHERE state = 'pending' {where} GROUP BY kind",
            values,
        )
        return dict(rows)

    def find_names(
        self, words: Sequence[str], limit: int, filters: Filters | None = None
    ) -> list[NameHit]:
        """The files whose names answer, best first; withheld files never."""
        with self.database.read() as connection:
            found = names.find(connection, words, limit, filters or Filters())
        records = self.files_by_ids([file_id for file_id, _ in found])
        return [NameHit(records[i], score) for i, score in found if i in records]

    # -- files: the walk's side ----------------------------------------------------------------

    def snapshot(
        self, root_id: int, folder: bytes | None = None
    ) -> dict[bytes, tuple[int, int, int, int]]:
        """path → (id, size, mtime_ns, inode) of a root's files, or of those under a folder."""
        where, values = "root_id = ?", list[Any]([root_id])
        if folder is not None:
            where += " AND path >= ? AND path < ?"
            values.extend(below(folder))
        rows = self._all(f"SELECT path, id, size, mtime_ns, inode FROM files WHERE {where}", values)
        return {path: (i, size, mtime, inode) for path, i, size, mtime, inode in rows}

    def same_facts(self, found: Sequence[Found]) -> list[FileRecord]:
        """Files on record with the size and time of one of these: what may have moved there."""
        wanted = {(item.size, item.mtime_ns) for item in found}
        records: list[FileRecord] = []
        for batch in batches(wanted, BATCH // 2):
            # CROSS JOIN: one look-up in the index per row wanted, never a scan of the table.
            rows = self._all(
                f"WITH wanted (a, b) AS (VALUES {','.join(['(?, ?)'] * len(batch))})"
                f" SELECT {COLUMNS} FROM wanted CROSS JOIN files ON size = a AND mtime_ns = b",
                [value for pair in batch for value in pair],
            )
            records.extend(to_record(row) for row in rows)
        return records

    def add_files(self, root: Root, found: Sequence[Found]) -> list[int]:
        """Note new files and make their names searchable; their ids."""
        files, index = [], []
        with self.database.write() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'files'")
            first = (row.fetchone() or (0,))[0] + 1
            for file_id, item in enumerate(found, start=first):
                path = os.fsdecode(item.path)
                name = os.path.basename(path)
                ext = extension(name)
                files.append(
                    (
                        file_id, root.id, item.path, names.plain(name), item.kind, ext, item.size,
                        item.mtime_ns, item.inode, item.state, item.reason, item.rule, item.path,
                    )
                )  # fmt: skip
                index.append(names.index_row(file_id, path, root.path))
            connection.executemany(
                "INSERT INTO files (id, root_id, path, name_key, kind, ext, size, mtime_ns, inode,"
                " state, reason, rule, folder)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, folder_of(?))",
                files,
            )
            connection.executemany(_INDEX_NAME, index)
        return [row[0] for row in files]

    def change_files(self, changes: Sequence[tuple[int, Found]]) -> None:
        """Note that files are not what they were: they are to be read again.

        The content hash stays: where the new contents have it too, nothing needs encoding.
        """
        with self.database.write() as connection:
            connection.executemany(
                "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, attempts = 0, detail = '',"
                f" state = ?, reason = ?, rule = ?, {_STALE} WHERE id = ?",
                [
                    (i.size, i.mtime_ns, i.inode, i.state, i.reason, i.rule, file_id)
                    for file_id, i in changes
                ],
            )

    def move_files(self, root_id: int, moves: Sequence[tuple[int, Found]]) -> None:
        """Give files their new paths; what is known and stored of them stays."""
        with self.database.write() as connection:
            for file_id, item in moves:
                path = os.fsdecode(item.path)
                name = os.path.basename(path)
                # A file the move overwrote: its record would be in the way.
                rows = connection.execute(
                    "SELECT id FROM files WHERE path = ? AND id != ?", (item.path, file_id)
                ).fetchall()
                self._delete(connection, [row[0] for row in rows])
                connection.execute(
                    "UPDATE files SET root_id = ?, path = ?, name_key = ?, ext = ?, size = ?,"
                    " mtime_ns = ?, inode = ?, folder = folder_of(?) WHERE id = ?",
                    (
                        root_id, item.path, names.plain(name), extension(name), item.size,
                        item.mtime_ns, item.inode, item.path, file_id,
                    ),
                )  # fmt: skip
                self._refresh_name(connection, file_id)

    def mark_removed(self, ids: Iterable[int]) -> None:
        """Forget files and their names."""
        for batch in batches(ids):
            with self.database.write() as connection:
                self._delete(connection, batch)

    # -- files: the pipeline's side ------------------------------------------------------------

    def begin(self, ids: Sequence[int]) -> None:
        """Mark files as in flight: whoever dies now, they are among the suspects."""
        with self.database.write() as connection:
            connection.executemany(
                "UPDATE files SET in_flight = 1, attempts = attempts + 1 WHERE id = ?",
                [(i,) for i in ids],
            )

    def in_flight(self) -> list[FileRecord]:
        """Files that were begun and not ended."""
        return self._records("WHERE in_flight ORDER BY id")

    def recover(self, give_up_after: int = GIVE_UP_AFTER) -> list[FileRecord]:
        """At start: put files in flight back in line; those set aside for good.

        Only deaths before anything was finished accuse: a person may kill at any moment.
        """
        finished = str(self._all("SELECT coalesce(max(store_version), 0) FROM files")[0][0])
        if finished != self.meta("finished"):
            self.set_meta("finished", finished)
            self.put_back([record.id for record in self.in_flight()])
        suspects = [record for record in self.in_flight() if record.attempts >= give_up_after]
        for record in suspects:
            self.set_state(record.id, "failed", "crashed", f"{record.attempts} attempts")
        with self.database.write() as connection:
            connection.execute("UPDATE files SET in_flight = 0 WHERE in_flight")
        return suspects

    def put_back(self, ids: Sequence[int]) -> None:
        """Files begun and not to blame for what happened: as if they had not been begun."""
        with self.database.write() as connection:
            connection.executemany(
                "UPDATE files SET in_flight = 0, attempts = max(0, attempts - 1) WHERE id = ?",
                [(i,) for i in ids],
            )

    def finish(self, done: Sequence[Done], store_version: int) -> list[int]:
        """Mark files done; call it after the store's commit returned, with the version it made.

        A file that changed since it was begun stays pending. The ids that were removed since are
        returned: their rows have to leave the store again.
        """
        gone = []
        with self.database.write() as connection:
            for item in done:
                found = connection.execute("SELECT 1 FROM files WHERE id = ?", (item.file_id,))
                if found.fetchone() is None:
                    gone.append(item.file_id)
                    continue
                connection.execute(
                    "UPDATE files SET state = iif(in_flight = 2, 'pending', 'done'),"
                    " reason = '', rule = '', detail = ?,"
                    " attempts = 0, in_flight = 0, units = ?, content_hash = ?,"
                    " extractor_version = ?, store_version = ?, kind = ?, picture = ?,"
                    f" language = ?{_ATTRIBUTES_SET} WHERE id = ?",
                    (
                        item.detail, item.units, item.content_hash, item.extractor_version,
                        store_version, item.kind, item.picture, item.language,
                        *(item.attributes.get(name) for name in ATTRIBUTES), item.file_id,
                    ),
                )  # fmt: skip
        return gone

    def set_state(
        self, file_id: int, state: FileState, reason: str = "", detail: str = "", rule: str = ""
    ) -> None:
        """Note why a file has no content in the index; call it after its rows left the store.

        A file that changed since it was begun stays pending.
        """
        with self.database.write() as connection:
            connection.execute(
                "UPDATE files SET state = iif(in_flight = 2, 'pending', ?),"
                " reason = iif(in_flight = 2, '', ?), detail = ?, rule = ?, in_flight = 0,"
                " units = 0, content_hash = NULL WHERE id = ?",
                (state, reason, detail, rule, file_id),
            )

    def requeue(self, ids: Iterable[int] | None = None) -> int:
        """Try files again: these, or all failures for which that can help. How many."""
        if ids is None:
            retry = [reason.code for reason in REASONS.values() if reason.retry]
            rows = self._all(
                f"SELECT id FROM files WHERE state IN ('failed', 'skipped')"
                f" AND reason IN ({marks(retry)})",
                retry,
            )
            ids = [row[0] for row in rows]
        return self._redo("id = ?", [(i,) for i in ids])

    def redo_after(self, store_version: int) -> int:
        """Files committed after this version of the store, which has lost them, are done again."""
        return self._redo("state = 'done' AND store_version > ?", [(store_version,)])

    def redo_all(self) -> int:
        """The store is to be filled anew: every file that was done is pending. How many."""
        return self._redo("state = 'done'", [()])

    def allow(self, ids: Iterable[int], allowed: bool = True) -> int:
        """The person says of withheld files that they may be indexed. How many."""
        chosen = [(i,) for i in ids]
        with self.database.write() as connection:
            connection.executemany(
                f"UPDATE files SET allowed = {int(allowed)} WHERE id = ?", chosen
            )
        return self._redo("id = ?", chosen)

    # -- the inside ----------------------------------------------------------------------------

    def _redo(self, where: str, values: Sequence[Sequence[Any]]) -> int:
        # `units` stays: the store has them until the file is read again, or can't be.
        count = 0
        with self.database.write() as connection:
            for value in values:
                count += connection.execute(
                    "UPDATE files SET state = 'pending', reason = '', detail = '', rule = '',"
                    f" attempts = 0, content_hash = NULL, {_STALE} WHERE {where}",
                    value,
                ).rowcount
        return count

    def _delete(self, connection: sqlite3.Connection, ids: Sequence[int]) -> None:
        rows = [(i,) for i in ids]
        connection.executemany("DELETE FROM names WHERE rowid = ?", rows)
        connection.executemany("DELETE FROM files WHERE id = ?", rows)

    def _refresh_name(self, connection: sqlite3.Connection, file_id: int) -> None:
        path, root = connection.execute(
            "SELECT files.path, roots.path FROM files"
            " JOIN roots ON roots.id = root_id WHERE files.id = ?",
            (file_id,),
        ).fetchone()
        connection.execute("DELETE FROM names WHERE rowid = ?", (file_id,))
        row = names.index_row(file_id, os.fsdecode(path), os.fsdecode(root))
        connection.execute(_INDEX_NAME, row)

    def _records(self, rest: str, *values: Any) -> list[FileRecord]:
        limited = [-1 if value is None else value for value in values]
        return [to_record(row) for row in self._all(f"SELECT {COLUMNS} FROM files {rest}", limited)]

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self.database.read() as connection:
            return connection.execute(sql, values).fetchall()

    def _one(self, sql: str, values: Sequence[Any]) -> tuple[Any, ...] | None:
        rows = self._all(sql, values)
        return rows[0] if rows else None
