"""The archive: files with their units and readers, changed in commits, followed from commit on.

A put adds the units first, with a number of their own (their generation), and then, in one commit,
the files' rows that name it; last comes the row of `commits`. So a file has its old units or its
new ones, and never a mixture, wherever a writer is killed; what it leaves is of no file, and is
swept.
Two writers come to the same: the later row of a file counts, and a commit's number is its place in
a table that is only added to.
"""

from __future__ import annotations

import os
import platform
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from engine.archive import layout
from engine.archive.entries import About, ArchivedFile, Changes
from engine.archive.ids import rights_class, token
from engine.archive.opening import create, open_tables
from engine.archive.place import Place
from engine.archive.tables import Table, Tables, among
from engine.archive.upkeep import Upkeep
from engine.contract.errors import InklingError, RefusedRowsError
from engine.models.registry import ModelSpec
from engine.store.rows import StoredUnit

#: Commits whose files are looked up at once.
_COMMITS_AT_ONCE = 500
#: A reader that meets a writer looks again, so often: each time the file was written anew.
_LOOKS = 20


class Archive:
    """One archive, open; for any thread, and for several processes at once."""

    def __init__(
        self, tables: Mapping[str, Table], about: About, place: Place, read_only: bool
    ) -> None:
        self.about = about
        self.place = place
        self._read_only = read_only
        self._units, self._files = tables["units"], tables["files"]
        self._commits, self._rights = tables["commits"], tables["rights"]
        self._lock = threading.RLock()
        self._closed = False
        self._tokens: list[int] = []  # of all commits known here, in order
        self._places: dict[int, int] = {}  # the same, by token
        self._readers: dict[int, tuple[str, ...]] = {}
        self._upkeep = Upkeep([self._units, self._files, self._commits, self._rights])

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

        For writing, what a killed writer left is put in order first. InklingError in a sentence
        for whatever is not as it should be: no archive there, no way to it, another model's.
        """
        place = Place.of(uri, options)
        opened, about, lost = open_tables(Tables(place), spec, read_only)
        archive = cls(opened, about, place, read_only)
        if not read_only:
            archive._recover(lost)
        return archive

    # Reading

    @property
    def commit(self) -> int:
        """The number of the newest commit."""
        with self._lock:
            self._renew()
            return len(self._tokens)

    def files(self, columns: Collection[str] | None = None) -> Iterator[ArchivedFile]:
        """All files that are there. `columns`: fields that are wanted, of which `thumb` alone
        costs anything: where it is not among them, there is none."""
        wanted = _columns(self._files, thumbs=columns is None or "thumb" in columns)
        for batch in self._files.batches(wanted, f"state != '{layout.GONE}'"):
            yield from self._files_of(batch)

    def file(self, file_id: int) -> ArchivedFile | None:
        """One file, if it is there."""
        found = self._files_of(self._rows_of_files([file_id], thumbs=True))
        return found[0] if found else None

    def changes(self, after: int, limit: int | None = None) -> Changes:
        """What was changed since commit `after`; with a limit, in whole commits until so many
        files are together."""
        with self._lock:
            self._renew()
            tokens, places = self._tokens, self._places
        if after > len(tokens):
            return Changes(len(tokens), rewound=True)
        files: list[ArchivedFile] = []
        rerighted: list[ArchivedFile] = []
        gone: list[int] = []
        rewound = self._rewound_after(after)
        step = _COMMITS_AT_ONCE
        upto = after
        while upto < len(tokens):
            some = tokens[upto : upto + step]
            rows = self._rows("change", some, _columns(self._files, thumbs=True, own=True))
            if limit is not None and step > 1:
                some, rows = _whole_commits(some, rows, limit - len(files) - len(gone))
            upto += len(some)
            old = rows["state"].to_pylist()
            gone += [
                i for i, s in zip(rows["file_id"].to_pylist(), old, strict=True) if s == layout.GONE
            ]
            there = rows.filter(np.array([s != layout.GONE for s in old], dtype=bool))
            for file, written in zip(
                self._files_of(there), there["written"].to_pylist(), strict=True
            ):
                known = places.get(written, len(tokens)) < after
                (rerighted if known else files).append(file)
            if limit is not None and len(files) + len(gone) + len(rerighted) >= limit:
                break
        return Changes(upto, tuple(files), tuple(gone), tuple(rerighted), rewound)

    def units(self, file_ids: Iterable[int]) -> Iterator[StoredUnit]:
        """All units of files, in order; a file's are all there and of one put, or none is."""
        wanted = list(file_ids)
        for start in range(0, len(wanted), 100):
            yield from self._whole(wanted[start : start + 100])

    def readers(self) -> Mapping[int, tuple[str, ...]]:
        """Of each class of rights, who may read its files."""
        with self._lock:
            rows = self._rights.rows(["id", "readers"])
            names = zip(rows["id"].to_pylist(), rows["readers"].to_pylist(), strict=True)
            self._readers = {number: tuple(readers) for number, readers in names}
            return dict(self._readers)

    # Writing

    def put(self, files: Sequence[tuple[ArchivedFile, Sequence[StoredUnit]]]) -> int:
        """Make these the files and their only units; the number of the commit.

        RefusedRowsError if a row can't be stored: then none of them was. When this returns, all is
        there for good; if it does not, put them again.
        """
        self._check(files)
        if not files:
            return self.commit
        with self._writing():
            now = token()
            units = [unit for _, some in files for unit in some]
            self._add_readers(file.rights for file, _ in files)
            ids = [file.file_id for file, _ in files]
            before = self._generations(ids)
            if units:
                self._units.add(layout.unit_rows(units, now, self.about.dim))
            counted = [(file, len(some)) for file, some in files]
            self._merge(layout.file_rows(counted, now, self.about.dim))
            number = self._publish([(now, "put", len(files))])
            self._drop_units(before)
            return number

    def remove(self, file_ids: Iterable[int]) -> int:
        """Files are gone: their rows say so, and their units go; the number of the commit."""
        ids = sorted(set(file_ids))
        with self._writing():
            before = self._generations(ids)
            there = self._rows("file_id", ids, ["file_id", "state"])
            known = [row["file_id"] for row in there.to_pylist() if row["state"] != layout.GONE]
            if not known:
                return self.commit
            now = token()
            self._merge(
                _patch(known, now, self._files.schema, state=layout.GONE, units=0, generation=0)
            )
            number = self._publish([(now, "remove", len(known))])
            self._drop_units(before)
            return number

    def set_rights(self, rights: Mapping[int, frozenset[str]]) -> int:
        """Give files other readers; the number of the commit. Their units are not touched."""
        with self._writing():
            rows = self._rows("file_id", sorted(rights), ["file_id", "rights", "state"])
            changed = {
                row["file_id"]: rights_class(rights[row["file_id"]])
                for row in rows.to_pylist()
                if row["state"] != layout.GONE
                and row["rights"] != rights_class(rights[row["file_id"]])
            }
            if not changed:
                return self.commit
            self._add_readers(rights[i] for i in changed)
            now = token()
            self._merge(
                _patch(list(changed), now, self._files.schema, rights=list(changed.values()))
            )
            return self._publish([(now, "rights", len(changed))])

    # Order

    def check(self) -> list[str]:
        """What is not as it should be, a sentence each; nothing where all is well."""
        said = []
        if wrong := len(self.incomplete()):
            said.append(
                f"{wrong} files have not all of their units: inkling fill reads them again."
            )
        classes = set(self._files.column("rights").to_pylist()) - self.readers().keys()
        if classes:
            said.append(f"{len(classes)} classes of readers are not known.")
        if orphans := self.orphans():
            said.append(f"{orphans} units are of no file, which a killed writer left.")
        if unpublished := self._unpublished():
            said.append(f"{len(unpublished)} changes are in no commit yet.")
        return said

    def incomplete(self) -> set[int]:
        """Files that have not all of their units, which a damaged disk or bucket leaves: they are
        to be read again."""
        counts, wrong = self._counts(), set[int]()
        for batch in self._files.batches(["file_id", "generation", "units"]):
            for row in batch.to_pylist():
                found = counts.get((row["file_id"], row["generation"]), 0)
                if row["generation"] != 0 and found != row["units"]:
                    wrong.add(row["file_id"])
        return wrong

    def orphans(self) -> int:
        """Units of no file, as a killed writer leaves them."""
        return sum(count for _, count in self._stale())

    def sweep(self) -> int:
        """Remove the units of no file; how many. Nobody else may be writing."""
        with self._writing():
            stale = self._stale()
            for (file_id, generation), _ in stale:
                where = f"file_id = {file_id} AND generation = {generation}"
                self._units.delete(where)
            return sum(count for _, count in stale)

    def compact(self) -> None:
        """Bring the tables into the form that is read fastest, and remove old versions."""
        with self._writing():
            self._upkeep.run()

    def close(self) -> None:
        """Nothing is asked any more; a write in progress is finished first."""
        with self._lock:
            self._closed = True

    # What it is made of

    def _writing(self) -> threading.RLock:
        if self._closed:
            raise InklingError("The archive is closed; nothing was stored.")
        if self._read_only:
            raise InklingError("The archive is open for reading only: nothing was stored.")
        return self._lock

    def _check(self, files: Sequence[tuple[ArchivedFile, Sequence[StoredUnit]]]) -> None:
        about, seen = self.about, set[int]()
        for file, units in files:
            if file.file_id in seen:
                raise RefusedRowsError("A file is there twice in one put.", path=file.facts.path)
            seen.add(file.file_id)
            for stored in units:
                if stored.unit.file_id != file.file_id:
                    raise RefusedRowsError("A unit is of another file.", path=file.facts.path)
                dim = about.dim if stored.vector is None else len(stored.vector)
                wide = stored.tokens.tokens.shape[1] if stored.tokens is not None else 0
                if dim != about.dim or wide not in (0, about.token_dim):
                    raise RefusedRowsError(
                        "The vectors are of another model than the archive's, {model}.",
                        hint="Fill it with that model, or make another archive.",
                        path=file.facts.path,
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
        new = {rights_class(readers): tuple(sorted(readers)) for readers in sets}
        if new.keys() <= self._readers.keys() or new.keys() <= self.readers().keys():
            return
        rows = pa.Table.from_pylist(
            [{"id": i, "readers": list(r)} for i, r in new.items()], schema=layout.RIGHTS
        )
        self._rights.write(
            lambda t: t.merge_insert("id").when_not_matched_insert_all().execute(rows)
        )

    def _publish(self, changes: Sequence[tuple[int, str, int]]) -> int:
        """Give changes their numbers; that of the last one."""
        writer, now = f"{platform.node()}:{os.getpid()}", time.time()
        rows = [
            {"token": t, "kind": kind, "files": files, "time": now, "writer": writer}
            for t, kind, files in changes
        ]
        self._commits.add(pa.Table.from_pylist(rows, schema=layout.COMMITS))
        self._upkeep.committed()
        self._renew()
        return self._places[changes[-1][0]] + 1

    def _renew(self) -> None:
        """Read the tokens of commits that came meanwhile."""
        if self._commits.count() < len(self._tokens):
            self._tokens, self._places = [], {}
        fresh = self._commits.rows(["token"], offset=len(self._tokens))["token"].to_pylist()
        tokens = [*self._tokens, *fresh]
        for place in range(len(self._tokens), len(tokens)):
            self._places[tokens[place]] = place  # of one that was published twice, the later
        self._tokens = tokens

    def _rewound_after(self, after: int) -> bool:
        kinds = self._commits.rows(["kind"], offset=after)["kind"].to_pylist()
        return "rewound" in kinds

    def _rows(self, column: str, ids: Sequence[int], columns: Sequence[str]) -> pa.Table:
        return self._files.rows_of(column, ids, columns)

    def _rows_of_files(self, ids: Sequence[int], *, thumbs: bool) -> pa.Table:
        rows = self._rows("file_id", ids, _columns(self._files, thumbs=thumbs, own=True))
        return rows.filter(
            np.array([s != layout.GONE for s in rows["state"].to_pylist()], dtype=bool)
        )

    def _files_of(self, rows: pa.Table) -> list[ArchivedFile]:
        plain = rows.to_pylist()
        if {row["rights"] for row in plain} - self._readers.keys():
            self.readers()
        return [layout.file_of(row, self._readers) for row in plain]

    def _generations(self, ids: Sequence[int]) -> dict[int, int]:
        rows = self._rows("file_id", ids, ["file_id", "generation"])
        pairs = zip(rows["file_id"].to_pylist(), rows["generation"].to_pylist(), strict=True)
        return {file_id: generation for file_id, generation in pairs if generation}

    def _drop_units(self, generations: Mapping[int, int]) -> None:
        """Remove the units that files had before."""
        if not generations:
            return
        ids = ", ".join(map(str, sorted(set(generations.values()))))
        for where in among("file_id", sorted(generations)):
            self._units.delete(f"{where} AND generation IN ({ids})")

    def _whole(self, ids: Sequence[int]) -> list[StoredUnit]:
        for _ in range(_LOOKS):
            rows = self._rows("file_id", ids, ["file_id", "generation", "units"]).to_pylist()
            counts = {(r["file_id"], r["generation"]): r["units"] for r in rows if r["generation"]}
            found = self._units.rows_of(
                "file_id", [i for i, _ in counts], layout.unit_columns(self.about.dim)
            )
            keys = list(
                zip(found["file_id"].to_pylist(), found["generation"].to_pylist(), strict=True)
            )
            found = found.filter(np.array([key in counts for key in keys], dtype=bool))
            if found.num_rows == sum(counts.values()):
                units = layout.units_of(found, self.about.dim)
                order = {file_id: place for place, file_id in enumerate(ids)}
                return sorted(units, key=lambda u: (order[u.unit.file_id], u.unit.ordinal))
            if self._generations(ids) == dict(counts):
                break  # nobody is writing: they are lost
        raise InklingError(
            "Files of the archive {uri} have not all of their units.",
            hint="inkling fill, once more, reads them again.",
            told={"uri": self.place.uri},
        )

    def _counts(self) -> dict[tuple[int, int], int]:
        """How many units there are of each file and generation."""
        counts: dict[tuple[int, int], int] = {}
        for batch in self._units.batches(["file_id", "generation"]):
            for key in zip(
                batch["file_id"].to_pylist(), batch["generation"].to_pylist(), strict=True
            ):
                counts[key] = counts.get(key, 0) + 1
        return counts

    def _stale(self) -> list[tuple[tuple[int, int], int]]:
        counts = self._counts()  # before the files: what is put meanwhile is not seen
        named = set[tuple[int, int]]()
        for batch in self._files.batches(["file_id", "generation"]):
            named.update(
                zip(batch["file_id"].to_pylist(), batch["generation"].to_pylist(), strict=True)
            )
        return [(key, count) for key, count in counts.items() if key not in named]

    def _unpublished(self) -> list[int]:
        """Changes whose writer was killed before they had a number."""
        changes: NDArray[np.int64] = np.unique(self._files.column("change").to_numpy())
        with self._lock:
            self._renew()
            known = np.array(self._tokens, dtype=np.int64)
            return [int(change) for change in np.setdiff1d(changes, known)]

    def _recover(self, lost: Sequence[str]) -> None:
        with self._lock:
            unpublished = [(t, "put", 0) for t in self._unpublished()]
            if lost:
                unpublished.append((token(), "rewound", 0))
            if unpublished:
                self._publish(unpublished)


def _columns(files: Table, *, thumbs: bool, own: bool = False) -> list[str]:
    hidden = {"generation", "written", "change"} if not own else set()
    return [n for n in layout.FILE_COLUMNS if n not in hidden and (thumbs or n != "thumb")]


def _patch(ids: Sequence[int], change: int, columns: pa.Schema, **values: Any) -> pa.Table:
    """Rows that change some columns of files that are there; a value for all, or one for each."""
    names = ["file_id", "change", *values]
    each = {
        "file_id": list(ids),
        "change": [change] * len(ids),
        **{n: v if isinstance(v, list) else [v] * len(ids) for n, v in values.items()},
    }
    return pa.table(
        [pa.array(each[name], columns.field(name).type) for name in names],
        schema=pa.schema([columns.field(name) for name in names]),
    )


def _whole_commits(tokens: list[int], rows: pa.Table, limit: int) -> tuple[list[int], pa.Table]:
    """As many of these commits, one at least, as have no more files than that."""
    of = rows["change"].to_pylist()
    counts = dict.fromkeys(tokens, 0)
    for change in of:
        counts[change] += 1
    total, kept = 0, 0
    for t in tokens:
        total += counts[t]
        if kept and total > limit:
            break
        kept += 1
    some = set(tokens[:kept])
    return tokens[:kept], rows.filter(np.array([change in some for change in of], dtype=bool))
