"""Reads an archive: its files, their units and readers, and what was changed since a commit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import numpy as np
import pyarrow as pa

from engine.archive import layout
from engine.archive.entries import About, ArchivedFile, Changes
from engine.archive.place import Place
from engine.archive.tables import Table
from engine.contract.errors import StoreDamagedError
from engine.store.rows import StoredUnit

#: Commits whose files are looked up at once.
_COMMITS_AT_ONCE = 500
#: Files whose units are read at once.
_FILES_AT_ONCE = 100
#: A reader that meets a writer looks again, so often: each time the file was written anew.
_LOOKS = 20


class Reader:
    """What an archive tells; for any thread, while others write."""

    def __init__(self, tables: Mapping[str, Table], about: About, place: Place) -> None:
        self.about = about
        self.place = place
        self._units, self._files = tables["units"], tables["files"]
        self._commits, self._rights = tables["commits"], tables["rights"]
        self._lock = threading.RLock()
        self._tokens: list[int] = []  # of all commits known here, in order
        self._places: dict[int, int] = {}  # the same, by token
        self._readers: dict[int, tuple[str, ...]] = {}

    @property
    def commit(self) -> int:
        """The number of the newest commit."""
        return len(self.tokens())

    def tokens(self) -> Sequence[int]:
        """What each commit's files say of it, in the order of the commits."""
        with self._lock:
            self._renew()
            return self._tokens

    def files(self, columns: Collection[str] | None = None) -> Iterator[ArchivedFile]:
        """All files that are there. `columns`: fields that are wanted, of which `thumb` alone
        costs anything: where it is not among them, there is none."""
        wanted = _columns(thumbs=columns is None or "thumb" in columns)
        for batch in self._files.batches(wanted, f"state != '{layout.GONE}'"):
            yield from self._files_of(batch)

    def file(self, file_id: int) -> ArchivedFile | None:
        """One file, if it is there."""
        found = self._files_of(self._rows_of_files([file_id], _columns(thumbs=True)))
        return found[0] if found else None

    def changes(self, after: int, limit: int | None = None) -> Changes:
        """What was changed since commit `after`; with a limit, in whole commits until so many
        files are together."""
        tokens = self.tokens()
        if after > len(tokens):
            return Changes(len(tokens), rewound=True)
        files: list[ArchivedFile] = []
        rerighted: list[ArchivedFile] = []
        gone: list[int] = []
        upto = after
        while upto < len(tokens):
            some: Sequence[int] = tokens[upto : upto + _COMMITS_AT_ONCE]
            if limit is not None:
                room = limit - len(files) - len(gone) - len(rerighted)
                some = some[: self._fitting(some, room) or int(upto == after)]
                if not some:
                    break
            rows = self._files.rows_of("change", some, _columns(thumbs=True))
            lives = [state != layout.GONE for state in rows["state"].to_pylist()]
            ids = rows["file_id"].to_pylist()
            gone += [i for i, lives_on in zip(ids, lives, strict=True) if not lives_on]
            there = rows.filter(pa.array(lives, pa.bool_()))
            written = there["written"].to_pylist()
            for file, put in zip(self._files_of(there), written, strict=True):
                # Of what was put later than these commits, the units are new as well.
                before = self._places.get(put, len(tokens)) < after
                (rerighted if before else files).append(file)
            upto += len(some)
        kinds = self._commits.rows(["kind"], offset=after)["kind"].to_pylist()[: upto - after]
        return Changes(upto, tuple(files), tuple(gone), tuple(rerighted), layout.REWOUND in kinds)

    def _fitting(self, tokens: Sequence[int], limit: int) -> int:
        """How many of these commits have no more files than that together."""
        counts = Counter(self._files.rows_of("change", tokens, ["change"])["change"].to_pylist())
        total = np.cumsum([counts[change] for change in tokens])
        return int(np.searchsorted(total, limit, "right"))

    def units(self, file_ids: Iterable[int]) -> Iterator[StoredUnit]:
        """All units of files, in order; a file's are all there and of one put, or none is."""
        wanted = list(dict.fromkeys(file_ids))
        for start in range(0, len(wanted), _FILES_AT_ONCE):
            yield from self._whole(wanted[start : start + _FILES_AT_ONCE])

    def readers(self) -> Mapping[int, tuple[str, ...]]:
        """Of each class of rights, who may read its files."""
        rows = self._rights.rows(["id", "readers"])
        names = zip(rows["id"].to_pylist(), rows["readers"].to_pylist(), strict=True)
        with self._lock:
            self._readers = {number: tuple(readers) for number, readers in names}
            return dict(self._readers)

    def _renew(self) -> None:
        """Read the tokens of commits that came meanwhile."""
        if self._commits.count() < len(self._tokens):
            self._tokens, self._places = [], {}
        known = len(self._tokens)
        fresh = self._commits.rows(["token"], offset=known)["token"].to_pylist()
        # Of one that was published twice, the later place counts.
        self._places.update(zip(fresh, range(known, known + len(fresh)), strict=True))
        self._tokens = [*self._tokens, *fresh]

    def _rows_of_files(self, ids: Sequence[int], columns: Sequence[str]) -> pa.Table:
        """Rows of files that are there; `state` is among the columns."""
        rows = self._files.rows_of("file_id", ids, columns)
        lives = [state != layout.GONE for state in rows["state"].to_pylist()]
        return rows.filter(pa.array(lives, pa.bool_()))

    def _files_of(self, rows: pa.Table) -> list[ArchivedFile]:
        plain = rows.to_pylist()
        if {row["rights"] for row in plain} - self._readers.keys():
            self.readers()
        return [layout.file_of(row, self._readers) for row in plain]

    def _generations(self, ids: Sequence[int]) -> dict[int, int]:
        """The generations of those files that have units."""
        rows = self._files.rows_of("file_id", ids, ["file_id", "generation"])
        pairs = zip(rows["file_id"].to_pylist(), rows["generation"].to_pylist(), strict=True)
        return {file_id: generation for file_id, generation in pairs if generation}

    def _whole(self, ids: Sequence[int]) -> list[StoredUnit]:
        order = {file_id: place for place, file_id in enumerate(ids)}
        for _ in range(_LOOKS):
            rows = self._files.rows_of("file_id", ids, ["file_id", "generation", "units"])
            wanted = {(r["file_id"], r["generation"]): r["units"] for r in rows.to_pylist()}
            units = self._units_of({key for key, count in wanted.items() if count})
            if len(units) == sum(wanted.values()):
                return sorted(units, key=lambda u: (order[u.unit.file_id], u.unit.ordinal))
            if self._generations(ids) == {i: g for i, g in wanted if g}:
                break  # nobody is writing: they are lost
        raise StoreDamagedError(
            "Files of the archive {uri} have not all of their units.",
            hint="inkling fill, once more, reads them again.",
            told={"uri": self.place.uri},
        )

    def _units_of(self, keys: Collection[tuple[int, int]]) -> list[StoredUnit]:
        """The units of files in these generations."""
        columns = layout.units_schema(self.about.dim).names
        rows = self._units.rows_of("file_id", sorted({file_id for file_id, _ in keys}), columns)
        found = zip(
            *(rows[name].to_pylist() for name in ("file_id", "generation", "id")), strict=True
        )
        # A commit whose success an object store failed to tell may have been made twice.
        seen = set[str]()
        mine = []
        for file_id, generation, unit_id in found:
            mine.append((file_id, generation) in keys and unit_id not in seen)
            if mine[-1]:
                seen.add(unit_id)
        return layout.units_of(rows.filter(pa.array(mine, pa.bool_())), self.about.dim)


def _columns(*, thumbs: bool) -> list[str]:
    return [name for name in layout.FILE_COLUMNS if thumbs or name != "thumb"]
