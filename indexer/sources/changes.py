"""What the watcher noticed, merged: many events become few places to look at, at the right time."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass

#: Seconds without an event before a path is looked at: editors write in several steps.
QUIET = 0.5
#: A path that never falls quiet is looked at after this long; each time twice as long, up to …
PATIENCE = 3.0
MAX_PATIENCE = 60.0
#: A removed file leaves the results at once; this much gathers what goes together. While something
#: new is waiting to be looked at, the removal waits longer than that: it may be half of a move.
QUIET_GONE = 0.1
QUIET_GONE_BUSY = QUIET + 0.1
#: More paths than this in one folder: look at the folder. More marks than that: at the whole root.
MANY_IN_FOLDER = 128
MANY_IN_ROOT = 512


@dataclass(frozen=True, slots=True)
class Changes:
    """Places of a root to look at; `whole`: everywhere."""

    paths: tuple[str, ...] = ()
    whole: bool = False


@dataclass(slots=True)
class _Mark:
    first: float
    last: float
    gone: bool


class Merger:
    """The marks of one root. Times are seconds of any one clock, given by the caller."""

    def __init__(self) -> None:
        self._marks: dict[str, _Mark] = {}
        self._in_folder: Counter[str] = Counter()
        self._whole: _Mark | None = None
        #: How often in a row a path was looked at while it was still being written.
        self._heat: dict[str, int] = {}

    def mark(self, path: str, now: float, gone: bool = False) -> None:
        """Something happened to a path, or below it if it is a folder."""
        if self._whole is not None:
            self._whole.last = now
            return
        path = self._covering(path)
        mark = self._marks.get(path)
        if mark is not None:
            mark.last, mark.gone = now, gone
            return
        self._marks[path] = _Mark(now, now, gone)
        folder = os.path.dirname(path)
        self._in_folder[folder] += 1
        if self._in_folder[folder] > MANY_IN_FOLDER:
            self._collapse(folder, now)
        if len(self._marks) > MANY_IN_ROOT:
            self.mark_whole(now)

    def mark_whole(self, now: float) -> None:
        """Anything may have happened."""
        first = min((mark.first for mark in self._marks.values()), default=now)
        if self._whole is None:
            self._whole = _Mark(first, now, False)
        self._marks.clear()
        self._in_folder.clear()

    def _covering(self, path: str) -> str:
        """The marked folder above a path, or the path itself."""
        folder = os.path.dirname(path)
        while len(folder) > 1:
            mark = self._marks.get(folder)
            if mark is not None and not mark.gone:
                return folder
            parent = os.path.dirname(folder)
            if parent == folder:
                break
            folder = parent
        return path

    def _collapse(self, folder: str, now: float) -> None:
        inside = folder.rstrip(os.sep) + os.sep
        covered = [path for path in self._marks if path.startswith(inside)]
        first = min(self._marks[path].first for path in covered)
        for path in covered:
            self._remove(path)
        self._marks[folder] = _Mark(first, now, False)
        self._in_folder[os.path.dirname(folder)] += 1

    def _remove(self, path: str) -> None:
        del self._marks[path]
        folder = os.path.dirname(path)
        self._in_folder[folder] -= 1
        if self._in_folder[folder] <= 0:
            del self._in_folder[folder]

    @property
    def fresh(self) -> bool:
        """Whether something is marked that may be new."""
        return self._whole is not None or any(not mark.gone for mark in self._marks.values())

    def _due(self, path: str, mark: _Mark, busy: bool) -> float:
        quiet = (QUIET_GONE_BUSY if busy else QUIET_GONE) if mark.gone else QUIET
        patience = min(MAX_PATIENCE, PATIENCE * 2.0 ** self._heat.get(path, 0))
        return min(mark.last + quiet, mark.first + patience)

    def next_due(self, busy: bool = False) -> float | None:
        """When there is something to look at; None if nothing is marked."""
        if self._whole is not None:
            return self._due("", self._whole, busy)
        return min((self._due(*item, busy) for item in self._marks.items()), default=None)

    def take(self, now: float, busy: bool = False) -> Changes | None:
        """What is to be looked at now, if anything is; `busy`: some root has something fresh."""
        if self._whole is not None:
            if self._due("", self._whole, busy) > now:
                return None
            self._cool("", self._whole, now)
            self._whole = None
            return Changes(whole=True)
        due = [path for path, mark in self._marks.items() if self._due(path, mark, busy) <= now]
        for path in due:
            self._cool(path, self._marks[path], now)
            self._remove(path)
        return Changes(tuple(due)) if due else None

    def _cool(self, path: str, mark: _Mark, now: float) -> None:
        if now - mark.last >= QUIET or mark.gone:
            self._heat.pop(path, None)
        else:
            self._heat[path] = min(8, self._heat.get(path, 0) + 1)
