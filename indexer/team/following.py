"""Following an archive: what its commits change comes into names and points, in an order in which
answers stay right, and again where it was broken off."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from engine.archive.entries import ArchivedFile, Changes
from engine.contract.errors import InklingError
from engine.contract.put import put_in_place
from engine.store import StoredUnit
from indexer.team.names import Names

log = logging.getLogger(__name__)

#: New commits are looked for so often: they are seen within ten seconds, with what they take.
EVERY_S = 2.0
#: Files taken in at once: a few thousand units in memory.
BATCH = 200


class Archive(Protocol):
    """What is followed of an archive of record."""

    @property
    def commit(self) -> int:
        """Its newest commit."""

    def changes(self, after: int, limit: int | None = None) -> Changes:
        """What commits after this one changed."""

    def units(self, file_ids: Sequence[int]) -> Iterable[StoredUnit]:
        """The units of these files."""


class Points(Protocol):
    """What is written of the points, as `engine.served` keeps them."""

    @property
    def synced(self) -> int:
        """The commit that they stand for, durably; -1 before the first."""

    @synced.setter
    def synced(self, commit: int) -> None: ...

    def upsert(self, units: Sequence[StoredUnit], rights: Mapping[int, int]) -> None:
        """The only units of their files, and by file its rights class."""

    def delete(self, file_ids: Iterable[int]) -> None:
        """All units of these files."""

    def set_rights(self, rights: Mapping[int, int]) -> None:
        """Files are of other classes now."""

    def tend(self) -> None:
        """Keep searching fast."""


@dataclass(frozen=True, slots=True)
class Health:
    """How the service stands to its archive."""

    behind: bool = False  # there is more to be taken in
    away: str = ""  # why the archive can't be followed, and since when

    def told(self) -> list[dict[str, str]]:
        """As a status has it."""
        if not self.away:
            return []
        hint = "It answers from what was there then, and goes on by itself."
        return [{"level": "warning", "title": self.away, "hint": hint}]


class Follower:
    """Takes an archive's commits in, in a thread of its own."""

    def __init__(
        self,
        archive: Archive,
        names: Names,
        points: Points,
        thumbs: Path,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._archive, self._names, self._points = archive, names, points
        self._thumbs, self._clock = thumbs, clock
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="following", daemon=True)
        self._behind = True
        self._since, self._why = 0.0, ""

    def start(self) -> None:
        """Follow from now on."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is being taken in."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=60)

    def health(self) -> Health:
        """How it stands."""
        if not self._why:
            return Health(self._behind)
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self._since))
        return Health(self._behind, f"Nothing new is seen of the archive since {when}: {self._why}")

    def away(self) -> str:
        """The same sentence, for answers."""
        return self.health().away

    def step(self) -> bool:
        """Take some commits in; whether there may be more. InklingError if that is not possible."""
        after = min(self._names.commit, max(0, self._points.synced))
        changes = self._archive.changes(after, BATCH)
        if changes.rewound and after:
            log.error("Commits of the archive were lost: all that was made of it is made anew")
            self._clear()
            return True
        if changes.commit == after:
            if self._points.synced < after:
                self._points.synced = after  # an empty archive, too, is one
            return False
        self._take(changes)
        return True

    def _take(self, changes: Changes) -> None:
        names, points = self._names, self._points
        # The points may be ahead: another names' file was made of them.
        writes = changes.commit > points.synced
        # What is gone is so at once, in every lane; points that are still there are not shown.
        if changes.gone:
            names.apply(names.commit, (), changes.gone)
        units = list(self._archive.units([file.file_id for file in changes.files]))
        if writes:
            told = {stored.unit.file_id for stored in units}
            points.delete(
                [*changes.gone, *(f.file_id for f in changes.files if f.file_id not in told)]
            )
            points.upsert(units, {file.file_id: file.rights_class for file in changes.files})
            points.set_rights({file.file_id: file.rights_class for file in changes.rerighted})
        for file in changes.files:
            self._keep_thumb(file)
        for file_id in changes.gone:
            thumb_of(self._thumbs, file_id).unlink(missing_ok=True)
        languages = dict.fromkeys((file.file_id for file in changes.files), None) | {
            stored.unit.file_id: stored.unit.language for stored in reversed(units)
        }
        names.apply(
            max(names.commit, changes.commit),
            [*changes.files, *changes.rerighted],
            languages=languages,
        )
        if writes:
            points.synced = changes.commit
        names.left(changes.gone)

    def _keep_thumb(self, file: ArchivedFile) -> None:
        place = thumb_of(self._thumbs, file.file_id)
        if file.thumb is None:
            place.unlink(missing_ok=True)
            return
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = place.with_suffix(".new")
        fresh.write_bytes(file.thumb)
        put_in_place(fresh, place)

    def _clear(self) -> None:
        everything = self._names.ids()
        self._names.apply(0, (), everything)
        self._points.delete(everything)
        self._points.synced = 0
        self._names.left(everything)

    def _run(self) -> None:
        while not self._ending.is_set():
            try:
                was, self._behind = self._behind, self.step()
                if was and not self._behind:
                    self._points.tend()
                if self._why:
                    log.info("The archive is followed again")
                self._why = ""
            except (InklingError, OSError) as error:
                if not self._why:
                    self._since = self._clock()
                    log.error("The archive can't be followed: %s", error)
                self._why, self._behind = getattr(error, "message", str(error)), True
                self._ending.wait(EVERY_S)
                continue
            if not self._behind:
                self._ending.wait(EVERY_S)


def thumb_of(folder: Path, file_id: int) -> Path:
    """Where a file's thumbnail lies."""
    return folder / f"{file_id % 256:02x}" / f"{file_id}.webp"
