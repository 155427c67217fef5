"""The owner of the settings: front ends ask it for changes, the file follows, and so do we."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable, Mapping, Sequence, Set
from contextlib import suppress
from typing import Any

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import SETTINGS, Settings
from engine.models.files import ensure_usable
from engine.models.registry import MODELS, spec_for
from indexer.asking.addresses import read_address

log = logging.getLogger(__name__)

#: The other machine that an address leads to, and where it says that it may be asked, or encode:
#: set by `confirm` alone.
CONFIRMED = {"ask_server": "ask_confirmed", "encoder_address": "encoder_confirmed"}
#: Which call confirms it.
_BY = {"ask_confirmed": "/v1/ask/confirm", "encoder_confirmed": "/v1/encoder/confirm"}
#: What is asked beside this machine: set by `keep_archives` alone.
ARCHIVES = "archives"
_Edition = tuple[int, int, int]  # time of change in ns, size, inode
_NONE: _Edition = (0, 0, 0)
_NOT_LOOKED_AT: _Edition = (-1, 0, 0)


class SettingsOwner:
    """Changes one at a time, from any thread; what is changed in the file by hand is taken over."""

    def __init__(
        self, base: BaseDir, settings: Settings, follow: Callable[[Set[str]], None]
    ) -> None:
        """`settings`, shared with who reads them, is kept up to date; `follow(keys)` hears which
        keys have another value now."""
        self._base, self._settings, self._follow = base, settings, follow
        self._lock = threading.RLock()
        self._edition = _NOT_LOOKED_AT  # of the file that was read last
        self._mistakes = list(settings.messages)
        #: Grows with every change, across restarts too as long as the clock does.
        self.revision = self._look()[0] // 1_000_000

    def told(self) -> dict[str, Any]:
        """All `values` by key, and their `revision`."""
        with self._lock:
            self._take_over()
            return {"values": self._settings.as_dict(), "revision": self.revision}

    def refresh(self) -> None:
        """Take over what was changed by hand; while somebody changes settings, later."""
        if self._look() != self._edition and self._lock.acquire(blocking=False):
            try:
                self._take_over()
            finally:
                self._lock.release()

    def change(self, values: Mapping[str, object]) -> list[str]:
        """Check, save and follow new values; the keys that take hold when the indexer starts again.

        All or none: a wrong value is an InklingError and nothing is changed.
        """
        for address, confirmed in CONFIRMED.items():
            if confirmed in values:
                raise InklingError(
                    "Another machine is confirmed by typing its name.",
                    hint="POST {call} does so.",
                    told={"call": _BY[confirmed]},
                )
            if named := str(values.get(address, "")).strip():
                read_address(named)
        if ARCHIVES in values:
            raise InklingError(
                "Archives are added and removed one by one.",
                hint="POST and DELETE /v1/archives do so.",
            )
        return self._change(values)

    def confirm(self, host: str, address: str = "ask_server") -> None:
        """The person has typed the name of the other machine of an address: it may be asked."""
        self._change({CONFIRMED[address]: host})

    def keep_archives(self, rows: Sequence[str]) -> None:
        """The person has added an archive, or removed one."""
        self._change({ARCHIVES: tuple(rows)})

    def _change(self, values: Mapping[str, object]) -> list[str]:
        with self._lock:
            self._take_over()
            fresh = Settings.load(self._base)
            if mistaken := bool(fresh.messages):
                fresh.update(self._settings.as_dict())
            named = {address: fresh.get(address) for address in CONFIRMED}
            for key, value in values.items():
                fresh.set(key, value)
            for address, confirmed in CONFIRMED.items():
                if fresh.get(address) != named[address]:
                    fresh.set(confirmed, "")  # that was said of another address
            if "model" in values:
                ensure_usable(spec_for("text", fresh.model), self._base)
            if values.get("sight_model"):
                ensure_usable(spec_for("sight", fresh.sight_model), self._base)
            if mistaken:  # what a person wrote is not lost for a wrong character in it
                kept = self._base.settings.with_suffix(".toml.mistaken")
                with suppress(OSError):
                    shutil.copy2(self._base.settings, kept)
            fresh.save()
            self._edition, self._mistakes = self._look(), []
            changed = self._take(fresh)
        return sorted(key for key in changed if SETTINGS[key].restart == "indexer")

    def health(self) -> list[dict[str, str]]:
        """What is wrong in the file, if anything."""
        hints = list(self._mistakes)
        named = (self._settings.model, self._settings.sight_model)
        known = ", ".join(MODELS)
        hints += [
            f"There is no model called “{model}”; known are {known}."
            for model in named
            if model and model not in MODELS
        ]
        title = f"There is a mistake in {self._base.settings.name}."
        return [{"level": "warning", "title": title, "hint": hint} for hint in hints]

    def _look(self) -> _Edition:
        try:
            found = self._base.settings.stat()
        except OSError:
            return _NONE
        return found.st_mtime_ns, found.st_size, found.st_ino

    def _take_over(self) -> None:
        """Read the file if it is another; one with mistakes in it changes nothing."""
        edition = self._look()
        if edition == self._edition:
            return
        fresh = Settings.load(self._base)
        self._edition, self._mistakes = edition, list(fresh.messages)
        if fresh.messages:
            # Half written, perhaps: the defaults in its place could open what was left out.
            log.warning("%s", " ".join(fresh.messages))
        else:
            self._take(fresh)

    def _take(self, fresh: Settings) -> Set[str]:
        before, after = self._settings.as_dict(), fresh.as_dict()
        changed = {key for key in SETTINGS if before[key] != after[key]}
        if changed:
            self._settings.update(after)  # pipeline and throttle look at this very object
            self.revision = max(self.revision + 1, self._edition[0] // 1_000_000)
            self._follow(changed)
        return changed
