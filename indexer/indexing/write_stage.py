"""The third stage: commits encoded files and changes to the store, then notes them done."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from engine import thumb_path
from engine.contract.paths import BaseDir
from engine.contract.types import FileFacts
from engine.store import Reword, StoredUnit
from indexer.indexing.failures import RepeatedFailures, is_damage, is_passing
from indexer.indexing.file_states import FileStates
from indexer.indexing.write_queue import Change, WriteQueue
from indexer.ledger.ledger import Ledger
from indexer.reading.kept_pages import KeptPages
from indexer.reading.work import Work, facts_of

#: A commit costs 40 to 70 ms of processor time and a manifest (tests.benchmarks.store_commits);
#: this many rows or seconds make one.
COMMIT_ROWS = 768
COMMIT_SECONDS = 2.5
#: Commits between two looks at what maintenance would do.
MAINTAIN_COMMITS = 20
REST_SECONDS = 5.0  # between two questions whether the store wants maintenance
#: How long the writer waits at most when the store can't be written.
WRITE_AGAIN_SECONDS = 3.0
#: A change that fails so often, and not for reasons of time, is left to the next start's
#: comparison of ledger and store.
CHANGE_TRIES = 3
WRITING, MAINTENANCE = "Writing the index", "Tidying the index"


class Writer(Protocol):
    """What the stage needs of the engine; its methods return the store's new version."""

    def replace(self, files: dict[int, Sequence[StoredUnit]]) -> int:
        """Make these the files' only rows, all or none."""

    def delete(self, file_ids: Sequence[int]) -> int:
        """Forget these files."""

    def move(self, files: Sequence[FileFacts], reword: Reword) -> int:
        """Give files' rows their new paths."""

    def maintain(self) -> None:
        """Tidy up, when it is worth it."""


