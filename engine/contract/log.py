"""One log per process under logs/, rotated; contents of files never go into a log."""

from __future__ import annotations

import logging
import logging.handlers
import os
from pathlib import Path

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def set_up(directory: Path, process: str) -> None:
    """Send this process's log records to `directory/process.log` (1 MB, three old ones kept)."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    handler = logging.handlers.RotatingFileHandler(
        directory / f"{process}.log",
        maxBytes=1_000_000,
        backupCount=3,
        encoding="utf-8",
        errors="backslashreplace",
    )
    handler.setFormatter(logging.Formatter(FORMAT))
    logging.basicConfig(
        level=os.environ.get("INKLING_LOG_LEVEL", "INFO"), handlers=[handler], force=True
    )
