"""The pipeline: pending file → extract → units → encode → commit → done, in overlapping threads."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from engine.contract.errors import REASONS, InklingError, StoreDamagedError
from engine.contract.kinds import SLOW_KINDS
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import FileFacts
from engine.engine import Engine, thumb_path
from engine.store import StoredUnit
from indexer.indexing.progress import Progress
from indexer.indexing.throttle import Throttle
from indexer.ledger.ledger import Done, FileRecord, Ledger, LedgerDamagedError
from indexer.reading.context import context_after_move
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader, Work, facts_of
from indexer.reading.pool import ExtractorPool

log = logging.getLogger(__name__)

#: Units gathered for one call of the encoder: enough to sort by length, little enough to stream.
ENCODE_UNITS = 192
#: A commit costs some 20 ms and a manifest (LanceDB 0.40); this many rows or seconds make one.
COMMIT_ROWS = 768
COMMIT_SECONDS = 2.5
#: Commits between two looks at what maintenance would do.
MAINTAIN_COMMITS = 20
REST_SECONDS = 5.0  # between two questions whether the store wants maintenance
#: Work waiting between two stages; bounds memory.
WAITING = 24
#: Reasons that a worker's death gives: a person or the system may have ended it, too.
DEATHS = ("crashed", "encoder")
#: A file that was not there is not asked for again so soon.
GONE_SECONDS = 5.0
#: How long the writer waits when the store can't be written.
WRITE_AGAIN_SECONDS = 3.0
DISK_FULL = InklingError(
    "The disk is full; indexing waits.", hint="Free some space; Inkling goes on by itself."
)
#: After this long without work the extractor workers are let go.
IDLE_SECONDS = 60.0


@dataclass(slots=True)
class Change:
    """What the writer does besides new content: files gone, files moved."""

    removed: Sequence[int] = ()
    moved: Sequence[FileFacts] = ()
    then: Callable[[], None] | None = None  # called when it is in the store


class Pipeline:
    """Turns the ledger's pending files into the store's rows. `start` once, `wake` when there may
    be work, `stop` to end within one step of each thread; what is unfinished stays pending."""

    def __init__(
        self,
        base: BaseDir,
        ledger: Ledger,
        engine: Engine,
        extractors: ExtractorPool,
        settings: Settings,
        *,
        workers: int = 2,
        throttle: Throttle,
        progress: Progress,
        root_of: Callable[[str], str],
        look: Callable[[str], None],
        on_damage: Callable[[InklingError], None],
    ) -> None:
        """`look` has a path scanned; `on_damage` hears that store or ledger can't be read."""
        self._base, self._ledger, self._engine = base, ledger, engine
        self._extractors = extractors
        self._reader = FileReader(
            base, ledger, extractors, settings, root_of, pixels="image" in engine.spec.modalities
        )
        self._stop, self._running = threading.Event(), threading.Event()
        self._running.set()
        self._look, self._on_damage, self._root_of = look, on_damage, root_of
        self._throttle = throttle
        self._progress = progress
        self._work_there = threading.Condition()
        self._in_flight: set[int] = set()
        self._gone: dict[int, float] = {}  # files that were not there: left alone until then
        self._ahead: dict[bool, list[FileRecord]] = {True: [], False: []}
        self._last_work = time.monotonic()
        self.encoded = 0  # units encoded since start: a rename or touch must not raise it
        self._to_encode: queue.Queue[Work] = queue.Queue(WAITING)
        self._to_write: queue.Queue[Work | Change] = queue.Queue()
        self._threads = [
            threading.Thread(
                target=self._guard,
                args=(lambda n=n: self._extract_loop(quick_first=n == 0),),
                name=f"extract-{n}",
            )
            for n in range(workers)
        ]
        self._threads += [
            threading.Thread(target=self._guard, args=(self._encode_loop,), name="encode"),
            threading.Thread(target=self._guard, args=(self._write_loop,), name="write"),
        ]

    # Control

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End all threads; work already extracted is dropped and redone at the next start."""
        self._stop.set()
        self.wake()
        for thread in self._threads:
            thread.join(timeout=30)
        self._ledger.put_back(sorted(self._in_flight))

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
        return len(self._in_flight) + self._to_write.unfinished_tasks

    def wake(self) -> None:
        with self._work_there:
            for ahead in self._ahead.values():
                ahead.clear()  # newer files may have come
            self._work_there.notify_all()

    def apply(
        self,
        removed: Sequence[int] = (),
        moved: Sequence[FileFacts] = (),
        then: Callable[[], None] | None = None,
    ) -> None:
        """Take removed files' rows away and give moved files' rows their new path."""
        if removed or moved:
            self._to_write.put(Change(removed, moved, then))

    # Extract

    def _guard(self, loop: Callable[[], None]) -> None:
        """A thread that hits a bug says so and goes on; the file in hand stays pending."""
        while not self._stop.is_set():
            try:
                loop()
            except Exception as error:
                log.exception("%s stumbled", threading.current_thread().name)
                self.hold(error)
                self._stop.wait(1.0)

    def hold(self, error: Exception) -> None:
        """What keeps the index from being written is waited for; what can't be read is mended."""
        if isinstance(error, StoreDamagedError | LedgerDamagedError):
            self._on_damage(error)
        if isinstance(error, InklingError | OSError):
            self._throttle.failed(error)

    def _next_file(self, quick_first: bool) -> FileRecord | None:
        with self._work_there:
            ahead = self._ahead[quick_first]
            if not ahead:
                ahead += self._look_ahead(quick_first)
            while ahead:
                record = ahead.pop()
                if record.id not in self._in_flight and record.id not in self._gone:
                    self._in_flight.add(record.id)
                    return record
            self._work_there.wait(1.0)
            return None

    def _look_ahead(self, quick_first: bool) -> list[FileRecord]:
        """The next files to read, the very next one last."""
        now = time.monotonic()
        self._gone = {i: until for i, until in self._gone.items() if until > now}
        excluded = self._in_flight.union(self._gone)
        found: list[FileRecord] = []
        if quick_first:
            found = self._ledger.next_pending(64, excluded, SLOW_KINDS)
        found = found or self._ledger.next_pending(64, excluded)
        return found[::-1]

    def _extract_loop(self, quick_first: bool) -> None:
        while not self._stop.is_set():
            if not self._running.wait(1.0):
                continue
            if self._throttle.hold():
                self._stop.wait(1.0)
                continue
            record = self._next_file(quick_first)
            if record is not None:
                self._last_work = time.monotonic()
                self._extract(record)
                self._progress.took(record.kind, time.monotonic() - self._last_work)
            elif time.monotonic() - self._last_work > IDLE_SECONDS:
                self._extractors.release()

    def _extract(self, record: FileRecord) -> None:
        try:
            work = self._reader.read(record)
        except (ExtractError, OSError) as error:
            self._unread(record, error)
        except BaseException:
            self._in_flight.discard(record.id)
            raise
        else:
            if work is None:
                self._unchanged(record)
            else:
                self._hand_on(work)

    def _unread(self, record: FileRecord, error: ExtractError | OSError) -> None:
        """Decide whether the file, or what is around it, is the reason."""
        if self._throttle.disk_full():
            self._throttle.failed(DISK_FULL)
            self._put_back(record)
        elif not os.path.lexists(record.path):
            # Moved, removed, or its drive is gone: the scan finds out which.
            self._gone[record.id] = time.monotonic() + GONE_SECONDS
            self._put_back(record)
            self._look(record.path)
        elif isinstance(error, ExtractError):
            self._give_up(record, error.reason, error.detail)
        else:
            self._give_up(record, "unreadable", error.strerror or str(error))

    def _put_back(self, record: FileRecord) -> None:
        """The file stays pending, as if it had not been begun."""
        try:
            self._ledger.put_back([record.id])
        finally:
            self._in_flight.discard(record.id)

    def _hand_on(self, work: Work) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                return self._to_encode.put(work, timeout=0.5)
        return None

    def _give_up(self, record: FileRecord, reason: str, detail: str) -> None:
        """The file has no content; what it had before goes."""
        try:
            if reason in DEATHS and (self._stop.is_set() or record.attempts == 0):
                # Whoever kills workers at random must not condemn a good file: once more, later.
                return
            if record.units:
                self.apply(removed=[record.id])
            self._ledger.set_state(record.id, REASONS[reason].state, reason, detail)
        finally:
            self._in_flight.discard(record.id)

    def _unchanged(self, record: FileRecord) -> None:
        """Touched, not edited: the rows stay, only the time is new."""
        self.apply(moved=[facts_of(record)])
        done = Done(
            record.id,
            record.units,
            record.content_hash or "",
            record.extractor_version,
            record.kind,
            record.picture,
            record.language,
            record.detail,
            record.attributes,
        )
        self._ledger.finish([done], self._engine.store.version)
        self._in_flight.discard(record.id)

    # Encode

    def _encode_loop(self) -> None:
        while not self._stop.is_set():
            try:
                batch = [self._to_encode.get(timeout=0.5)]
            except queue.Empty:
                continue
            while sum(len(work.units) for work in batch) < ENCODE_UNITS:
                try:
                    batch.append(self._to_encode.get_nowait())
                except queue.Empty:
                    break
            self._encode(batch)

    def _encode(self, batch: list[Work]) -> None:
        try:
            self._encode_together(batch)
        except _StoppedError:
            return  # half a file's units must not pass for the whole
        except InklingError as error:
            if self._engine.encoders.state == "failed":
                # No model, no memory for it: the files are not to blame.
                self._throttle.failed(error)
                for work in batch:
                    self._drop(work)
                    self._put_back(work.record)
            elif len(batch) == 1:
                self._drop(batch[0])
                self._give_up(batch[0].record, "encoder", str(error))
            else:  # find the file that the model can't take; the others go on
                for work in batch:
                    self._encode([work])
            return
        except BaseException:
            for work in batch:
                self._in_flight.discard(work.record.id)
            raise
        for work in batch:
            self._drop(work)
            self._to_write.put(work)

    def _drop(self, work: Work) -> None:
        """Its pictures are not needed any more."""
        if work.scratch is not None:
            shutil.rmtree(work.scratch, ignore_errors=True)

    def _encode_together(self, batch: list[Work]) -> None:
        pairs = [(work.facts, unit) for work in batch for unit in work.units]
        stored: list[StoredUnit] = []
        for start in range(0, len(pairs), ENCODE_UNITS):
            if self._stop.is_set():
                raise _StoppedError
            stored += self._engine.encode(pairs[start : start + ENCODE_UNITS])
            self.encoded = self.encoded + len(pairs[start : start + ENCODE_UNITS])
        at = 0
        for work in batch:
            work.stored = stored[at : at + len(work.units)]
            at += len(work.units)

    # Write

    def _write_loop(self) -> None:
        waiting: list[Work] = []
        since, commits, looked = time.monotonic(), 0, time.monotonic()
        while not self._stop.is_set():
            try:
                item = self._to_write.get(timeout=0.2)
            except queue.Empty:
                item = None
            if isinstance(item, Change):
                # In order: a file replaced and then removed must not come back.
                waiting = self._commit(waiting)
                self._apply(item)
                commits += 1
            elif item is not None:
                since = since if waiting else time.monotonic()
                waiting.append(item)
            if waiting and self._commit_is_due(waiting, since):
                waiting = self._commit(waiting)
                commits += 1
            rests = not self.busy and time.monotonic() - looked > REST_SECONDS
            if commits >= MAINTAIN_COMMITS or rests:
                commits, looked = 0, time.monotonic()
                self._engine.maintain()

    def _commit_is_due(self, waiting: Sequence[Work], since: float) -> bool:
        rows = sum(len(work.stored) for work in waiting)
        drained = len(self._in_flight) <= len(waiting) and self._to_write.empty()
        return drained or rows >= COMMIT_ROWS or time.monotonic() - since > COMMIT_SECONDS

    def _commit(self, waiting: Sequence[Work]) -> list[Work]:
        """Store, then ledger; the empty list. What can't be stored stays pending."""
        if not waiting:
            return []
        try:
            self._insist(lambda: self._store(waiting))
        finally:
            self._in_flight.difference_update(work.record.id for work in waiting)
            for _ in waiting:
                self._to_write.task_done()
        return []

    def _insist(self, action: Callable[[], None]) -> None:
        """Write, and wait where that is not possible: nothing else could be written either.

        On the way out only what is no matter of time; start-up compares ledger and store.
        """
        while not self._stop.is_set():
            try:
                return action()
            except (InklingError, OSError) as error:
                log.warning("Writing waits: %s", error)
                self.hold(error)
                self._stop.wait(WRITE_AGAIN_SECONDS)
            except Exception as error:
                log.exception("Writing stumbled")
                self._throttle.failed(error)
                return None
        return None

    def _store(self, waiting: Sequence[Work]) -> None:
        records = self._ledger.files_by_ids([work.record.id for work in waiting])
        alive = [work for work in waiting if work.record.id in records]
        for work in alive:
            path = records[work.record.id].path
            if path != work.facts.path:  # moved while it was read
                self._follow(work, path, records[work.record.id].ext)
        version = self._engine.replace({work.record.id: work.stored for work in alive})
        done = [
            Done(
                work.record.id,
                len(work.stored),
                work.content_hash,
                work.extractor_version,
                work.facts.kind,
                work.facts.picture,
                work.language,
                work.detail,
                work.facts.attributes,
            )
            for work in alive
        ]
        gone = self._ledger.finish(done, version)
        if gone:  # removed while they were being read
            self._engine.delete(gone)

    def _follow(self, work: Work, path: str, ext: str) -> None:
        old, work.facts = work.facts.path, replace(work.facts, path=path, ext=ext)
        work.stored = [
            replace(
                s,
                file=work.facts,
                unit=replace(s.unit, context=self.reword(s.unit.context, old, path)),
            )
            for s in work.stored
        ]

    def _apply(self, change: Change) -> None:
        try:
            if change.removed:
                self._insist(lambda: self._delete(change.removed))
            if change.moved:
                self._insist(lambda: self._move(change.moved))
        finally:
            self._to_write.task_done()
            if change.then is not None:
                change.then()

    def _delete(self, file_ids: Sequence[int]) -> None:
        self._engine.delete(file_ids)
        self._drop_thumbs(file_ids)

    def _move(self, files: Sequence[FileFacts]) -> None:
        # As the ledger has them now: they may have moved again meanwhile.
        records = self._ledger.files_by_ids([facts.file_id for facts in files])
        self._engine.move([facts_of(record) for record in records.values()], self.reword)

    def reword(self, context: str, old: str, new: str) -> str:
        """A unit's context after its file moved."""
        if old == new:
            return context
        return context_after_move(context, (old, self._root_of(old)), (new, self._root_of(new)))

    def _drop_thumbs(self, file_ids: Sequence[int]) -> None:
        for file_id in file_ids:
            for thumb in thumb_path(self._base, file_id, None).parent.glob(f"{file_id}-*.webp"):
                thumb.unlink(missing_ok=True)


class _StoppedError(Exception):
    """The pipeline is stopping."""
