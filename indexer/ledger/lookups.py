"""The ledger's questions: files by path, state and reason, how many, what is next."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from engine.contract.attributes import ATTRIBUTES
from engine.contract.errors import FileState
from engine.contract.types import Filters
from indexer.ledger import copies, names
from indexer.ledger.records import (
    COLUMNS,
    CopyGroup,
    FileRecord,
    NameHit,
    batches,
    below,
    marks,
    to_record,
)
from indexer.ledger.tables import Tables

#: Of more files the newest ones tell which folders there are: 200,000 take half a second.
_MOST_PATHS = 200_000


class FileLookups(Tables):
    """Reads the table of files, never writes it."""

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
    ) -> list[FileRecord]:
        where, values = ["1"], list[Any]()
        if state is not None:
            where.append("state = ?")
            values.append(state)
        if root_id is not None:
            where.append("root_id = ?")
            values.append(root_id)
        return self._records(f"WHERE {' AND '.join(where)} ORDER BY id LIMIT ?", *values, limit)

    def next_pending(
        self, limit: int, exclude_ids: Collection[int] = (), not_kinds: Sequence[str] = ()
    ) -> list[FileRecord]:
        """Files to read, newest first, none of an offline root; `not_kinds` are left for later."""
        rows = self._records(
            "WHERE state = 'pending' AND unread = 0"
            " AND root_id IN (SELECT id FROM roots WHERE online)"
            f" AND kind NOT IN ({marks(not_kinds)}) ORDER BY mtime_ns DESC LIMIT ?",
            *not_kinds,
            limit + len(exclude_ids),
        )
        excluded = set(exclude_ids)
        return [record for record in rows if record.id not in excluded][:limit]

    def next_partly_read(self, limit: int, exclude_ids: Collection[int] = ()) -> list[FileRecord]:
        """Indexed files of which pages are still to be read, newest first."""
        rows = self._records(
            "WHERE unread AND state = 'pending'"
            " AND root_id IN (SELECT id FROM roots WHERE online)"
            " ORDER BY mtime_ns DESC LIMIT ?",
            limit + len(exclude_ids),
        )
        excluded = set(exclude_ids)
        return [record for record in rows if record.id not in excluded][:limit]

    def next_stale(self, limit: int, exclude_ids: Collection[int] = ()) -> list[FileRecord]:
        """Indexed files that are read better now than when they were read, newest first."""
        rows = self._records(
            "WHERE stale AND state = 'done' AND root_id IN (SELECT id FROM roots WHERE online)"
            " ORDER BY mtime_ns DESC LIMIT ?",
            limit + len(exclude_ids),
        )
        excluded = set(exclude_ids)
        return [record for record in rows if record.id not in excluded][:limit]

    def stale_count(self) -> int:
        """How many files `next_stale` has yet to give."""
        rows = self._all(
            "SELECT count(*) FROM files WHERE stale AND state = 'done'"
            " AND root_id IN (SELECT id FROM roots WHERE online)"
        )
        return int(rows[0][0])

    def contents_of(self, kinds: Collection[str]) -> dict[int, str]:
        """Indexed files of some kinds, newest first, with the hashes of their contents; none of an
        offline root."""
        rows = self._all(
            f"SELECT id, content_hash FROM files WHERE state = 'done' AND content_hash != ''"
            f" AND kind IN ({marks(list(kinds))})"
            " AND root_id IN (SELECT id FROM roots WHERE online) ORDER BY mtime_ns DESC",
            list(kinds),
        )
        return dict(rows)

    def edition(self) -> tuple[int, int]:
        """Another one after every commit. Ask it before what is to be no older."""
        with self.database.read() as connection:
            version: int = connection.execute("PRAGMA data_version").fetchone()[0]
            return id(connection), version  # SQLite's number tells within one connection only

    def recent(self, limit: int) -> list[FileRecord]:
        """The newest files that are indexed."""
        return self._records("WHERE state = 'done' ORDER BY mtime_ns DESC LIMIT ?", limit)

    def problems(
        self,
        reason: str | None = None,
        state: str | None = None,
        limit: int | None = None,
        rule: str | None = None,
    ) -> list[FileRecord]:
        """Files that are not indexed, with their reasons; newest first."""
        states = [state] if state else ["failed", "withheld", "skipped"]
        where, values = f"state IN ({marks(states)})", list[Any](states)
        for column, wanted in (("reason", reason), ("rule", rule)):
            if wanted is not None:
                where += f" AND {column} = ?"
                values.append(wanted)
        return self._records(f"WHERE {where} ORDER BY mtime_ns DESC LIMIT ?", *values, limit)

    def partly_read(self, limit: int | None = None) -> list[FileRecord]:
        """Files that are indexed and not with all that is in them, newest first; of the pending
        ones more pages are still to be read."""
        # One query for each of the indices: both are of few rows.
        found = [
            *self._records("WHERE partly AND state = 'done' ORDER BY mtime_ns DESC LIMIT ?", limit),
            *self._records(
                "WHERE unread AND state = 'pending' ORDER BY mtime_ns DESC LIMIT ?", limit
            ),
        ]
        return sorted(found, key=lambda record: -record.mtime_ns)[:limit]

    def partly_read_counts(self) -> tuple[int, int]:
        """How many of them stay as they are, and of how many more pages are to be read."""
        stay = self._all("SELECT count(*) FROM files WHERE partly AND state = 'done'")
        more = self._all("SELECT count(*) FROM files WHERE unread AND state = 'pending'")
        return int(stay[0][0]), int(more[0][0])

    def withheld_by_rule(self) -> dict[str, int]:
        """Files whose names say that they hold secrets, by the rule that says so."""
        rows = self._all(
            "SELECT rule, count(*) FROM files WHERE state = 'withheld' AND rule != ''"
            " GROUP BY rule ORDER BY count(*) DESC"
        )
        return dict(rows)

    def counts(self, root_id: int | None = None) -> dict[str, int]:
        """Files per state; every state is there."""
        if root_id is None:
            return self._counts("1", ())
        return self._counts("root_id = ?", (root_id,))

    def counts_below(self, path: str | os.PathLike[str]) -> dict[str, int]:
        """The same of the files below a folder."""
        return self._counts("path >= ? AND path < ?", below(os.fsencode(path)))

    def _counts(self, where: str, values: Sequence[Any]) -> dict[str, int]:
        counts = dict.fromkeys(("pending", "done", "failed", "withheld", "skipped"), 0)
        rows = self._all(f"SELECT state, count(*) FROM files WHERE {where} GROUP BY state", values)
        counts.update((state, count) for state, count in rows)
        return counts

    def reasons(self, root_id: int | None = None) -> dict[str, int]:
        """Files that are not indexed, per reason."""
        where, values = ("AND root_id = ?", (root_id,)) if root_id is not None else ("", ())
        rows = self._all(
            "SELECT reason, count(*) FROM files WHERE reason != '' AND state != 'pending'"
            f" {where} GROUP BY reason",
            values,
        )
        return dict(rows)

    def values_held(self, most: int) -> dict[str, dict[str, int]]:
        """By the word of a filter what files can be asked for with it, and how many have each: the
        `most` commonest of each, folders (`in`) with what lies below them, and the names of those
        that hold photographs (`album`)."""
        columns = {"kind": "kind", "ext": "ext", "lang": "language"}
        columns |= {row.word: row.name for row in ATTRIBUTES.values() if row.type == "text"}
        held = {}
        for word, column in columns.items():
            rows = self._all(
                f"SELECT {column}, count(*) FROM files WHERE {column} != '' AND state != 'withheld'"
                f" GROUP BY {column} ORDER BY count(*) DESC LIMIT ?",
                (most,),
            )
            held[word] = dict(rows)
        return held | {"in": self._folders_held(most), "album": self._albums_held(most)}

    def _folders_held(self, most: int) -> dict[str, int]:
        rows = self._all(
            "SELECT path FROM files WHERE state != 'withheld' ORDER BY id DESC LIMIT ?",
            (_MOST_PATHS,),
        )
        folders = Counter(os.path.dirname(path) for (path,) in rows)
        below_: Counter[bytes] = Counter()
        roots = {os.fsencode(path) for (path,) in self._all("SELECT path FROM roots")}
        for folder, count in folders.items():
            while folder not in roots and len(folder) > 1:
                below_[folder] += count
                folder = os.path.dirname(folder)
        return {os.fsdecode(folder): count for folder, count in below_.most_common(most)}

    def _albums_held(self, most: int) -> dict[str, int]:
        rows = self._all(
            "SELECT path FROM files WHERE picture = 'photo' AND state != 'withheld'"
            " ORDER BY id DESC LIMIT ?",
            (_MOST_PATHS,),
        )
        names = Counter(os.path.basename(os.path.dirname(path)) for (path,) in rows)
        return {os.fsdecode(name).lower(): count for name, count in names.most_common(most)}

    def pending_by_kind(self, root_id: int | None = None) -> dict[str, int]:
        """Files still to be read, per kind."""
        where, values = ("AND root_id = ?", (root_id,)) if root_id is not None else ("", ())
        rows = self._all(
            f"SELECT kind, count(*) FROM files WHERE state = 'pending' {where} GROUP BY kind",
            values,
        )
        return dict(rows)

    def copies(self, ids: Sequence[int], filters: Filters | None = None) -> list[CopyGroup]:
        """The groups of files with the same contents that these files are in; of each the files
        that the filters allow, the likeliest meant first."""
        with self.database.read() as connection:
            groups = copies.find(connection, ids, filters or Filters())
        records = self.files_by_ids([file_id for group in groups for file_id in group])
        found = ([records[i] for i in group if i in records] for group in groups)
        return [CopyGroup(files) for files in found if len(files) > 1]

    def find_names(
        self, words: Sequence[str], limit: int, filters: Filters | None = None
    ) -> list[NameHit]:
        """The files whose names answer, best first, whatever became of their contents."""
        with self.database.read() as connection:
            found = names.find(connection, words, limit, filters or Filters())
        records = self.files_by_ids([one.file_id for one in found])
        return [
            NameHit(records[one.file_id], one.score, one.parts)
            for one in found
            if one.file_id in records
        ]
