"""Watches the roots and says where to look; what is lost or doubtful costs a scan, never truth."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import psutil
from watchdog.events import (
    DirDeletedEvent,
    DirModifiedEvent,
    FileClosedNoWriteEvent,
    FileDeletedEvent,
    FileOpenedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
    FileSystemMovedEvent,
)
from watchdog.observers.api import BaseObserver, ObservedWatch

from indexer.ledger.ledger import Root
from indexer.ledger.roots_file import inside
from indexer.sources.changes import Changes, Merger
from indexer.sources.ignore import RULE_FILES, IgnoreRules, Scope
from indexer.sources.observers import Limits, make_observer
from indexer.sources.presence import identity_of
from indexer.sources.systems import on_network

log = logging.getLogger(__name__)

#: Roots that can't be watched are scanned this often, seconds. A scan of 100,000 unchanged files
#: takes 0.7 s of a core (tests/benchmarks/rescan.py): half a per cent.
POLL = 120.0
#: How often the watcher looks after itself: roots that went or came back, threads that died.
CHECK = 2.0
#: The wall clock ran this much further than the monotonic one: the machine slept.
SLEPT = 20.0
OnChanges = Callable[[Root, Changes], None]


@dataclass(slots=True)
class _Watched:
    """One root and how it is watched."""

    root: Root
    merger: Merger = field(default_factory=Merger)
    watch: ObservedWatch | None = None
    identity: tuple[int, int] | None = None  # device and inode when it was scheduled
    polled: bool = False
    polled_at: float = 0.0
    again: bool = False  # rules changed: other folders are to be watched


class Watcher:
    """One thread over watchdog's: turns events into `on_changes(root, changes)`."""

    def __init__(
        self,
        rules: Callable[[], IgnoreRules],
        on_changes: OnChanges,
        closed: Sequence[str] = (),
    ) -> None:
        """`closed`: folders not to look into, above all Inkling's own: it writes there itself."""
        self._rules = rules
        self._closed = frozenset(closed)
        self._scopes: dict[str, Scope | None] | None = None  # while a root is being scheduled
        self._on_changes = on_changes
        self._wanted: list[Root] = []
        self._roots: dict[int, _Watched] = {}
        self._observer: BaseObserver | None = None
        self._limits = Limits()
        self._wake = threading.Condition()
        self._stopping = False
        self._thread = threading.Thread(target=self._loop, name="watch", daemon=True)

    # -- from outside --------------------------------------------------------------------------

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

    def set_roots(self, roots: Sequence[Root]) -> None:
        """Watch these and no others; returns at once."""
        with self._wake:
            self._wanted = list(roots)
            self._wake.notify_all()

    @property
    def health(self) -> list[dict[str, str]]:
        """What keeps the watcher from seeing everything at once, and the remedy."""
        return self._limits.health()

    @property
    def watching(self) -> frozenset[int]:
        """Ids of roots whose changes are noticed at once."""
        with self._wake:
            return frozenset(i for i, w in self._roots.items() if w.watch and not w.polled)

    # -- the thread ----------------------------------------------------------------------------

    def _loop(self) -> None:
        checked, clocks = 0.0, (time.time(), time.monotonic())
        while True:
            with self._wake:
                if self._stopping:
                    break
                stale = {r.id for r in self._wanted} != set(self._roots)
            now = time.monotonic()
            try:
                if stale or now - checked >= CHECK:
                    checked = now
                    clocks = self._after_sleep(clocks)
                    self._check()
                for root, changes in self._due():
                    self._on_changes(root, changes)
            except Exception:
                # The watcher outlives a fault of its own: what it missed is marked.
                log.exception("Watching failed")
                self._mark_all()
            with self._wake:
                if not self._stopping:
                    self._wake.wait(self._pause(checked))
        self._close_observer()

    def _pause(self, checked: float) -> float:
        now = time.monotonic()
        with self._wake:
            busy = self._busy()
            due = [w.merger.next_due(busy) for w in self._roots.values()]
        times = [checked + CHECK, *(moment for moment in due if moment is not None)]
        return max(0.02, min(times) - now)

    def _due(self) -> list[tuple[Root, Changes]]:
        now = time.monotonic()
        with self._wake:
            busy = self._busy()
            found = [(w.root, w.merger.take(now, busy)) for w in self._roots.values()]
        return [(root, changes) for root, changes in found if changes is not None]

    def _busy(self) -> bool:
        return any(watched.merger.fresh for watched in self._roots.values())

    def _after_sleep(self, before: tuple[float, float]) -> tuple[float, float]:
        after = (time.time(), time.monotonic())
        if (after[0] - before[0]) - (after[1] - before[1]) > SLEPT:
            log.info("The machine slept; looking everywhere again")
            self._mark_all()
        return after

    def _mark_all(self) -> None:
        now = time.monotonic()
        with self._wake:
            for watched in self._roots.values():
                watched.merger.mark_whole(now)

    # -- looking after the observer ------------------------------------------------------------

    def _check(self) -> None:
        """Bring what is watched in line with what is wanted and with what is there."""
        with self._wake:
            wanted = {root.id: root for root in self._wanted}
        for root_id in [i for i in self._roots if i not in wanted]:
            self._unschedule(self._roots[root_id])
            with self._wake:
                del self._roots[root_id]
        self._check_observer()
        for root in wanted.values():
            if root.id not in self._roots:
                with self._wake:
                    self._roots[root.id] = _Watched(root)
            self._check_root(self._roots[root.id])

    def _check_observer(self) -> None:
        observer = self._observer
        if observer is not None and not observer.is_alive():
            log.warning("The observer's thread died; starting another")
            self._close_observer()
            self._mark_all()
        if self._observer is None and self._limits.may_try():
            self._limits = Limits()
            self._observer = make_observer(self._limits, self._reaches, self._mark_all)

    def _check_root(self, watched: _Watched) -> None:
        identity = identity_of(watched.root.path)
        emitter_alive = watched.watch is None or any(
            emitter.watch is watched.watch and emitter.is_alive()
            for emitter in (self._observer.emitters if self._observer else ())
        )
        if identity != watched.identity or not emitter_alive or watched.again:
            self._unschedule(watched)
            with self._wake:
                watched.identity, watched.again = identity, False
                # Gone, come back, or another: the scan finds out which.
                watched.merger.mark_whole(time.monotonic())
            if identity is not None:
                self._schedule(watched)
        now = time.monotonic()
        if watched.polled and now - watched.polled_at >= POLL:
            with self._wake:
                watched.polled_at = now
                watched.merger.mark_whole(now)

    def _schedule(self, watched: _Watched) -> None:
        path = watched.root.path
        watched.polled, watched.polled_at = True, time.monotonic()
        if self._observer is None:
            return
        before = self._limits.reached
        self._scopes = {}
        try:
            watched.watch = self._observer.schedule(_Handler(self, watched), path, recursive=True)
        except OSError as error:
            self._limits.note(error)
            return
        finally:
            self._scopes = None
        watched.polled = self._limits.reached > before or is_remote(path)

    def _unschedule(self, watched: _Watched) -> None:
        watch, watched.watch = watched.watch, None
        if watch is not None and self._observer is not None:
            # Its emitter may have stopped by itself when the folder went.
            with contextlib.suppress(KeyError):
                self._observer.unschedule(watch)

    def _close_observer(self) -> None:
        observer, self._observer = self._observer, None
        if observer is not None:
            observer.stop()
            observer.join(timeout=5)
        for watched in self._roots.values():
            watched.watch, watched.identity = None, None

    def _reaches(self, path: str) -> bool:
        """Whether a folder is one that a scan enters, so that it is worth a watch."""
        if any(path == closed or inside(path, closed) for closed in self._closed):
            return False
        with self._wake:
            roots = [root.path for root in self._wanted]
        root = max((r for r in roots if path == r or inside(path, r)), key=len, default=None)
        if root is None:
            return False
        scopes = self._scopes if self._scopes is not None else {}
        return self._rules().scope_inside(root, path, scopes) is not None

    # -- events --------------------------------------------------------------------------------

    def note(self, watched: _Watched, path: str, gone: bool) -> None:
        """An event came in; called on watchdog's thread."""
        with self._wake:
            now = time.monotonic()
            if os.path.basename(path) in RULE_FILES:
                # Other rules hold in its folder now.
                watched.merger.mark(os.path.dirname(path), now)
                watched.again = True
            else:
                watched.merger.mark(path, now, gone)
            self._wake.notify_all()


class _Handler(FileSystemEventHandler):
    """Receives one root's events."""

    def __init__(self, watcher: Watcher, watched: _Watched) -> None:
        self._watcher = watcher
        self._watched = watched

    def on_any_event(self, event: FileSystemEvent) -> None:
        if isinstance(event, (FileOpenedEvent, FileClosedNoWriteEvent, DirModifiedEvent)):
            return
        source = os.fsdecode(event.src_path)
        if isinstance(event, FileSystemMovedEvent):
            # Both ends in one look, so that the scan sees a move.
            self._watcher.note(self._watched, source, False)
            self._watcher.note(self._watched, os.fsdecode(event.dest_path), False)
        else:
            gone = isinstance(event, (FileDeletedEvent, DirDeletedEvent))
            self._watcher.note(self._watched, source, gone)


def is_remote(path: str) -> bool:
    """Whether a folder lies on a file system that others change without telling this kernel."""
    try:
        partitions = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError):
        return False
    mounts = [(part.mountpoint, part.fstype, part.opts) for part in partitions]
    return on_network(os.path.realpath(path), mounts)
