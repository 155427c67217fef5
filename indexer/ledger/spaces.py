"""Which vector spaces there are and what each holds: models can be changed, and changed back.

Of the space in use the ledger's `files` tells; of every other one the table `built` does. A space
that was once in use is whole: going back to it only takes what changed since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from indexer.ledger.ledger import FileRecord, Ledger
from indexer.ledger.records import COLUMNS, to_record

#: A row of `built` that tells what the file holds now.
_FRESH = (
    "built.file_id = files.id AND built.space = ? AND built.content_hash = files.content_hash"
    " AND built.reading_version >= files.reading_version"
)
_PRESENT = "state = 'done' AND root_id IN (SELECT id FROM roots WHERE online)"


@dataclass(frozen=True, slots=True)
class Built:
    """A file whose rows a space that is not in use has committed; no units: the model can't."""

    file_id: int
    content_hash: str
    reading_version: int
    units: int
    store_version: int
    detail: str = ""  # what was left out, and how exactly pictures were seen


class Spaces:
    """The ledger's book of vector spaces; each method is one transaction, from any thread."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    @property
    def model(self) -> str:
        """Id of the model in use, "" before there was one."""
        return self._ledger.meta("model") or ""

    def start_with(self, model: str) -> None:
        """The first model of a ledger."""
        self._ledger.set_meta("model", model)

    def known(self) -> set[str]:
        """Spaces not in use of which something is noted."""
        rows = self._all("SELECT DISTINCT space FROM built UNION SELECT space FROM leftover")
        whole = self._all("SELECT substr(key, 7) FROM meta WHERE key LIKE 'whole:%'")
        return {row[0] for row in (*rows, *whole)}

    def is_whole(self, space: str) -> bool:
        """Whether it was in use once, so that it can be again at once."""
        return self._ledger.meta(f"whole:{space}") is not None

    def todo(self, space: str, limit: int, excluded: Collection[int] = ()) -> list[FileRecord]:
        """Indexed files that a space lacks, newest first, none of an offline drive."""
        rows = self._all(
            f"SELECT {COLUMNS} FROM files WHERE {_PRESENT}"
            f" AND NOT EXISTS (SELECT 1 FROM built WHERE {_FRESH})"
            " ORDER BY mtime_ns DESC LIMIT ?",
            (space, limit + len(excluded)),
        )
        records = (to_record(row) for row in rows)
        return [record for record in records if record.id not in excluded][:limit]

    def progress(self, space: str) -> tuple[int, int]:
        """How many of the indexed files a space holds, and how many there are."""
        done = self._all(
            f"SELECT count(*) FROM files WHERE {_PRESENT}"
            f" AND EXISTS (SELECT 1 FROM built WHERE {_FRESH})",
            (space,),
        )
        total = self._all(f"SELECT count(*) FROM files WHERE {_PRESENT}")
        return done[0][0], total[0][0]

    def note(self, space: str, done: Sequence[Built]) -> list[int]:
        """Note what a space has committed; the ids of files removed or done anew since, whose rows
        have to leave it again."""
        gone = []
        with self._database.write() as connection:
            for item in done:
                noted = connection.execute(
                    "INSERT OR REPLACE INTO built"
                    " SELECT id, ?, ?, max(?, reading_version), ?, ?, ? FROM files"
                    " WHERE id = ? AND content_hash IS NOT NULL",
                    (
                        space, item.content_hash, item.reading_version, item.units,
                        item.store_version, item.detail, item.file_id,
                    ),
                )  # fmt: skip
                if not noted.rowcount:
                    gone.append(item.file_id)
        return gone

    def units_by_file(self, space: str) -> dict[int, int]:
        """Files that a space holds and how many units of each."""
        return dict(self._all("SELECT file_id, units FROM built WHERE space = ?", (space,)))

    def unnote(self, space: str, file_ids: Collection[int]) -> None:
        """A space has lost these files' rows."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM built WHERE space = ? AND file_id = ?",
                [(space, file_id) for file_id in file_ids],
            )

    def lost_after(self, space: str, store_version: int) -> None:
        """A space has lost what was committed after this version of it."""
        with self._database.write() as connection:
            connection.execute(
                "DELETE FROM built WHERE space = ? AND store_version > ?", (space, store_version)
            )

    def switch(self, old: str, new: str, model: str, *, sees: bool) -> None:
        """From now on `files` tells of the new space, and `built` of the old one.

        What the new space lacks, or has in an older version, is pending; so are files that the
        old model could not take, and pictures without words for a model that `sees`.
        """
        retry = ["encoder", "no-text"] if sees else ["encoder"]
        with self._database.write() as connection:
            connection.execute("DELETE FROM built WHERE space = ?", (old,))
            connection.execute(
                "INSERT INTO built SELECT id, ?, content_hash, reading_version, units,"
                " store_version, detail FROM files"
                " WHERE units > 0 AND content_hash IS NOT NULL AND unread = 0",
                (old,),
            )
            # An empty hash is no file's: read again, and not counted as lost to other spaces.
            connection.execute(
                "UPDATE files SET units = 0, store_version = 0, content_hash = ''"
                " WHERE content_hash IS NOT NULL AND NOT EXISTS"
                " (SELECT 1 FROM built WHERE file_id = id AND space = ?)",
                (new,),
            )
            connection.execute(
                "UPDATE files SET units = new.units, store_version = new.store_version,"
                " state = CASE WHEN state = 'done' AND (new.units = 0"
                "   OR files.content_hash != new.content_hash"
                "   OR files.reading_version > new.reading_version)"
                "  THEN 'pending' ELSE state END,"
                " detail = iif(state = 'done', new.detail, files.detail),"
                " content_hash = iif(new.units = 0, '', new.content_hash),"
                " stale = iif(new.reading_version > files.reading_version, 0, stale),"
                " reading_version = new.reading_version"
                " FROM built AS new WHERE new.file_id = files.id AND new.space = ?",
                (new,),
            )
            connection.execute(
                "UPDATE files SET state = 'pending' WHERE state = 'done' AND content_hash = ''"
            )
            connection.executemany(
                "UPDATE files SET state = 'pending', reason = '', detail = '', attempts = 0"
                " WHERE state IN ('failed', 'skipped') AND reason = ?",
                [(reason,) for reason in retry],
            )
            connection.execute("DELETE FROM built WHERE space = ?", (new,))
            connection.execute("DELETE FROM meta WHERE key = ?", (f"whole:{new}",))
            connection.executemany(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)",
                [(f"whole:{old}", "1"), ("model", model)],
            )

    def leftovers(self) -> Mapping[str, list[int]]:
        """Rows to take away from each space."""
        found: dict[str, list[int]] = {}
        for space, file_id in self._all("SELECT space, file_id FROM leftover"):
            found.setdefault(space, []).append(file_id)
        return found

    def taken_away(self, space: str, file_ids: Sequence[int]) -> None:
        """These leftovers are gone."""
        with self._database.write() as connection:
            connection.executemany(
                "DELETE FROM leftover WHERE space = ? AND file_id = ?",
                [(space, file_id) for file_id in file_ids],
            )

    def forget(self, space: str) -> None:
        """A space is there no more."""
        with self._database.write() as connection:
            for table in ("built", "leftover"):
                connection.execute(f"DELETE FROM {table} WHERE space = ?", (space,))
            connection.execute("DELETE FROM meta WHERE key = ?", (f"whole:{space}",))

    def _all(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._database.read() as connection:
            return connection.execute(sql, values).fetchall()
