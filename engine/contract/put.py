"""A new file in an old one's place, also while somebody reads that."""

from __future__ import annotations

import os
import time
from pathlib import Path

#: What Windows says while another program has the old file open: settings that a window reads, what
#: a virus scanner looks at. Elsewhere nobody is in the way.
_IN_THE_WAY = frozenset({5, 32, 33})
PATIENCE_S = 1.0
_PAUSE_S = 0.01


def put_in_place(new: str | Path, target: str | Path) -> None:
    """Replace a file, at once; who reads it on Windows is waited for a second. OSError after it."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            os.replace(new, target)
        except PermissionError as error:
            if getattr(error, "winerror", 0) not in _IN_THE_WAY or time.monotonic() > until:
                raise
            time.sleep(_PAUSE_S)
        else:
            return


def put_privately(data: bytes, path: Path) -> None:
    """Make this a file's contents in one step, for its owner alone. OSError."""
    fresh = Path(f"{path}.new")
    fresh.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    with os.fdopen(os.open(fresh, flags, 0o600), "wb") as file:
        file.write(data)
    put_in_place(fresh, path)
