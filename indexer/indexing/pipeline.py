"""The pipeline: pending file → read → encode → write → done, in overlapping threads."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from engine import Engine
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import FileFacts
from engine.store import Looks, Sightings
from indexer.indexing.both_spaces import BothSpaces
from indexer.indexing.encode_stage import EncodeStage
from indexer.indexing.failures import RepeatedFailures, is_damage
from indexer.indexing.file_states import FileStates
from indexer.indexing.guarded_loop import GuardedLoop
from indexer.indexing.progress import Progress
from indexer.indexing.read_stage import ReadStage
from indexer.indexing.throttle import Throttle
from indexer.indexing.write_queue import WriteQueue
from indexer.indexing.write_stage import WRITING, WriteStage
from indexer.ledger.ledger import Ledger
from indexer.reading.context import context_after_move
from indexer.reading.file_reader import FileReader
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import Work

log = logging.getLogger(__name__)

#: Work waiting between reading and encoding; bounds memory.
WAITING = 24
STOP_SECONDS = 30.0


class Pipeline:
    """Turns the ledger's pending files into the store's rows. `start` once, `wake` when there may
    be work, `stop` to end within one step of each thread; what is unfinished stays pending."""

    def __init__(
        self,
        base: BaseDir,
        ledger: Ledger,
        engine: Engine,
        looks: Looks,
        extractors: ExtractorPool,
        settings: Settings,
        *,
        workers: int = 2,
        seen: Callable[[], Sequence[Sightings]] = tuple,
        throttle: Throttle,
        progress: Progress,
        failures: RepeatedFailures,
        look: Callable[[str], None],
        on_damage: Callable[[InklingError], None],
    ) -> None:
        """`seen`: the spaces of sight models; `look` has a path scanned; `on_damage` hears that
        store or ledger can't be read."""
        self._ledger, self._throttle, self._on_damage = ledger, throttle, on_damage
        self._stop, self._running = threading.Event(), threading.Event()
        self._running.set()
        self._read_units: queue.Queue[Work] = queue.Queue(WAITING)
        self._changes = WriteQueue()
        self._states = FileStates(ledger, self._changes, self._stop)
        self._read = ReadStage(
            FileReader(
                base, ledger, extractors, settings, pixels="image" in engine.spec.modalities
            ),
            ledger,
            self._states,
            extractors,
            self._read_units,
            throttle=throttle,
            progress=progress,
            store_version=lambda: engine.version,
            look=look,
            stop=self._stop,
            running=self._running,
        )
        self._encode = EncodeStage(
            engine,
            self._states,
            self._read_units,
            self._changes,
            throttle=throttle,
            unable=lambda: engine.encoder_state == "failed",
            stop=self._stop,
        )
        self._write = WriteStage(
            base,
            BothSpaces(engine, looks, seen),
            ledger,
            self._states,
            self._changes,
            failures=failures,
            reword=self.reword,
            on_error=self.report,
            stop=self._stop,
        )
        guarded = partial(GuardedLoop, stop=self._stop, failures=failures, on_error=self.report)
        self._loops = [
            guarded(f"read-{n}", "Reading files", partial(self._read.step, n == 0))
            for n in range(workers)
        ]
        self._loops.append(guarded("encode", "Encoding files", self._encode.step))
        self._loops.append(guarded("write", WRITING, self._write.step))

    def start(self) -> None:
        for loop in self._loops:
            loop.start()

    def stop(self, seconds: float = STOP_SECONDS) -> bool:
        """End all threads; work already extracted is dropped and redone at the next start.

        Whether all have ended after so long; those that have not will after what they wait for.
        """
        self._stop.set()
        self._read.wake()
        end = time.monotonic() + seconds
        ended = [loop.join(end - time.monotonic()) for loop in self._loops]
        self._states.put_all_back()
        return all(ended)

    def pause(self) -> None:
        self._running.clear()

    def resume(self) -> None:
        self._running.set()
        self.wake()

    @property
    def paused(self) -> bool:
        return not self._running.is_set()

    @property
    def busy(self) -> int:
        """Files between pending and done, and changes not yet in the store."""
        return self._states.count + self._changes.unsettled

    @property
    def encoded(self) -> int:
        """Units encoded since the start: a rename or touch must not raise it."""
        return self._encode.encoded

    def wake(self) -> None:
        self._read.wake()

    def apply(
        self,
        removed: Sequence[int] = (),
        moved: Sequence[FileFacts] = (),
        then: Callable[[], None] | None = None,
    ) -> None:
        """Take removed files' rows away and give moved files' rows their new path."""
        self._changes.apply(removed, moved, then)

    def report(self, error: BaseException) -> None:
        """What keeps the index from being written is waited for; what can't be read is mended."""
        if isinstance(error, InklingError) and is_damage(error):
            self._on_damage(error)
        if isinstance(error, InklingError | OSError):
            self._throttle.failed(error)

    def reword(self, context: str, old: str, new: str) -> str:
        """A unit's context after its file moved."""
        if old == new:
            return context
        return context_after_move(context, (old, self._root(old)), (new, self._root(new)))

    def _root(self, path: str) -> str:
        root = self._ledger.root_of(path)
        return root.path if root is not None else ""
