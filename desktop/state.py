"""What the window remembers between sessions: its place, searches made and searches kept."""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from engine.contract.put import put_in_place

_log = logging.getLogger(__name__)
HISTORY_LENGTH = 200


@dataclass(slots=True)
class State:
    """Window state in one JSON file; apart from the settings, since nobody edits it by hand."""

    geometry: str = ""  # base64 of QWidget.saveGeometry
    splitter: list[int] = field(default_factory=list)
    preview: bool = True
    history: list[str] = field(default_factory=list)  # newest first
    saved: list[str] = field(default_factory=list)
    onboarded: bool = False
    tray_notice_shown: bool = False
    sight_declined: bool = False  # the offer to see pictures was answered with “not now”
    opened: dict[str, float] = field(default_factory=dict)  # path -> epoch seconds, newest 50
    _path: Path | None = None

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read window.json; a missing or damaged one is an empty state."""
        path = folder / "window.json"
        state = cls(_path=path)
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return state
        for key, default in asdict(cls()).items():
            if key in data and type(data[key]) is type(default) and not key.startswith("_"):
                setattr(state, key, data[key])
        return state

    def save(self) -> None:
        """Replace window.json; a disk that is full must not end the window."""
        if self._path is None:
            return
        data: dict[str, Any] = {k: v for k, v in asdict(self).items() if not k.startswith("_")}
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(prefix=self._path.name, dir=self._path.parent)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(data, file)
            put_in_place(name, self._path)
        except OSError:
            _log.warning("the window's state could not be saved", exc_info=True)

    def remember(self, text: str, *, used: bool = True) -> None:
        """A search becomes the newest of the history; what was typed on the way to it goes.

        `used`: a result of it was opened; else it was only rested on, and the beginning of the one
        before is but what is left of it.
        """
        text = " ".join(text.split())
        if not text or (not used and self.history[:1] and self.history[0].startswith(text)):
            return
        earlier = [t for t in self.history if t != text]
        while earlier and text.casefold().startswith(earlier[0].casefold()):
            del earlier[0]
        self.history = [text, *earlier][:HISTORY_LENGTH]

    def forget_searches(self) -> None:
        """What was searched for and opened goes; searches kept on purpose stay."""
        self.history, self.opened = [], {}

    def keep(self, text: str) -> bool:
        """Save a search, or forget it where it is saved; whether it is saved now."""
        text = " ".join(text.split())
        if text in self.saved:
            self.saved.remove(text)
            return False
        if text:
            self.saved.insert(0, text)
        return bool(text)

    def note_opened(self, path: str) -> None:
        """A file was opened from here; the newest 50 are offered on an empty field."""
        self.opened.pop(path, None)
        self.opened = {path: time.time(), **self.opened}
        for old in list(self.opened)[50:]:
            del self.opened[old]


class HistoryCursor:
    """Walking through past searches with Alt+Up and Alt+Down; the text being typed is kept."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.place = -1
        self._typed = ""

    def reset(self) -> None:
        """The person typed: the next step starts at the newest search again."""
        self.place = -1

    def step(self, older: bool, current: str) -> str:
        """The search one step older or newer."""
        if self.place < 0:
            self._typed = current
        place = self.place + (1 if older else -1)
        history = [t for t in self._state.history if t != " ".join(self._typed.split())]
        self.place = max(-1, min(place, len(history) - 1))
        return self._typed if self.place < 0 else history[self.place]
