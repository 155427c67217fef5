"""One log per process under logs/, rotated; contents of files never go into a log."""

from __future__ import annotations

import logging
import logging.handlers
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
INTERVAL_S = 60.0  # in which the same is said once
MOST_HELD = 512  # messages remembered; beyond, the oldest may be said again


def set_up(directory: Path, process: str) -> None:
    """Send this process's log records to `directory/process.log` (1 MB, three old ones kept)."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    logging.basicConfig(
        level=os.environ.get("INKLING_LOG_LEVEL", "INFO"),
        handlers=[LogFile(directory / f"{process}.log")],
        force=True,
    )


@dataclass(slots=True)
class _Said:
    """A message of the last interval."""

    record: logging.LogRecord
    since: float
    repeats: int = 0


class LogFile(logging.handlers.RotatingFileHandler):
    """A rotated file in which a loop that repeats itself takes two lines a minute.

    The first of equal messages (logger, level, text and exception) is written at once, the others
    of the same minute as one line with their number when it is over.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(
            path, maxBytes=1_000_000, backupCount=3, encoding="utf-8", errors="backslashreplace"
        )
        self.setFormatter(logging.Formatter(FORMAT))
        self._clock = clock
        self._said: dict[tuple[object, ...], _Said] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record, or count it."""
        try:
            key = _key(record)
        except Exception:  # noqa: BLE001 (arguments that do not fit the message: logging's to say)
            self.handleError(record)
            return
        now = self._clock()
        self._tell(lambda said: now - said.since >= INTERVAL_S)
        if (said := self._said.get(key)) is not None:
            said.repeats += 1
            return
        if len(self._said) >= MOST_HELD:
            oldest = next(iter(self._said.values()))
            self._tell(lambda said: said is oldest)
        self._said[key] = _Said(record, now)
        super().emit(record)

    def _tell(self, over: Callable[[_Said], bool]) -> None:
        """Forget the messages whose time is over; say how often each came again."""
        for key, said in [(key, said) for key, said in self._said.items() if over(said)]:
            del self._said[key]
            if said.repeats:
                again = logging.makeLogRecord({**vars(said.record), "created": time.time()})
                again.msg, again.args = f"{said.record.getMessage()} (and {said.repeats} more)", ()
                again.exc_info = again.exc_text = again.stack_info = None
                super().emit(again)

    def close(self) -> None:
        """Say what was only counted, and close the file."""
        self.acquire()
        try:
            self._tell(lambda said: True)
        finally:
            self.release()
        super().close()


def _key(record: logging.LogRecord) -> tuple[object, ...]:
    error = record.exc_info[1] if record.exc_info else None
    return record.name, record.levelno, record.getMessage(), type(error), str(error)
