"""watchdog's observer for this platform; on Linux one that knows what to watch and its limits."""

from __future__ import annotations

import errno
import logging
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from watchdog.observers import Observer

if TYPE_CHECKING:
    from watchdog.observers.api import BaseObserver

log = logging.getLogger(__name__)

#: After the system had no observer to give, try again this much later, seconds.
RETRY = 60.0
_REMEDIES = {
    errno.ENOSPC: (
        "There are more folders than this system lets a program watch.",
        "Changes are found by scanning, every two minutes. To have them at once, run "
        "`sudo sysctl fs.inotify.max_user_watches=1048576` and put the setting into /etc/sysctl.d.",
    ),
    errno.EMFILE: (
        "This system lets programs watch no more files and folders at the same time.",
        "Changes are found by scanning, every two minutes. To have them at once, run "
        "`sudo sysctl fs.inotify.max_user_instances=1024` and put the setting into /etc/sysctl.d.",
    ),
}


class Limits:
    """What the system refused, in words a person can act on."""

    def __init__(self) -> None:
        self.reached = 0  # how many watches were refused
        self._codes: set[int] = set()
        self._at = 0.0

    def note(self, error: OSError) -> None:
        self.reached += 1
        self._at = time.monotonic()
        if error.errno in _REMEDIES:
            self._codes.add(error.errno)
        else:
            log.warning("A folder can't be watched: %s", error)

    def may_try(self) -> bool:
        return not self._codes or time.monotonic() - self._at >= RETRY

    def health(self) -> list[dict[str, str]]:
        return [
            {"level": "warning", "title": _REMEDIES[code][0], "hint": _REMEDIES[code][1]}
            for code in sorted(self._codes)
        ]


def make_observer(
    limits: Limits, reaches: Callable[[str], bool], on_lost: Callable[[], None]
) -> BaseObserver | None:
    """A started observer, or None if the system has none to give now.

    `reaches(folder)` says whether a folder is worth a watch; `on_lost` is called when events were
    lost and anything may have happened.
    """
    try:
        if sys.platform == "linux":
            observer = _inotify_observer(limits, reaches, on_lost)
        else:
            observer = Observer()
        observer.start()
    except OSError as error:
        limits.note(error)
        return None
    return observer


def _inotify_observer(
    limits: Limits, reaches: Callable[[str], bool], on_lost: Callable[[], None]
) -> BaseObserver:
    from watchdog.observers.api import BaseObserver
    from watchdog.observers.inotify import InotifyEmitter
    from watchdog.observers.inotify_c import (
        CallbackId,
        InotifyEvent,
        InotifyFD,
        Mask,
        WatchCallback,
        WatchDescriptor,
    )

    class Descriptor(InotifyFD):
        """An inotify instance that spends no watch on folders that are left out."""

        def add_callback(
            self, path: bytes, mask: Mask, callback: WatchCallback, id_: CallbackId
        ) -> WatchDescriptor:
            # watchdog goes on without a folder below the root that can't be watched.
            if not reaches(os.fsdecode(path)):
                raise OSError(errno.ENOENT, "left out", os.fsdecode(path))
            try:
                return super().add_callback(path, mask, callback, id_)
            except OSError as error:
                if error.errno in _REMEDIES:
                    limits.note(error)
                raise

        def handle_event(self, event: InotifyEvent) -> None:
            super().handle_event(event)
            if event.is_queue_overflow:
                on_lost()

    class InotifyObserver(BaseObserver):
        """watchdog's own, but for the descriptor."""

        def __init__(self) -> None:
            self._descriptor = Descriptor()
            self._descriptor.start()
            super().__init__(InotifyEmitter, inotify_fd=self._descriptor)

        def on_thread_stop(self) -> None:
            super().on_thread_stop()
            self._descriptor.stop()
            self._descriptor.join(timeout=5)

    return InotifyObserver()
