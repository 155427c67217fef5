"""The walk's side of the ledger: files found, changed, moved, gone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any

from engine.contract.folding import plain
from indexer.ledger import name_rows
from indexer.ledger.records import (
    BATCH,
    COLUMNS,
    FileRecord,
    Found,
    Root,
    batches,
    below,
    extension,
    to_record,
)
from indexer.ledger.tables import CHANGED_UNDER_READER, Tables


class FoundFiles(Tables):
    """Notes what a scan met."""

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
        files, paths = [], []
        with self.database.write() as connection:
            row = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'files'")
            first = (row.fetchone() or (0,))[0] + 1
            for file_id, item in enumerate(found, start=first):
                path = os.fsdecode(item.path)
                name = os.path.basename(path)
                ext = extension(name)
                files.append(
                    (
                        file_id, root.id, item.path, plain(name), item.kind, ext, item.size,
                        item.mtime_ns, item.inode, item.state, item.reason, item.rule, item.path,
                    )
                )  # fmt: skip
                paths.append((file_id, path))
            connection.executemany(
                "INSERT INTO files (id, root_id, path, name_key, kind, ext, size, mtime_ns, inode,"
                " state, reason, rule, folder)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, folder_of(?))",
                files,
            )
            name_rows.insert(connection, paths, root.path)
        return [row[0] for row in files]

    def change_files(self, changes: Sequence[tuple[int, Found]]) -> None:
        """Note that files are not what they were: they are to be read again.

        The content hash stays: where the new contents have it too, nothing needs encoding, unless
        not all of these was read.
        """
        with self.database.write() as connection:
            connection.executemany(
                "UPDATE files SET size = ?, mtime_ns = ?, inode = ?, attempts = 0, detail = '',"
                " content_hash = iif(unread, NULL, content_hash), unread = 0,"
                f" state = ?, reason = ?, rule = ?, {CHANGED_UNDER_READER} WHERE id = ?",
                [
                    (i.size, i.mtime_ns, i.inode, i.state, i.reason, i.rule, file_id)
                    for file_id, i in changes
                ],
            )

    def read_again(self, paths: Sequence[bytes]) -> list[int]:
        """Have files read again if they are on record: others that tell of them changed. Their
        ids."""
        ids: list[int] = []
        for batch in batches(paths):
            marks = ",".join("?" * len(batch))
            rows = self._all(
                f"SELECT id FROM files WHERE state IN ('done', 'pending') AND path IN ({marks})",
                batch,
            )
            ids += [row[0] for row in rows]
        self._redo("id = ?", [(i,) for i in ids])
        return ids

    def move_files(self, root_id: int, moves: Sequence[tuple[int, Found]]) -> list[int]:
        """Give files their new paths; what is known and stored of them stays.

        The ids of files that were overwritten: their rows have to leave the store.
        """
        overwritten = list[int]()
        with self.database.write() as connection:
            for file_id, item in moves:
                path = os.fsdecode(item.path)
                name = os.path.basename(path)
                # A file the move overwrote: its record would be in the way.
                rows = connection.execute(
                    "SELECT id FROM files WHERE path = ? AND id != ?", (item.path, file_id)
                ).fetchall()
                overwritten += [row[0] for row in rows]
                self._delete(connection, [row[0] for row in rows])
                connection.execute(
                    "UPDATE files SET root_id = ?, path = ?, name_key = ?, ext = ?, size = ?,"
                    " mtime_ns = ?, inode = ?, folder = folder_of(?) WHERE id = ?",
                    (
                        root_id, item.path, plain(name), extension(name), item.size,
                        item.mtime_ns, item.inode, item.path, file_id,
                    ),
                )  # fmt: skip
            name_rows.refresh(connection, [file_id for file_id, _ in moves])
        return overwritten

    def carry_names_on(self) -> bool:
        """Bring some of an older Inkling's names into their present form; whether there are more.

        They are found meanwhile, if not by all that is typed of them.
        """
        with self.database.write() as connection:
            return name_rows.carry_on(connection)

    def mark_removed(self, ids: Iterable[int]) -> None:
        """Forget files and their names."""
        for batch in batches(ids):
            with self.database.write() as connection:
                self._delete(connection, batch)
