"""Whether a worker has had its time: what it computed counts, not the clock.

Beside other programs a worker of lowest priority has the processor for a hundredth of the time;
that is no fault of its file. What does nothing at all is given up after a long time by the clock.
"""

from __future__ import annotations

import sys
import time

import psutil

from indexer.reading.extract.base import ExtractError

#: Of a worker that neither computes nor waits for the processor: a drive that does not answer, a
#: lock. Slow network drives pause for minutes.
IDLE_S = 600.0
#: One look counts for no more: between two of them this process may have been stopped itself.
_MOST_S = 1.0
_WANTS_PROCESSOR = (psutil.STATUS_RUNNING, psutil.STATUS_WAKING)
_STATUS_TELLS = sys.platform == "linux"


class Deadline:
    """Counts the time of one request to a worker. Not for several threads."""

    def __init__(self, process: psutil.Process, processor_s: float, idle_s: float = IDLE_S) -> None:
        """`processor_s`: seconds of processor time from now on, all threads together."""
        self._process, self._processor_s, self._idle_s = process, processor_s, idle_s
        self._began = self._used = _processor_time(process)
        self._looked, self._idle = time.monotonic(), 0.0

    def check(self) -> None:
        """ExtractError("timeout") once the time is over; to be called a few times a second."""
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, _MOST_S), now
        before, self._used = self._used, _processor_time(self._process)
        if self._used - self._began > self._processor_s:
            raise ExtractError("timeout", f"{self._processor_s:.0f} s of processor time")
        if self._used == before and not _waits_for_processor(self._process):
            self._idle += passed
        elif not _STATUS_TELLS:
            self._idle = 0.0  # what seemed to stand still may have waited for the processor
        if self._idle > self._idle_s:
            raise ExtractError("timeout", f"it stood still for {self._idle_s:.0f} s")


def _processor_time(process: psutil.Process) -> float:
    """Seconds; 0.0 when it has ended, which who waits for its answer sees."""
    try:
        times = process.cpu_times()
    except psutil.Error:
        return 0.0
    return float(times.user + times.system)


def _waits_for_processor(process: psutil.Process) -> bool:
    """Whether it would compute if it were let, as far as the system tells."""
    try:
        return _STATUS_TELLS and process.status() in _WANTS_PROCESSOR
    except psutil.Error:
        return False
