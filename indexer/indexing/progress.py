"""Progress: how long the waiting files will take, from how long files of their kind took."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from engine.contract.kinds import KINDS
from indexer.ledger.ledger import Ledger

#: Worker seconds a file of each kind takes before anything was measured here (two laptop cores).
TYPICAL_SECONDS = {row.id: row.typical_seconds for row in KINDS.values()}
#: Weight of the newest file in the running mean.
SMOOTHING = 0.05


class Progress:
    """Running means of seconds per file and kind; thread-safe."""

    def __init__(self, ledger: Ledger, workers: int) -> None:
        self._ledger, self.workers = ledger, workers
        self._seconds = dict(TYPICAL_SECONDS)
        self._lock = threading.Lock()

    def took(self, kind: str, seconds: float) -> None:
        """One file of this kind kept a worker busy so long."""
        with self._lock:
            mean = self._seconds.get(kind, seconds)
            self._seconds[kind] = mean + SMOOTHING * (seconds - mean)

    def eta(self, counts: Mapping[str, int], root_id: int | None = None) -> float | None:
        """Seconds until nothing waits any more; None when nothing does."""
        if not counts.get("pending", 0) + counts.get("seen", 0):
            return None
        waiting = self._ledger.pending_by_kind(root_id)
        with self._lock:
            total = sum(n * self._seconds.get(kind, 0.1) for kind, n in waiting.items())
        return round(total / self.workers, 1)
