"""The status: what the indexer is at, folder by folder, and what is wrong."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from engine.contract.errors import StoreBusyError, StoreDamagedError
from indexer.indexing.activation import ModelActivation
from indexer.indexing.index import Index
from indexer.ledger.ledger import Root
from indexer.reading.pool import ExtractorPool
from indexer.server.coverage import CoverageCounter
from indexer.server.pause import Pause
from indexer.server.settings import SettingsOwner
from indexer.sources.scanner import Scanner

log = logging.getLogger(__name__)

Health = list[dict[str, str]]


class Status:
    """Gathers it from the parts of a running indexer; for any thread."""

    def __init__(
        self,
        index: Index,
        scanner: Scanner,
        extractors: ExtractorPool,
        activation: ModelActivation,
        settings: SettingsOwner,
        pause: Pause,
        coverage: CoverageCounter,
        watching: Callable[[], Health],
        away: Callable[[], dict[str, str]],
    ) -> None:
        """`watching`: what keeps folders from being watched; `away`: archives that did not answer
        when they were asked last, and why."""
        self._index, self._scanner, self._extractors = index, scanner, extractors
        self._activation, self._settings, self._pause = activation, settings, pause
        self._coverage, self._watching, self._away = coverage, watching, away
        self._units = 0

    def state(self) -> str:
        """scanning, indexing, idle or paused."""
        if self._index.paused:
            return "paused"
        if self._scanner.scanning:
            return "scanning"
        if self._index.waiting:
            return "paused" if self._index.throttled() else "indexing"
        return "idle"

    def told(self) -> dict[str, Any]:
        """As the front ends get it; see the API."""
        self._settings.refresh()
        index, counts, scanning = self._index, self._coverage.counts(), self._scanner.scanning
        engine = index.engine
        return {
            "state": self.state(),
            "paused_until": self._pause.until,
            "settings_revision": self._settings.revision,
            "files_revision": index.ledger.database.revision,
            "model": {
                "id": engine.spec.id,
                "title": engine.spec.title,
                "state": engine.encoder_state,
                "notes": list(engine.encoder_notes),
                "next": self._activation.progress(),
                "encoding": engine.encoding(),
            },
            "folders": [self._folder(root, root.id in scanning) for root in index.ledger.roots()],
            "totals": {**by_state(counts), "units": self._count()},
            "encoded": index.encoded,
            "improving": index.improving,
            "sight": self._sight(),
            "reader_restarts": self._extractors.restarts,
            "eta_s": index.progress.eta(counts),
            "index_bytes": self._bytes(),
            "archives_away": self._away(),
            "health": [*index.health(), *self._settings.health(), *self._watching()],
        }

    def _bytes(self) -> int:
        """On disk: passages, and what is known of pictures."""
        index = self._index
        pictures = index.looks.size_bytes() + index.seeing.size_bytes()
        return index.engine.size_bytes() + pictures

    def _sight(self) -> dict[str, Any]:
        pictures, looked_at = self._index.looking.counts()
        model = self._index.seeing.progress()
        return {"pictures": pictures, "looked_at": looked_at, "model": model}

    def _count(self) -> int:
        """Units in the store; the last number where it can't be read now: the status is for just
        such times."""
        try:
            self._units = self._index.engine.count()
        except StoreDamagedError as error:
            self._index.on_damage(error)
        except StoreBusyError as error:
            log.warning("The units can't be counted now: %s", error)
        return self._units

    def _folder(self, root: Root, scanning: bool) -> dict[str, Any]:
        counts = self._index.ledger.counts(root.id)
        return {
            "path": root.path,
            "online": root.online,
            "scanning": scanning,
            **by_state(counts),
            "eta_s": self._index.progress.eta(counts),
        }


def by_state(counts: dict[str, int]) -> dict[str, int]:
    """As the API tells them: all, those on their way, and of each state."""
    states = ("done", "failed", "skipped", "withheld")
    return {
        "files": sum(counts.values()),
        "pending": counts.get("pending", 0) + counts.get("seen", 0),
        **{state: counts.get(state, 0) for state in states},
    }
