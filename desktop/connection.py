"""The window's line to the indexer: connects in the background, polls, searches in stages."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from PySide6.QtCore import QObject, QTimer, Signal

from desktop.client import Client, HangUp
from desktop.jobs import Failed, Jobs, Ticket
from desktop.system import current
from engine.contract import codec
from engine.contract.asking import Event
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import Answer, Hit

T = TypeVar("T")
#: Until an indexer that has gone is looked for, and one that was killed is started again: for the
#: first time, the second …; a line that held for so many seconds begins anew with the first.
_LOOK_MS = (0, 1_000, 3_000, 10_000, 30_000, 60_000)
_HELD_SECONDS = 60.0
_POLL_MS = {"busy": 1_000, "quiet": 5_000}


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: text, a picture, or a file to find the like of."""

    text: str = ""
    image: str | None = None  # absolute path
    like: str | None = None  # absolute path of an indexed file
    plain: tuple[str, ...] = ()  # words of the text that are to be read as no filter

    @property
    def empty(self) -> bool:
        return not (self.text.strip() or self.image or self.like)


class IndexerConnection(QObject):
    """Everything the window asks of the indexer; never blocks, answers by signal or callback."""

    status_changed = Signal(dict)
    unavailable = Signal(object)  # InklingError
    connected = Signal()
    stage_arrived = Signal(object)  # Answer
    search_failed = Signal(object)  # InklingError
    search_finished = Signal()

    def __init__(self, base: BaseDir, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.base = base
        self._client: Client | None = None
        self._jobs = Jobs(self)
        # Searches have threads of their own: a preview being rendered must not delay them.
        self._searches = Jobs(self, threads=4)
        self._waiting: Question | None = None
        self._limit = 50
        self._running: Ticket | None = None
        self._hang_up = HangUp()  # of the answer in sentences that is awaited
        self.status: dict[str, Any] = {}
        self._poll = QTimer(self)
        self._poll.setSingleShot(True)
        self._poll.timeout.connect(self.refresh)
        self._look = QTimer(self)
        self._look.setSingleShot(True)
        self._look.timeout.connect(self._look_again)
        self._looks = 0  # since there was a line that held
        self._since = 0.0  # when the line was made

    # The line itself

    def start(self) -> None:
        """Find the indexer, or start one; `connected` follows, or `unavailable`."""
        self._look.stop()
        self._jobs.run(
            lambda: Client.connect(self.base), self._connected, self._lost, key="connect"
        )

    def _connected(self, client: Client) -> None:
        self._client = client
        self._since = time.monotonic()
        self._look.stop()
        self.connected.emit()
        self.refresh()
        if self._waiting is not None:
            self.search(self._waiting, self._limit)

    def let_go(self) -> None:
        """Nothing is asked, and no indexer started, until `start`."""
        self._client = None
        self._poll.stop()
        self._look.stop()
        for key in ("connect", "status", "recent"):
            self._jobs.cancel(key)
        self.stop_search()
        self.stop_asking()

    def _gone(self, _: InklingError) -> None:
        """It does not answer any more."""
        if self._client is not None and time.monotonic() - self._since > _HELD_SECONDS:
            self._looks = 0
        self._lost(
            InklingError(
                "The indexer does not answer.",
                hint="It is being started again." if self._was_killed else "",
            )
        )

    def _lost(self, error: InklingError) -> None:
        self._client = None
        self._poll.stop()
        self.unavailable.emit(error)
        self._look_later()

    @property
    def _was_killed(self) -> bool:
        """Whether an indexer left without taking its address away, as one does that is told to."""
        return self.base.endpoint.exists()

    def _look_later(self) -> None:
        self._look.start(_LOOK_MS[min(self._looks, len(_LOOK_MS) - 1)])
        self._looks += 1

    def _look_again(self) -> None:
        """One that was killed is started again, one that somebody else started is taken up; where
        one was told to end none is started unasked."""
        if self._was_killed:
            self.start()
        else:
            self._jobs.run(
                lambda: Client.find_current(self.base), self._found, self._lost, key="connect"
            )

    def _found(self, client: Client | None) -> None:
        if client is not None:
            self._connected(client)
        else:
            self._look_later()

    @property
    def ready(self) -> bool:
        return self._client is not None

    def stop_indexer(self) -> None:
        """Ask the indexer to end; blocking, for the very end."""
        if self._client is not None:
            with contextlib.suppress(InklingError):
                self._client.stop()

    def close(self) -> None:
        self._poll.stop()
        self._look.stop()
        self.stop_asking()
        self._searches.close()
        self._jobs.close()

    # Calls

    def call(
        self,
        work: Callable[[Client], T],
        done: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        *,
        key: str = "",
    ) -> Ticket | None:
        """Any call in the background; without a line to the indexer, `failed` is told."""
        client = self._client
        if client is None:
            if failed is not None:
                failed(InklingError("The indexer is not there yet.", hint="Try again in a moment."))
            return None
        return self._jobs.run(lambda: work(client), done, failed, key=key)

    def work(
        self,
        work: Callable[[], T],
        done: Callable[[T], None] | None = None,
        failed: Failed | None = None,
        *,
        key: str = "",
    ) -> Ticket:
        """Work that needs no indexer (reading a file), off the interface's thread."""
        return self._jobs.run(work, done, failed, key=key)

    def fetch_thumb(self, path: str, page: int | None, *, archive: str = "") -> bytes | None:
        """Blocking; for the thumbnails' own threads. What the desktop has drawn is taken first."""
        if not archive and (not page or page == 1):
            kept = current().kept_thumbnail(path, os.environ)
            if kept is not None:
                return kept
        client = self._client
        return client.thumb(path, page, archive=archive) if client is not None else None

    def refresh(self) -> None:
        """Ask for the status now; asked again by itself, more often while there is work."""
        self._poll.stop()
        if self._client is not None:
            self.call(lambda client: client.status(), self._status, self._gone, key="status")

    def _status(self, status: dict[str, Any]) -> None:
        self.status = status
        busy = status.get("state") in ("starting", "scanning", "indexing")
        self._poll.start(_POLL_MS["busy" if busy else "quiet"])
        self.status_changed.emit(status)

    # Searching

    def search(self, question: Question, limit: int) -> None:
        """Ask; an earlier question that is still being answered is dropped."""
        self._limit = limit
        client = self._client
        if client is None:
            self._waiting = question  # asked as soon as there is a line
            return
        self._waiting = None
        self._running = self._searches.stream(
            lambda give: _ask(client, question, limit, give),
            self.stage_arrived.emit,
            self.search_failed.emit,
            finished=self.search_finished.emit,
            key="search",
        )

    def stop_search(self) -> None:
        """Nobody waits for an answer any more."""
        self._waiting = None
        self._searches.cancel("search")

    def ask(
        self,
        body: dict[str, Any],
        each: Callable[[Event], None],
        failed: Failed,
        finished: Callable[[], None],
    ) -> None:
        """Ask for an answer in sentences; the one before, if it still comes, is ended."""
        self.stop_asking()
        client, hang_up = self._client, HangUp()
        if client is None:
            failed(InklingError("The indexer is not there yet.", hint="Try again in a moment."))
            return
        self._hang_up = hang_up
        self._searches.stream(
            lambda give: _events(client, body, hang_up, give),
            each,
            failed,
            finished=finished,
            key="ask",
        )

    def stop_asking(self) -> None:
        """End the answer that still comes, at once: the model, too, hears that nobody waits."""
        self._searches.cancel("ask")
        self._hang_up()

    def recent(self, done: Callable[[list[Hit]], None]) -> None:
        """The newest files, for an empty field."""

        def work(client: Client) -> list[Hit]:
            return [codec.from_data(file, Hit) for file in client.recent(40)]

        self.call(work, done, lambda _error: None, key="recent")


def _ask(client: Client, question: Question, limit: int, give: Callable[[Answer], None]) -> None:
    """Runs in a thread; closing the stream early cancels the search at the indexer, too."""
    if question.like is not None:
        give(codec.from_data(client.similar(question.like, limit), Answer))
        return
    stages = client.search(question.text, image=question.image, limit=limit, plain=question.plain)
    with contextlib.closing(cast("Generator[dict[str, Any]]", stages)):
        for stage in stages:
            give(codec.from_data(stage, Answer))


def _events(
    client: Client, body: dict[str, Any], hang_up: HangUp, give: Callable[[Event], None]
) -> None:
    """Runs in a thread."""
    events = client.ask(body, hang_up)
    with contextlib.closing(cast("Generator[dict[str, Any]]", events)):
        for event in events:
            # A union of types is no type, but msgspec converts to it.
            give(codec.from_data(event, cast("type[Event]", Event)))
