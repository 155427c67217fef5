"""Work off the interface's thread: every request runs here, every answer comes back by signal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from engine.errors import InklingError

T = TypeVar("T")
Failed = Callable[[InklingError], None]
_log = logging.getLogger(__name__)


class Ticket:
    """A piece of work in flight; once cancelled its answer is dropped."""

    __slots__ = ("cancelled",)

    def __init__(self) -> None:
        self.cancelled = False

    def cancel(self) -> None:
        self.cancelled = True


class Jobs(QObject):
    """A small pool of threads for blocking calls; callbacks run on the interface's thread."""

    _deliver = Signal(object)  # a callable

    def __init__(self, parent: QObject | None = None, threads: int = 6) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="inkling-job")
        self._latest: dict[str, Ticket] = {}
        self._closed = False
        self._deliver.connect(self._run_delivered, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        work: Callable[[], T],
        done: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        *,
        key: str = "",
    ) -> Ticket:
        """Do `work` in a thread, then `done(result)` or `failed(error)` here.

        A later job with the same `key` cancels the earlier one: only the newest answers.
        """

        def each(results: Callable[[T], None]) -> None:
            results(work())

        return self.stream(each, done, failed, key=key)

    def stream(
        self,
        work: Callable[[Callable[[T], None]], None],
        each: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        *,
        finished: Callable[[], None] | None = None,
        key: str = "",
    ) -> Ticket:
        """Like `run` for work that gives several results; `work` gets the function to give them to.

        Giving a result raises Cancelled once nobody waits any more, which ends the work early.
        """
        ticket = Ticket()
        if key:
            if earlier := self._latest.get(key):
                earlier.cancel()
            self._latest[key] = ticket
        if self._closed:
            ticket.cancel()
            return ticket

        def give(value: T) -> None:
            if ticket.cancelled:
                raise Cancelled
            self._post(ticket, each, value)

        def body() -> None:
            if ticket.cancelled:
                return
            try:
                work(give)
            except Cancelled:
                return
            except InklingError as error:
                self._post(ticket, failed, error)
            except Exception as error:  # noqa: BLE001  # the answer must come back whatever happened
                _log.exception("a job failed")
                self._post(ticket, failed, InklingError(f"Something went wrong: {error}."))
            else:
                self._post(ticket, finished)

        self._pool.submit(body)
        return ticket

    def cancel(self, key: str) -> None:
        """Drop the answer of the newest job with this key."""
        if ticket := self._latest.pop(key, None):
            ticket.cancel()

    def close(self) -> None:
        """Drop all answers, start nothing more and wait for the threads."""
        self._closed = True
        for ticket in self._latest.values():
            ticket.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _post(self, ticket: Ticket, callback: Callable[..., None] | None, *values: Any) -> None:
        if callback is None or self._closed:
            return

        def deliver() -> None:
            if not ticket.cancelled and not self._closed:
                callback(*values)

        self._deliver.emit(deliver)

    def _run_delivered(self, deliver: Callable[[], None]) -> None:
        deliver()


class Cancelled(Exception):
    """Nobody waits for this work any more."""
