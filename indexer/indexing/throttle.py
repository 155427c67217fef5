"""The throttle: when a good guest does not index (battery, little disk, a full index)."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable

import psutil

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings

#: How long an observation holds; battery and disk don't change faster than a person sees.
FRESH_SECONDS = 5.0
#: Less than this is a full disk.
FULL_BYTES = 1_000_000
#: After a failed commit nothing is tried for so long.
BACK_OFF_SECONDS = 20.0


class Throttle:
    """Says why indexing holds now, if it does; thread-safe."""

    def __init__(self, base: BaseDir, settings: Settings, index_bytes: Callable[[], int]) -> None:
        self._base, self._settings, self._index_bytes = base, settings, index_bytes
        self._lock = threading.Lock()
        self._looked = 0.0
        self._found: tuple[str, str] | None = None
        self._failure: tuple[float, str, str] | None = None

    def reason_to_wait(self) -> str:
        """A sentence why nothing is indexed now; "" when nothing stands against it."""
        found = self._look()
        return found[0] if found else ""

    def failed(self, error: Exception) -> None:
        """Something could not be written, or no model loads: wait a while before the next."""
        title, hint = "The index could not be written.", str(error)[:200]
        if isinstance(error, InklingError):
            title, hint = error.message, error.hint
        with self._lock:
            self._failure = (time.monotonic() + BACK_OFF_SECONDS, title, hint)

    def disk_full(self) -> bool:
        """Whether nothing can be written: what failed now, failed for that."""
        try:
            return shutil.disk_usage(self._base.root).free < FULL_BYTES
        except OSError:
            return True

    def health(self) -> list[dict[str, str]]:
        """For the faces: what holds indexing and what to do."""
        found = self._look()
        if found is None:
            return []
        return [{"level": "warning", "title": found[0], "hint": found[1]}]

    def _look(self) -> tuple[str, str] | None:
        with self._lock:
            now = time.monotonic()
            if self._failure is not None and now < self._failure[0]:
                return self._failure[1:]
            if now - self._looked > FRESH_SECONDS:
                self._looked, self._found = now, self._observe()
            return self._found

    def _observe(self) -> tuple[str, str] | None:
        free = shutil.disk_usage(self._base.root).free
        if free < self._settings.min_free_disk_gb * 1e9:
            return (
                f"Only {free / 1e9:.1f} GB are free on the disk; indexing waits.",
                "Free some space, or lower “Keep free on the disk” in the settings.",
            )
        cap = self._settings.disk_cap_gb
        if cap and self._index_bytes() > cap * 1e9:
            return (
                f"The index has reached its limit of {cap} GB; indexing waits.",
                "Raise “Largest index” in the settings, or remove a folder.",
            )
        if self._settings.pause_on_battery and self._on_battery():
            return "On battery: only names are kept up to date.", "Plug in, or change the setting."
        return None

    def _on_battery(self) -> bool:
        battery = psutil.sensors_battery() if hasattr(psutil, "sensors_battery") else None
        return battery is not None and battery.power_plugged is False
