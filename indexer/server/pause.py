"""Pausing: indexing stops for a while, or until somebody resumes it."""

from __future__ import annotations

import threading
import time

from indexer.indexing.index import Index


class Pause:
    """Pauses and resumes the index; for any thread."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self.until: float | None = None  # seconds since the epoch; None: without an end, or none
        self._timer: threading.Timer | None = None
        self._lock = threading.RLock()

    def pause(self, seconds: float | None = None) -> None:
        with self._lock:
            self.cancel()
            self._index.pause()
            if seconds is not None:
                self.until = time.time() + seconds
                self._timer = threading.Timer(seconds, self.resume)
                self._timer.daemon = True
                self._timer.start()

    def resume(self) -> None:
        with self._lock:
            self.cancel()
            self._index.resume()

    def cancel(self) -> None:
        """Nothing resumes by itself any more."""
        with self._lock:
            self.until = None
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
