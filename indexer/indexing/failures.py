"""Failures that repeat: how long to wait before the next try, and when to say so in the status."""

from __future__ import annotations

import logging
import re
import threading
from dataclasses import dataclass

from engine.contract.errors import InklingError, RefusedRowsError, StoreDamagedError
from indexer.ledger.ledger import LedgerDamagedError

log = logging.getLogger(__name__)

#: The wait after a first failure; each equal one after it waits twice as long, up to …
FIRST_SECONDS = 1.0
MOST_SECONDS = 60.0
#: So many equal failures in a row are no accident: the status says so, the log no longer shows
#: where.
SAID_AFTER = 3
_NUMBERS = re.compile(r"\d+")


@dataclass(slots=True)
class _Streak:
    kind: str
    count: int
    title: str
    hint: str


class RepeatedFailures:
    """Counts, for each task, equal failures in a row; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._streaks: dict[str, _Streak] = {}

    def failed(self, task: str, error: BaseException) -> float:
        """Note a failure of a task ("Reading files"); seconds to wait before the next try."""
        # Numbers differ where the failure is the same: rows, versions, addresses.
        kind = f"{type(error).__name__}: {_NUMBERS.sub('#', str(error))[:200]}"
        with self._lock:
            streak = self._streaks.get(task)
            if streak is None or streak.kind != kind:
                streak = self._streaks[task] = _Streak(kind, 0, *_said(task, error))
            streak.count += 1
            count = streak.count
        if count < SAID_AFTER and not isinstance(error, InklingError):
            log.error("%s failed", task, exc_info=error)
        else:
            log.warning("%s failed, %d times in a row: %s", task, count, str(error)[:500])
        return float(min(MOST_SECONDS, FIRST_SECONDS * 2.0 ** min(count - 1, 16)))

    def succeeded(self, task: str) -> None:
        """The task did what it is for."""
        if task in self._streaks:
            with self._lock:
                self._streaks.pop(task, None)

    def health(self) -> list[dict[str, str]]:
        """For the front ends: what fails again and again, and what to do."""
        with self._lock:
            said = [streak for streak in self._streaks.values() if streak.count >= SAID_AFTER]
        return [{"level": "warning", "title": s.title, "hint": s.hint} for s in said]


def _said(task: str, error: BaseException) -> tuple[str, str]:
    if isinstance(error, InklingError):
        return error.message, error.hint
    return (
        f"{task} fails again and again.",
        f"Inkling goes on trying. See logs/indexer.log: {type(error).__name__}: {str(error)[:160]}",
    )


def is_damage(error: BaseException) -> bool:
    """Whether store or ledger can't be read any more, which no waiting mends."""
    return isinstance(error, StoreDamagedError | LedgerDamagedError)


def is_passing(error: BaseException) -> bool:
    """Whether waiting may help: a full disk, a lock, a permission."""
    if is_damage(error) or isinstance(error, RefusedRowsError):
        return False
    return isinstance(error, InklingError | OSError)
