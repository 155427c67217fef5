"""What the index holds of each filter: asked for when somebody is about to choose."""

from __future__ import annotations

import time
from collections.abc import Mapping

from PySide6.QtCore import QObject, Signal

from desktop.connection import IndexerConnection

#: So long what was told is taken to be so: it tells what there is to choose, not what is new.
_HOLDS_SECONDS = 30.0


class HeldValues(QObject):
    """Told by the indexer in the background; what was told last is there at once."""

    changed = Signal()

    def __init__(self, service: IndexerConnection, parent: QObject) -> None:
        super().__init__(parent)
        self._service = service
        self._asked = float("-inf")
        self.values: Mapping[str, Mapping[str, int]] = {}
        service.connected.connect(self.refresh)

    @property
    def folders(self) -> Mapping[str, int]:
        """Folders below the watched ones, with how many files lie in them."""
        return self.values.get("in", {})

    def refresh(self) -> None:
        """Ask, unless that was a moment ago."""
        now = time.monotonic()
        if self._service.ready and now - self._asked > _HOLDS_SECONDS:
            self._asked = now
            self._service.call(
                lambda client: client.values(), self._take, lambda _error: None, key="values"
            )

    def _take(self, values: Mapping[str, Mapping[str, int]]) -> None:
        if values != self.values:
            self.values = values
            self.changed.emit()