class WriteStage:
    """Store, then ledger: a file is done only after the store's call returned. One thread.

    That call may take two commits; a crash between them leaves a file that is still pending.
    """

    def __init__(
        self,
        base: BaseDir,
        writer: Writer,
        ledger: Ledger,
        states: FileStates,
        inbox: WriteQueue,
        *,
        failures: RepeatedFailures,
        reword: Reword,
        on_error: Callable[[BaseException], None],
        stop: threading.Event,
    ) -> None:
        """`on_error` hears what keeps the store from being written, at each try."""
        self._base, self._writer, self._ledger = base, writer, ledger
        self._states, self._inbox, self._failures = states, inbox, failures
        self._reword, self._on_error, self._stop = reword, on_error, stop
        # Kept here, so that a step that fails loses nothing.
        self._waiting: list[Work] = []
        self._change: Change | None = None
        self._since = self._looked = time.monotonic()
        self._maintain_after = 0.0
        self._commits = 0

    def step(self) -> bool:
        """Take what comes and write what is due; whether something was written."""
        wrote = self._commits
        if self._change is None:
            item = self._inbox.get(0.2)
            if isinstance(item, Change):
                self._change = item
            elif item is not None:
                self._since = self._since if self._waiting else time.monotonic()
                self._waiting.append(item)
        if self._change is not None:
            # In order: a file replaced and then removed must not come back.
            self._commit()
            self._apply(self._change)
        elif self._waiting and self._commit_is_due():
            self._commit()
        done = self._commits != wrote
        self._maintain()
        return done

    def _commit_is_due(self) -> bool:
        rows = sum(len(work.stored) for work in self._waiting)
        drained = self._states.count <= len(self._waiting) and self._inbox.empty
        late = time.monotonic() - self._since > COMMIT_SECONDS
        return drained or rows >= COMMIT_ROWS or late

    def _maintain(self) -> None:
        now = time.monotonic()
        busy = self._states.count or self._inbox.unsettled
        rests = not busy and now - self._looked > REST_SECONDS
        if now < self._maintain_after or not (self._commits >= MAINTAIN_COMMITS or rests):
            return
        self._commits, self._looked = 0, now
        try:
            self._writer.maintain()
            self._failures.succeeded(MAINTENANCE)
        except BaseException as error:  # noqa: BLE001 -- what is to be written goes on
            pause = self._failures.failed(MAINTENANCE, error)
            self._maintain_after = time.monotonic() + pause
            self._on_error(error)

    # Content

    def _commit(self) -> None:
        """Store all that waits, then tell the ledger. What the store refuses gets its reason."""
        if not self._waiting:
            return
        refused = list[tuple[Work, BaseException]]()
        try:
            before = len(self._waiting)
            self._write(list(self._waiting), refused)
            if refused:
                any_written = len(self._waiting) < before
                if not (any_written or self._takes_writes([work for work, _ in refused])):
                    raise refused[-1][1]  # it takes nothing: no file's fault
                for work, error in refused:
                    detail = f"{type(error).__name__}: {str(error)[:200]}"
                    self._failures.failed(f"Writing file {work.record.id}", error)
                    self._failures.succeeded(f"Writing file {work.record.id}")
                    self._states.give_up(work.record, "refused", detail)
                    self._settle([work])
        except _StoppedError:
            return

    def _write(self, works: Sequence[Work], refused: list[tuple[Work, BaseException]]) -> None:
        """Commit files together; where that fails, find those that are refused by halves."""
        try:
            self._insist(lambda: self._store(works))
        except _StoppedError:
            raise
        except BaseException as error:  # a library's panic is no Exception
            if is_damage(error):
                raise
            if len(works) == 1:
                refused.append((works[0], error))
                return
            half = len(works) // 2
            self._write(works[:half], refused)
            self._write(works[half:], refused)
            return
        self._commits += 1
        self._settle(works)

    def _takes_writes(self, refused: Sequence[Work]) -> bool:
        """Whether the store takes anything: only then a file is to blame for not being taken."""
        # What the ledger could not be told may be in the store already.
        ids = [work.record.id for work in refused]
        gone = [work.record.id for work in refused if work.record.state != "done"]
        others = (r for r in self._ledger.recent(len(ids) + 1) if r.units and r.id not in ids)
        other = next(others, None)
        try:
            self._insist(lambda: self._delete(gone))
            if other is not None:
                self._insist(lambda: self._writer.move([facts_of(other)], self._reword))
        except _StoppedError:
            raise
        except BaseException as error:
            if is_damage(error):
                raise
            return False
        return True

    def _settle(self, works: Sequence[Work]) -> None:
        ids = {work.record.id for work in works}
        self._waiting = [work for work in self._waiting if work.record.id not in ids]
        self._states.release(*ids)
        for _ in works:
            self._inbox.settled()

    def _insist(self, action: Callable[[], object]) -> None:
        """Write, and wait where that is not possible: nothing else could be written either.

        On the way out only what is no matter of time.
        """
        while not self._stop.is_set():
            try:
                action()
            except BaseException as error:
                if not is_passing(error):
                    raise
                self._on_error(error)
                pause = self._failures.failed(WRITING, error)
                self._stop.wait(min(pause, WRITE_AGAIN_SECONDS))
            else:
                return self._failures.succeeded(WRITING)
        raise _StoppedError

    def _store(self, works: Sequence[Work]) -> None:
        records = self._ledger.files_by_ids([work.record.id for work in works])
        alive = [work for work in works if work.record.id in records]
        for work in alive:
            path = records[work.record.id].path
            if path != work.facts.path:  # moved while it was read
                self._follow(work, path, records[work.record.id].ext)
        version = self._writer.replace({work.record.id: work.stored for work in alive})
        gone = self._states.done(alive, version)
        if gone:  # removed while they were being read
            self._writer.delete(gone)

    def _follow(self, work: Work, path: str, ext: str) -> None:
        old, work.facts = work.facts.path, replace(work.facts, path=path, ext=ext)
        work.stored = [
            replace(
                s,
                file=work.facts,
                unit=replace(s.unit, context=self._reword(s.unit.context, old, path)),
            )
            for s in work.stored
        ]

    # Changes

    def _apply(self, change: Change) -> None:
        try:
            if change.removed:
                self._insist(lambda: self._delete(change.removed))
            if change.moved:
                self._move(change.moved)
        except _StoppedError:
            return
        except BaseException as error:
            change.failures += 1
            if is_damage(error) or change.failures < CHANGE_TRIES:
                raise
            self._failures.failed(WRITING, error)
        self._change = None
        self._commits += 1
        self._inbox.settled()
        if change.then is not None:
            change.then()

    def _delete(self, file_ids: Sequence[int]) -> None:
        self._writer.delete(file_ids)
        self._drop_thumbs(file_ids)
        KeptPages(self._base).drop(file_ids)

    def _move(self, files: Sequence[FileFacts]) -> None:
        """All together; where that fails, each, and what can't be moved is read again."""
        # As the ledger has them now: they may have moved again meanwhile.
        records = self._ledger.files_by_ids([facts.file_id for facts in files])
        moved = [facts_of(record) for record in records.values()]
        try:
            self._insist(lambda: self._writer.move(moved, self._reword))
        except _StoppedError:
            raise
        except BaseException as error:
            if is_damage(error):
                raise
            if len(files) == 1:
                self._ledger.requeue([files[0].file_id])
                return
            for facts in files:
                self._move([facts])

    def _drop_thumbs(self, file_ids: Sequence[int]) -> None:
        for file_id in file_ids:
            for thumb in thumb_path(self._base, file_id, None).parent.glob(f"{file_id}-*.webp"):
                thumb.unlink(missing_ok=True)


class _StoppedError(Exception):
    """The pipeline is stopping."""
