"""What waits to be written, in order: encoded files, and changes of files that were written."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from engine.contract.types import FileFacts
from indexer.reading.work import Work


@dataclass(slots=True)
class Change:
    """What the writer does besides new content: files gone, files moved."""

    removed: Sequence[int] = ()
    moved: Sequence[FileFacts] = ()
    then: Callable[[], None] | None = None  # called when it is in the store
    failures: int = 0


class WriteQueue:
    """In order: a file replaced and then removed must not come back. Thread-safe."""

    def __init__(self) -> None:
        self._items: queue.Queue[Work | Change] = queue.Queue()

    def put(self, work: Work) -> None:
        self._items.put(work)

    def apply(
        self,
        removed: Sequence[int] = (),
        moved: Sequence[FileFacts] = (),
        then: Callable[[], None] | None = None,
    ) -> None:
        """Take removed files' rows away and give moved files' rows their new path."""
        if removed or moved:
            self._items.put(Change(removed, moved, then))

    def get(self, seconds: float) -> Work | Change | None:
        """The next, None if none comes so soon; `settled` is to be called when it is written."""
        try:
            return self._items.get(timeout=seconds)
        except queue.Empty:
            return None

    def settled(self) -> None:
        self._items.task_done()

    @property
    def empty(self) -> bool:
        return self._items.empty()

    @property
    def unsettled(self) -> int:
        """Items not yet written, those in the writer's hands too."""
        return self._items.unfinished_tasks
