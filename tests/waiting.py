"""Waiting for what is to happen: by condition, with patience enough for a busy machine.

A test that passes waits no longer than it takes; the limit only ends one that waits in vain.
"""

from __future__ import annotations

import time
from collections.abc import Callable

#: Eight busy loops beside two workers on two cores make everything ten times as slow.
PATIENCE = 400.0
PATIENCE_MS = int(PATIENCE * 1000)


def until(condition: Callable[[], object], what: object = "", *, seconds: float = PATIENCE) -> None:
    """Return when the condition holds; AssertionError that tells `what` (called, if it can be)."""
    deadline = time.monotonic() + seconds
    pause = 0.02
    while not condition():
        said = what() if callable(what) else what
        assert time.monotonic() < deadline, f"waited in vain {said}"
        time.sleep(pause)
        pause = min(pause * 1.3, 0.4)
