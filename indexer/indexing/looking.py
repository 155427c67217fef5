"""Looking at pictures: the space of looks is filled and mended in the background."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from engine.contract.errors import InklingError
from engine.contract.types import Look
from engine.store import Looks
from indexer.indexing.both_spaces import PICTURES
from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.filling import Filling
from indexer.ledger.ledger import FileRecord, Ledger
from indexer.reading.extract.base import ExtractError

log = logging.getLogger(__name__)

#: After an error that is no file's fault nothing is tried for so long.
BACK_OFF_SECONDS = 20.0
IDLE_WAIT = 1.0
LOOKING = "Looking at pictures"


class PictureReader(Protocol):
    """The confined workers."""

    def look(self, path: str) -> Look:
        """How a picture looks; ExtractError, with reason "encoder" where none can be looked at."""


class Looking:
    """Has every indexed picture looked at. One thread; the other methods are for any."""

    def __init__(
        self,
        looks: Looks,
        ledger: Ledger,
        reader: PictureReader,
        failures: RepeatedFailures,
        *,
        wanted: Callable[[], bool],
        throttled: Callable[[], bool],
        busy: Callable[[], bool],
    ) -> None:
        """`wanted`: whether there are to be looks at all; `throttled`: nothing is to be done now;
        `busy`: changes go first."""
        self._reader, self._failures = reader, failures
        self._stop, self._wake = threading.Event(), threading.Event()
        self._filling = Filling(
            looks,
            (PICTURES,),
            ledger,
            self._look,
            wanted=wanted,
            throttled=throttled,
            busy=busy,
            stop=self._stop,
        )
        self._held_until = 0.0
        self._thread = threading.Thread(target=self._run, name="looking", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the picture that is being looked at; what was committed stays."""
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout=30)

    @property
    def waiting(self) -> bool:
        """Whether pictures are to be looked at that can be now."""
        return time.monotonic() >= self._held_until and self._filling.waiting

    def counts(self) -> tuple[int, int]:
        """How many indexed pictures are to be looked at, and how many of them are."""
        return self._filling.counts()

    def reconcile(self) -> None:
        """After a crash, before anything else is written: the ledger decides, looks follow."""
        self._filling.reconcile()

    def _look(self, record: FileRecord) -> Look:
        try:
            made = self._reader.look(record.path)
        except ExtractError as error:
            if error.reason == "encoder":
                raise InklingError("Pictures can't be looked at.", hint=error.detail) from error
            raise
        return replace(made, content=record.content_hash or "")

    def _run(self) -> None:
        while not self._stop.is_set():
            worked = False
            try:
                if time.monotonic() >= self._held_until:
                    worked = self._filling.step()
                if worked:
                    self._failures.succeeded(LOOKING)
            except BaseException as error:  # noqa: BLE001 -- said, and tried again
                if not self._stop.is_set():
                    pause = self._failures.failed(LOOKING, error)
                    self._held_until = time.monotonic() + max(BACK_OFF_SECONDS, pause)
            if not worked:
                self._wake.wait(IDLE_WAIT)
                self._wake.clear()
