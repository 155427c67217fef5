"""Turns at one model: one forward at a time, queries before batches."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock whose urgent callers go first, so that a query waits for one forward at most."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = False
        self._urgent = 0  # waiting

    @contextmanager
    def take(self, *, urgent: bool) -> Iterator[None]:
        """Wait for the turn and hold it."""
        with self._changed:
            self._urgent += urgent
            try:
                self._changed.wait_for(lambda: not self._taken and (urgent or not self._urgent))
                self._taken = True
            finally:
                self._urgent -= urgent
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()
