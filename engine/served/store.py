"""The store over Qdrant: points and the numbers beside them, with one writer and any number of
views."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from engine.contract.errors import InklingError, StoreTooNewError
from engine.served.payload import RECORDS, checked, points_of, shape_of_units
from engine.served.points import AnyOfValues, Filter, IsPoint, Point, Points, parts, point_id
from engine.served.statistics import Counted, Rights, Statistics
from engine.served.view import View
from engine.store.rows import StoredUnit

log = logging.getLogger(__name__)

#: Of what is written here: raised when an older one can't be read, which is then made anew.
VERSION = 1
_NOTES = point_id("")  # of no unit: a point among the records, with what is noted of all
_POINTS_AT_ONCE = 500
_FILES_AT_ONCE = 1_000


class Described(Protocol):
    """What of an archive's description matters here."""

    @property
    def archive_id(self) -> str: ...

    @property
    def space(self) -> str: ...

    @property
    def dim(self) -> int: ...


class QdrantStore:
    """All units of one archive in one space, in the process or on a server. Views read from any
    thread; one thread writes. Whatever fails leaves as an InklingError."""

    def __init__(
        self, units: Points, records: Points, statistics: Statistics, about: Described
    ) -> None:
        self.units, self.records, self.statistics = units, records, statistics
        self._about = about
        self._write = threading.RLock()
        self._writes = 0
        self._views: dict[Rights, View] = {}
        self._synced = self._checked()
        self._counted_right()

    @classmethod
    def open(
        cls,
        where: Path | str,
        about: Described,
        api_key: str | None = None,
        *,
        beside: Path | None = None,
    ) -> QdrantStore:
        """Open, or make, what stands for this archive: in a folder, or at a server's URL.

        `beside`: a folder for what one reader of a server counts for itself; without it that is
        counted anew at each start.
        """
        shape = shape_of_units(about.dim)
        if isinstance(where, Path) or "://" not in where:
            from engine.served.edge import EdgePoints

            folder = Path(where)
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            units: Points = EdgePoints(folder / "units", shape)
            try:
                records: Points = EdgePoints(folder / "records", RECORDS)
            except BaseException:
                units.close()
                raise
            beside = folder
        else:
            from engine.served.server import connected

            units, records = connected(
                where, about.archive_id, about.space, api_key, shape, RECORDS
            )
        try:
            if beside is not None:
                beside.mkdir(parents=True, exist_ok=True, mode=0o700)
            counted = None if beside is None else beside / "statistics.sqlite"
            return cls(units, records, Statistics(counted), about)
        except BaseException:
            units.close()
            records.close()
            raise

    def _checked(self) -> int:
        """The commit that the points stand for; -1 before the first. InklingError if they are of
        something else."""
        notes = self._notes()
        if notes is None:
            return -1
        if int(str(notes["version"])) > VERSION:
            raise StoreTooNewError(
                "A later Inkling wrote the team's index.",
                hint="Update Inkling, or let it make an index of its own beside that.",
            )
        mine = (self._about.archive_id, self._about.space, self._about.dim, VERSION)
        theirs = tuple(notes[key] for key in ("archive", "space", "dim", "version"))
        if mine != theirs:
            raise InklingError(
                "The team's index was made from another archive, or for another model.",
                hint="Give this service a folder or a server's collection of its own.",
            )
        return int(str(notes["synced"]))

    def _notes(self) -> Mapping[str, object] | None:
        found = self.records.fetch([_NOTES], None)
        return found[0].payload if found else None

    def _counted_right(self) -> None:
        """Have numbers that are right: count again what a crash left open, or all of it."""
        numbers = self.statistics
        if numbers.is_whole and numbers.about("synced") == self._synced:
            if unsettled := numbers.unsettled():
                log.info("%d files of the team's index are counted again", len(unsettled))
                self._count_again(unsettled)
            return
        log.info("the words of the team's index are counted")
        numbers.clear()
        for page in parts(self.units.scroll(Filter(), ("fts", "rights")), 5_000):
            by_class: dict[int, Counted] = {}
            for point in page:
                rights = point.payload["rights"]
                by_class.setdefault(rights, Counted(rights)).add(point.payload.get("fts", ""))
            numbers.change((), by_class.values(), {})
        numbers.note("synced", self._synced)
        numbers.whole()

    def _count_again(self, files: Mapping[int, Counted | None]) -> None:
        """Count what there is of files that were taken to count so much."""
        before = [counted for counted in files.values() if counted is not None]
        now = self._counted(files)
        self.statistics.change(before, now.values(), {i: now.get(i) for i in files})

    def _counted(self, file_ids: Iterable[int]) -> dict[int, Counted]:
        """What the points of these files count, by file. A file cut short in the middle of a
        change of rights is of the class of its first point: the change is made again."""
        counted: dict[int, Counted] = {}
        for some in parts(file_ids, _FILES_AT_ONCE):
            where = Filter((AnyOfValues("file_id", some),))
            for point in self.units.scroll(where, ("file_id", "fts", "rights")):
                file_id, rights = point.payload["file_id"], point.payload["rights"]
                known = counted.setdefault(file_id, Counted(rights))
                if known.rights != rights:
                    self.units.assign(
                        Filter((AnyOfValues("file_id", [file_id]),)), {"rights": known.rights}
                    )
                known.add(point.payload.get("fts", ""))
        return counted

    @property
    def writes(self) -> int:
        """Grows with everything that is written."""
        return self._writes

    def view(self, rights: frozenset[int] | None = None) -> View:
        """The units of some classes of rights; None: all."""
        known = self._views.get(rights)
        if known is None:
            if len(self._views) > 256:
                self._views.clear()
            known = self._views[rights] = View(self, rights)
        return known

    def upsert(self, units: Sequence[StoredUnit], rights: Mapping[int, int]) -> None:
        """Make these the only units of their files, which are given whole; `rights` has the class
        of each file. Every view sees them from then on; they are safe from a power cut when `flush`
        or `synced` has returned."""
        checked(units, rights)
        points, records = points_of(units, rights)
        come: dict[int, Counted | None] = {}
        for point in points:
            file_id = point.payload["file_id"]
            counted = come.setdefault(file_id, Counted(rights[file_id]))
            assert counted is not None
            counted.add(point.payload["fts"])
        if not points:
            return
        files = Filter((AnyOfValues("file_id", list(come)),))
        with self._changing(come) as there:
            if there:  # what is over of them, and of their tokens
                self.units.delete(files & _others(points))
                self.records.delete(files & _others(records))
            for some in parts(records, _POINTS_AT_ONCE):
                self.records.upsert(some)
            for some in parts(points, _POINTS_AT_ONCE):
                self.units.upsert(some)

    def delete(self, file_ids: Iterable[int]) -> None:
        """Remove the files' units."""
        for some in parts(file_ids, _FILES_AT_ONCE):
            files = Filter((AnyOfValues("file_id", some),))
            with self._changing(dict.fromkeys(some)):
                self.units.delete(files)
                self.records.delete(files)

    def set_rights(self, rights: Mapping[int, int]) -> None:
        """Put files into other classes of rights."""
        for some in parts(rights, _FILES_AT_ONCE):
            come: dict[int, Counted | None] = {}
            with self._write:
                for i, counted in self._known(some).items():
                    come[i] = Counted(rights[i], counted.units, counted.words, counted.holders)
            by_class: dict[int, list[int]] = {}
            for file_id in come:
                by_class.setdefault(rights[file_id], []).append(file_id)
            with self._changing(come):
                for chosen, files in by_class.items():
                    where = Filter((AnyOfValues("file_id", files),))
                    self.units.assign(where, {"rights": chosen})
                    self.records.assign(where, {"rights": chosen})

    def _known(self, file_ids: Iterable[int]) -> dict[int, Counted]:
        """What files are taken to count: as was noted, or as their points have it."""
        asked = list(file_ids)
        noted = self.statistics.unsettled_of(asked)
        known = self._counted([i for i in asked if i not in noted])
        return known | {i: counted for i, counted in noted.items() if counted is not None}

    @contextmanager
    def _changing(self, come: Mapping[int, Counted | None]) -> Iterator[bool]:
        """A change after which these files count so much; tells whether any of them is there.

        The numbers go first: a crash leaves them noted as unsettled, and those files are counted
        again.
        """
        with self._write:
            before = self._known(come)
            now = [counted for counted in come.values() if counted is not None]
            self.statistics.change(before.values(), now, come)
            try:
                yield bool(before)
            except BaseException:
                self._try_to_count_again(come)
                raise
            finally:
                self._writes += 1

    def _try_to_count_again(self, come: Mapping[int, Counted | None]) -> None:
        try:
            self._count_again(come)
        except InklingError as error:  # then it is done when the store is opened again
            log.warning("files of the team's index could not be counted again: %s", error)

    @property
    def synced(self) -> int:
        """The commit of the archive that the points stand for; -1 before the first."""
        return self._synced

    @synced.setter
    def synced(self, commit: int) -> None:
        """All up to this commit is written: have it on disk, then note so."""
        with self._write:
            self._flush_points()
            told = {
                "archive": self._about.archive_id,
                "space": self._about.space,
                "dim": self._about.dim,
                "version": VERSION,
                "synced": commit,
            }
            self.records.upsert([Point(_NOTES, told)])
            self.records.flush()
            self.statistics.note("synced", commit)
            self.statistics.settle()
            self._synced = commit

    def flush(self) -> None:
        """Have all that was written on disk."""
        with self._write:
            self._flush_points()
            self.statistics.settle()

    def _flush_points(self) -> None:
        self.units.flush()
        self.records.flush()

    def tend(self) -> None:
        """Keep searching fast: to be called after much was written, and when idle."""
        self.units.tend()
        self.records.tend()

    def close(self) -> None:
        """Let go of everything; a write in progress is finished first."""
        with self._write:
            self.units.close()
            self.records.close()
            self.statistics.close()


def _others(points: Sequence[Point]) -> Filter:
    """Whatever is none of these."""
    return Filter(must_not=(IsPoint([point.id for point in points]),))
