"""The archive: files with their units and readers, changed in commits, followed from commit on.

A put adds the units first, with a number of their own (their generation), and then, in one commit,
the files' rows that name it; last comes the row of `commits`. So a file has its old units or its
new ones, and never a mixture, wherever a writer is killed; what it leaves is of no file, and is
swept.
Two writers come to the same: the later row of a file counts, and a commit's number is its place in
a table that is only added to.
"""

from __future__ import annotations

import logging
import os
import platform
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Self

import pyarrow as pa

from engine.archive import layout, order
from engine.archive.conformance import check_object_store
from engine.archive.entries import About, ArchivedFile
from engine.archive.ids import rights_class, token
from engine.archive.opening import create, open_tables
from engine.archive.place import Place
from engine.archive.reading import Reader
from engine.archive.tables import Table, Tables, among
from engine.archive.upkeep import Upkeep
from engine.contract.errors import InklingError, RefusedRowsError, StoreBusyError
from engine.models.registry import ModelSpec
from engine.store.rows import StoredUnit

log = logging.getLogger(__name__)

#: Units of no file are swept when they are so old (s): those of a put that is under way are not.
ORPHANS_OLD = 3600.0


class Archive(Reader):
    """One archive, open; for any thread, and for several processes at once."""

    def __init__(
        self, tables: Mapping[str, Table], about: About, place: Place, read_only: bool
    ) -> None:
        super().__init__(tables, about, place)
        self._read_only = read_only
        self._closed = False
        self._upkeep = Upkeep([self._units, self._files, self._commits, self._rights])
        #: What was lost of it since it was open last, a sentence each; see `inkling fill`.
        self.lost: tuple[str, ...] = ()

    @classmethod
    def create(
        cls,
        uri: str | os.PathLike[str],
        name: str,
        spec: ModelSpec,
        options: Mapping[str, str] | None = None,
        versions: Mapping[str, str] | None = None,
    ) -> Self:
        """A new archive for a model's vectors; InklingError where there is one, or anything."""
        place = Place.of(uri, options)
        check_object_store(place)
        create(Tables(place), name, spec, versions or {})
        return cls.open(uri, options)

    @classmethod
    def open(
        cls,
        uri: str | os.PathLike[str],
        options: Mapping[str, str] | None = None,
        read_only: bool = False,
        spec: ModelSpec | None = None,
    ) -> Self:
        """The archive that is there, for this model's vectors where one is named.

        For writing, what a killed writer left is put in order first, and what can't be read is
        given up (`lost`). InklingError in a sentence for whatever is not as it should be: no
        archive there, no way to it, another model's.
        """
        place = Place.of(uri, options)
        if not read_only:
            check_object_store(place)
        opened, about, damaged = open_tables(place, spec, read_only)
        archive = cls(opened, about, place, read_only)
        if not read_only:
            archive._recover(damaged)
        return archive

    def put(self, files: Sequence[tuple[ArchivedFile, Sequence[StoredUnit]]]) -> int:
        """Make these the files and their only units; the number of the commit.

        RefusedRowsError if a row can't be stored: then none of them was. When this returns, all is
        there for good; if it does not, put them again.
        """
        self._check(files)
        with self._writing():
            if not files:
                return self.commit
            now = token()
            units = [unit for _, some in files for unit in some]
            self._add_readers(file.rights for file, _ in files)
            before = self._generations([file.file_id for file, _ in files])
            if units:
                self._units.add(layout.unit_rows(units, now, self.about.dim))
            counted = [(file, len(some)) for file, some in files]
            self._merge(layout.file_rows(counted, now, self.about.dim))
            return self._published(now, "put", len(files), before)

    def remove(self, file_ids: Iterable[int]) -> int:
        """Files are gone: their rows say so, and their units go; the number of the commit."""
        with self._writing():
            known = self._rows_of_files(sorted(set(file_ids)), ["file_id", "state"])
            ids = known["file_id"].to_pylist()
            if not ids:
                return self.commit
            before, now = self._generations(ids), token()
            self._merge(layout.patch(ids, now, state=layout.GONE, units=0, generation=0))
            return self._published(now, "remove", len(ids), before)

    def set_rights(self, rights: Mapping[int, frozenset[str]]) -> int:
        """Give files other readers; the number of the commit. Their units are not touched."""
        with self._writing():
            wanted = {file_id: rights_class(readers) for file_id, readers in rights.items()}
            rows = self._rows_of_files(sorted(wanted), ["file_id", "rights", "state"]).to_pylist()
            known = {row["file_id"]: row["rights"] for row in rows}
            changed = [file_id for file_id, old in known.items() if wanted[file_id] != old]
            if not changed:
                return self.commit
            self._add_readers(rights[file_id] for file_id in changed)
            now = token()
            self._merge(layout.patch(changed, now, rights=[wanted[i] for i in changed]))
            return self._published(now, "rights", len(changed), {})

    def check(self) -> list[str]:
        """What is not as it should be, a sentence each; nothing where all is well."""
        return list(order.faults(self))

    def incomplete(self) -> set[int]:
        """Files that have not all of their units, which a damaged disk or bucket leaves: they are
        to be read again."""
        return set(order.incomplete(self))

    def orphans(self) -> int:
        """Units of no file, as a killed writer leaves them."""
        return sum(stale.units for stale in order.stale(self))

    def sweep(self, older_than: float = ORPHANS_OLD) -> int:
        """Remove the units of no file that were written so many seconds ago; how many they were.

        With less than a put may take, nobody else may be writing.
        """
        with self._writing():
            found = order.stale(self, older_than)
            for stale in found:
                self._units.delete(stale.condition)
            return sum(stale.units for stale in found)

    def compact(self) -> None:
        """Bring the tables into the form that is read fastest; remove what is of no use."""
        with self._writing():
            self.sweep()
            self._upkeep.run()

    def close(self) -> None:
        """Nothing is written any more; a write in progress is finished first."""
        with self._lock:
            self._closed = True

    def _writing(self) -> threading.RLock:
        if self._closed:
            raise InklingError("The archive is closed; nothing was stored.")
        if self._read_only:
            raise InklingError("The archive is open for reading only: nothing was stored.")
        return self._lock

    def _check(self, files: Sequence[tuple[ArchivedFile, Sequence[StoredUnit]]]) -> None:
        about, seen = self.about, set[int]()
        for file, units in files:
            path, ordinals = file.facts.path, [stored.unit.ordinal for stored in units]
            if file.file_id in seen or len(set(ordinals)) < len(ordinals):
                raise RefusedRowsError("A file or unit is there twice in one put.", path=path)
            seen.add(file.file_id)
            for stored in units:
                if stored.unit.file_id != file.file_id:
                    raise RefusedRowsError("A unit is of another file.", path=path)
                dim = about.dim if stored.vector is None else len(stored.vector)
                wide = about.token_dim if stored.tokens is None else stored.tokens.tokens.shape[1]
                if (dim, wide) != (about.dim, about.token_dim):
                    raise RefusedRowsError(
                        "The vectors are of another model than the archive's, {model}.",
                        hint="Fill it with that model, or make another archive.",
                        path=path,
                        told={"model": about.model},
                    )

    def _merge(self, rows: pa.Table) -> None:
        """Write files' rows, or some columns of rows that are there, in one commit."""

        def change(t: Any) -> None:
            merge = t.merge_insert("file_id").when_matched_update_all()
            if "path" in rows.column_names:
                merge = merge.when_not_matched_insert_all()
            merge.execute(rows)

        self._files.write(change)

    def _add_readers(self, sets: Iterable[frozenset[str]]) -> None:
        """Note who belongs to these classes, before a file is of one."""
        new = {rights_class(readers): sorted(readers) for readers in sets}
        if new.keys() <= self._readers.keys() or new.keys() <= self.readers().keys():
            return
        rows = [{"id": number, "readers": readers} for number, readers in new.items()]
        table = pa.Table.from_pylist(rows, schema=layout.RIGHTS)

        def add(t: Any) -> None:
            t.merge_insert("id").when_not_matched_insert_all().execute(table)

        self._rights.write(add)

    def _published(self, now: int, kind: str, files: int, before: Mapping[int, int]) -> int:
        """Give a change its number, and then do what may as well be done by the next writer."""
        number = self._publish([(now, kind, files)])
        with suppress(StoreBusyError):  # swept later
            self._drop_units(before)
        self._upkeep.committed()
        return number

    def _publish(self, changes: Sequence[tuple[int, str, int]]) -> int:
        writer, now = f"{platform.node()}:{os.getpid()}", time.time()
        rows = [
            {"token": t, "kind": kind, "files": files, "time": now, "writer": writer}
            for t, kind, files in changes
        ]
        self._commits.add(pa.Table.from_pylist(rows, schema=layout.COMMITS))
        self._renew()
        return self._places[changes[-1][0]] + 1

    def _drop_units(self, generations: Mapping[int, int]) -> None:
        """Remove the units that files had before."""
        numbers = ", ".join(map(str, sorted(set(generations.values()))))
        for where in among("file_id", sorted(generations)):
            self._units.delete(f"{where} AND generation IN ({numbers})")

    def _recover(self, damaged: Mapping[str, int]) -> None:
        """Number the changes of a killed writer; where commits were given up, say which, and have
        files without their units read again."""
        with self._lock:
            changes = [(change, "found", 0) for change in order.unpublished(self)]
            if damaged:
                self.lost = tuple(order.losses(self, damaged))
                for sentence in self.lost:
                    log.warning("%s", sentence)
                if incomplete := order.incomplete(self):
                    now = token()
                    self._merge(
                        layout.patch(
                            incomplete, now, state="pending", version="", units=0, generation=0
                        )
                    )
                    changes.append((now, "found", len(incomplete)))
                changes.append((token(), layout.REWOUND, 0))
            if changes:
                self._publish(changes)
