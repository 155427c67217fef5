"""Work off the interface's thread: every request runs here, every answer comes back by signal."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal

from engine.contract.errors import InklingError

T = TypeVar("T")
JOB_THREAD = "inkling-job"  # how the threads' names begin
Failed = Callable[[InklingError], None]
#: Calls to a live indexer end in milliseconds; one that hangs must not keep the window's process.
_PATIENCE_S = 2.0
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
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=JOB_THREAD)
        self._latest: dict[str, Ticket] = {}
        self._running: set[Future[None]] = set()
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
                self._post(
                    ticket,
                    failed,
                    InklingError("Something went wrong: {error}.", told={"error": error}),
                )
            else:
                self._post(ticket, finished)

        future = self._pool.submit(body)
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        return ticket

    def cancel(self, key: str) -> None:
        """Drop the answer of the newest job with this key."""
        if ticket := self._latest.pop(key, None):
            ticket.cancel()

    def close(self, patience_s: float = _PATIENCE_S) -> None:
        """Drop all answers, start nothing more and wait a little for the threads."""
        self._closed = True
        for ticket in self._latest.values():
            ticket.cancel()
        self._pool.shutdown(wait=False, cancel_futures=True)
        wait(list(self._running), timeout=patience_s)

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
