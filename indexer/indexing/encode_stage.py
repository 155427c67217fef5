"""The second stage: gathers files' units, has the model encode them, hands the files on."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Protocol

from engine.contract.errors import InklingError
from engine.contract.types import FileFacts, Unit
from engine.store import StoredUnit
from indexer.indexing.file_states import FileStates
from indexer.indexing.throttle import Throttle
from indexer.indexing.write_queue import WriteQueue
from indexer.reading.work import Work

log = logging.getLogger(__name__)

#: Units gathered for one call of the encoder: enough to sort by length, little enough to stream.
ENCODE_UNITS = 192


class Encoder(Protocol):
    """What the stage needs of the engine."""

    def encode(self, units: Sequence[tuple[FileFacts, Unit]]) -> list[StoredUnit]:
        """One row for each unit, in their order."""


class EncodeStage:
    """Encodes files together; where that fails finds the file that the model can't take."""

    def __init__(
        self,
        encoder: Encoder,
        states: FileStates,
        inbox: queue.Queue[Work],
        out: WriteQueue,
        *,
        throttle: Throttle,
        unable: Callable[[], bool],
        stop: threading.Event,
    ) -> None:
        """`unable`: whether no model can be had now, whatever is to be encoded."""
        self._unable = unable
        self._encoder, self._states = encoder, states
        self._inbox, self._out = inbox, out
        self._throttle, self._stop = throttle, stop
        self.encoded = 0  # units encoded since start: a rename or touch must not raise it

    def step(self) -> bool:
        """Encode what waits, or wait half a second; whether something was encoded."""
        try:
            batch = [self._inbox.get(timeout=0.5)]
        except queue.Empty:
            return False
        while sum(len(work.units) for work in batch) < ENCODE_UNITS:
            try:
                batch.append(self._inbox.get_nowait())
            except queue.Empty:
                break
        bugs = list[BaseException]()
        on_its_way = self._encode(batch, bugs)
        if bugs and not on_its_way:
            raise bugs[-1]
        return bool(on_its_way)

    def _encode(self, batch: Sequence[Work], bugs: list[BaseException]) -> int:
        """How many of the files were handed on."""
        try:
            self._encode_together(batch)
        except _StoppedError:
            return 0  # half a file's units must not pass for the whole
        except BaseException as error:
            if isinstance(error, InklingError) and self._unable():
                # No model, no memory for it: the files are not to blame.
                self._throttle.failed(error)
                for work in batch:
                    work.drop_pictures()
                    self._states.put_back(work.record)
                return 0
            if len(batch) > 1:  # find the file that the model can't take; the others go on
                return sum(self._encode([work], bugs) for work in batch)
            batch[0].drop_pictures()
            if isinstance(error, InklingError):
                self._states.give_up(batch[0].record, "encoder", str(error))
            else:
                log.exception("File %d could not be encoded", batch[0].record.id)
                bugs.append(error)
                self._states.failed_unexpectedly(batch[0].record, "encoder", error)
            return 0
        for work in batch:
            work.drop_pictures()
            self._out.put(work)
        return len(batch)

    def _encode_together(self, batch: Sequence[Work]) -> None:
        pairs = [(work.facts, unit) for work in batch for unit in work.units]
        stored: list[StoredUnit] = []
        for start in range(0, len(pairs), ENCODE_UNITS):
            if self._stop.is_set():
                raise _StoppedError
            some = pairs[start : start + ENCODE_UNITS]
            made = self._encoder.encode(some)
            if len(made) != len(some):  # rows would shift from one file to the next
                raise ValueError(f"{len(made)} rows were made of {len(some)} units")
            stored += made
            self.encoded += len(some)
        at = 0
        for work in batch:
            work.stored = stored[at : at + len(work.units)]
            at += len(work.units)


class _StoppedError(Exception):
    """The pipeline is stopping."""
