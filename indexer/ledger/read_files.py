"""The pipeline's side of the ledger: files begun, done, given up, put back, to be done again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from engine.contract.attributes import ATTRIBUTES
from engine.contract.errors import REASONS, FileState
from indexer.ledger.records import Done, FileRecord, Reader, marks
from indexer.ledger.tables import Tables

#: A file in flight this often when the whole indexer died is set aside. An indexer's death accuses
#: all files in flight, most of them wrongly, so that this is more than a worker's two.
GIVE_UP_AFTER = 8
#: Reasons that another version of what reads a file may not find.
READERS_REASONS = (
    "unsupported", "no-text", "binary", "generated", "broken", "too-complex", "timeout", "crashed",
    "decode", "refused", "needs-program", "secret-content",
)  # fmt: skip
_VERSIONS = "reading versions"
_SET_ATTRIBUTES = "".join(f", {name} = ?" for name in ATTRIBUTES)


class ReadFiles(Tables):
    """Notes what became of files that were to be read."""

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
            if record.state == "done":
                self.keep_as_read([record.id])  # what it was read with before answers
            elif record.unread:
                self.keep_part(record.id, f"{record.detail} The others end the reader.")
            else:
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
                    "UPDATE files SET state = iif(in_flight = 2 OR ?1, 'pending', 'done'),"
                    " reason = iif(?1 AND in_flight != 2, 'partly-read', ''),"
                    " unread = iif(in_flight = 2, 0, ?1), partly = ?, rule = '', detail = ?,"
                    " attempts = 0, in_flight = 0, stale = 0, units = ?,"
                    # Changed or only touched: it must not pass for whole.
                    " content_hash = iif(?1 AND in_flight = 2, NULL, ?),"
                    " text_hash = ?, extractor = ?, reading_version = ?, store_version = ?,"
                    f" kind = ?, picture = ?, language = ?{_SET_ATTRIBUTES} WHERE id = ?",
                    (
                        item.unread, item.partly, item.detail, item.units, item.content_hash,
                        item.text_hash, item.extractor, item.reading_version, store_version,
                        item.kind, item.picture, item.language,
                        *(item.attributes.get(name) for name in ATTRIBUTES),
                        item.file_id,
                    ),
                )  # fmt: skip
        return gone

    def read_on(self, file_id: int, unread: int, detail: str) -> None:
        """More pages of a file were read; what the index has of it stays as it is."""
        with self.database.write() as connection:
            connection.execute(
                "UPDATE files SET state = 'pending', attempts = 0, in_flight = 0,"
                " unread = iif(in_flight = 2, 0, ?), detail = iif(in_flight = 2, detail, ?),"
                " reason = iif(in_flight = 2, '', 'partly-read') WHERE id = ?",
                (unread, detail, file_id),
            )

    def keep_part(self, file_id: int, detail: str) -> None:
        """The pages of a file that are still to be read can't be: it stays as it is indexed."""
        with self.database.write() as connection:
            connection.execute(
                "UPDATE files SET state = iif(in_flight = 2, 'pending', 'done'), reason = '',"
                " detail = ?, partly = 1, attempts = 0, in_flight = 0, unread = 0 WHERE id = ?",
                (detail, file_id),
            )

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
                " unread = 0,"
                " units = 0, content_hash = NULL WHERE id = ?",
                (state, reason, detail, rule, file_id),
            )

    def keep_as_read(self, ids: Iterable[int]) -> None:
        """Stale files that can't be read better: they stay indexed as they are."""
        with self.database.write() as connection:
            connection.executemany(
                "UPDATE files SET stale = 0, in_flight = 0, attempts = 0 WHERE id = ?",
                [(i,) for i in ids],
            )

    def note_versions(self, readers: Sequence[Reader]) -> int:
        """Compare with what reads files now; how many files are to be read again for it.

        Indexed files that an older version read become stale. Files that gave nothing are pending
        again if the version of what reads them has grown since the last call.
        """
        now = {reader.name: reader.version for reader in readers}
        said = self.meta(_VERSIONS)
        before: dict[str, int] | None = None if said is None else json.loads(said)
        if before == now:
            return 0
        count = 0
        with self.database.write() as connection:
            for reader in readers:
                known = marks(reader.extensions)
                count += connection.execute(
                    "UPDATE files SET stale = 1 WHERE state = 'done' AND reading_version < ?"
                    f" AND (extractor = ? OR extractor = '' AND ext IN ({known}))",
                    (reader.version, reader.name, *reader.extensions),
                ).rowcount
                if before is not None and before.get(reader.name, 0) < reader.version:
                    count += connection.execute(
                        "UPDATE files SET state = 'pending', reason = '', detail = '', rule = '',"
                        f" attempts = 0 WHERE reason IN ({marks(READERS_REASONS)})"
                        f" AND ext IN ({known})",
                        (*READERS_REASONS, *reader.extensions),
                    ).rowcount
            # Told by their first bytes, and by whom was not noted.
            extensions = [ext for reader in readers for ext in reader.extensions]
            count += connection.execute(
                "UPDATE files SET stale = 1 WHERE state = 'done' AND reading_version < ?"
                f" AND extractor = '' AND ext NOT IN ({marks(extensions)})",
                (min(now.values(), default=0), *extensions),
            ).rowcount
            connection.execute(
                "INSERT OR REPLACE INTO meta VALUES (?, ?)", (_VERSIONS, json.dumps(now))
            )
        return count

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
