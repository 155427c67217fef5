"""The log of who read what: a line of JSON for each request, written beside the answers."""

from __future__ import annotations

import json
import logging
import os
import queue
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from indexer.team.asker import Asked

log = logging.getLogger(__name__)

#: Of one file, and how many older ones are kept.
BYTES, KEPT = 50_000_000, 9
#: Lines that wait to be written; beyond, they are counted as lost: no answer waits for a disk.
_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Done:
    """A request and how it ended."""

    address: str
    route: str
    status: int
    took_ms: float


class AuditLog:
    """`audit.jsonl`, for its owner alone; for any thread."""

    def __init__(self, path: Path, *, questions: bool = True) -> None:
        """`questions`: whether what was asked is written, too."""
        self._questions = questions
        self._file = _Rotated(path)
        self._lines: queue.Queue[str | None] = queue.Queue(_WAITING)
        self._lost = 0
        self._thread = threading.Thread(target=self._write, name="audit", daemon=True)
        self._thread.start()

    def note(self, asked: Asked, done: Done) -> None:
        """Write it soon; returns at once."""
        line: dict[str, Any] = {
            "at": round(time.time(), 3),
            "account": asked.account.name if asked.account else None,
            "address": done.address,
            "route": done.route,
            "status": done.status,
            "ms": round(done.took_ms, 1),
        }
        if self._questions and asked.question:
            line["question"] = asked.question
        if asked.files:
            line["files"] = asked.files
        if asked.more_files:
            line["more_files"] = asked.more_files
        try:
            self._lines.put_nowait(json.dumps(line))
        except queue.Full:
            self._lost += 1

    def problem(self) -> str:
        """What keeps requests from being noted; "" where nothing does."""
        lost = self._lost + self._file.lost
        if self._file.why:
            return f"The audit log can't be written ({self._file.why}); {lost} lines are lost."
        return f"{lost} lines of the audit log are lost." if lost else ""

    def close(self) -> None:
        """Write what waits."""
        self._lines.put(None)
        self._thread.join(timeout=10)
        self._file.close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            self._file.emit(logging.makeLogRecord({"msg": line}))


class _Rotated(RotatingFileHandler):
    """A rotated file that counts what it could not write, and says so once."""

    def __init__(self, path: Path) -> None:
        self.why, self.lost = "", 0
        super().__init__(path, maxBytes=BYTES, backupCount=KEPT, encoding="utf-8", delay=True)

    def _open(self) -> Any:
        def private(path: str, flags: int) -> int:
            return os.open(path, flags, 0o600)

        return open(self.baseFilename, self.mode, encoding="utf-8", opener=private)

    def emit(self, record: logging.LogRecord) -> None:
        failed = self.lost
        super().emit(record)
        if failed == self.lost and self.why:
            log.warning("The audit log is written again; %d lines are lost.", self.lost)
            self.why = ""

    def handleError(self, record: logging.LogRecord) -> None:
        self.lost += 1
        error = sys.exc_info()[1]
        why = str(getattr(error, "strerror", None) or error)
        if why != self.why:
            self.why = why
            log.error("The audit log can't be written: %s. Free some space.", why)
        # What the buffer holds would be tried again with every line.
        stream, self.stream = self.stream, None
        if stream is not None:
            with suppress(OSError):
                stream.close()
