"""A question under way to archives, and what came of it by now."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from engine.contract.types import Answer
from indexer.archives.known import Archive, ArchiveError


@dataclass(frozen=True, slots=True)
class Came:
    """What one archive answered, or why it did not."""

    archive: Archive
    answer: Answer | None
    error: ArchiveError | None


class Asked:
    """For one thread; close it when nobody wants to know any more."""

    def __init__(self, asked: Sequence[tuple[Archive, Future[Answer]]]) -> None:
        self._futures = [future for _, future in asked]
        self._left = len(asked)
        self._came: queue.SimpleQueue[Came] = queue.SimpleQueue()
        for archive, future in asked:
            future.add_done_callback(partial(self._take, archive))

    def _take(self, archive: Archive, done: Future[Answer]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            self._came.put(Came(archive, done.result(), None))
        else:
            known = error if isinstance(error, ArchiveError) else ArchiveError(archive, "strange")
            self._came.put(Came(archive, None, known))

    def arrivals(self, first_s: float) -> Iterator[list[Came]]:
        """All that comes within so many seconds together, then each as it comes."""
        until = time.monotonic() + first_s
        some: list[Came] = []
        while self._left and (left := until - time.monotonic()) > 0:
            try:
                some.append(self._came.get(timeout=left))
            except queue.Empty:
                break
            self._left -= 1
        if some:
            yield some
        while self._left:
            came = self._came.get()
            self._left -= 1
            yield [came]

    def close(self) -> None:
        """Ask no more."""
        for future in self._futures:
            future.cancel()
