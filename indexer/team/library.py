"""The files of an archive as one asker sees them: status, problems, values, texts, thumbnails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.archive.entries import About
from engine.models.registry import ModelSpec
from indexer.ledger.records import FileRecord
from indexer.server import problems
from indexer.server.status import by_state
from indexer.server.stored_text import text_of
from indexer.team.asker import ASKED, asking
from indexer.team.following import Health, thumb_of
from indexer.team.search import known_file
from indexer.team.views import View, Views

#: Values that are told of each filter.
_MOST_VALUES = 100


class ArchiveLibrary:
    """The port `Reading`; for any thread of a request."""

    def __init__(
        self,
        views: Views,
        about: About,
        spec: ModelSpec,
        thumbs: Path,
        health: Callable[[], Health],
    ) -> None:
        self._views, self._about, self._spec = views, about, spec
        self._thumbs, self._health = thumbs, health

    def status(self) -> dict[str, Any]:
        """What the front ends show; of nothing but what the asker may read."""
        view, health = self._view, self._health()
        return {
            "state": "indexing" if health.behind else "idle",
            "paused_until": None,
            "settings_revision": 0,
            "files_revision": view.names.revision(),
            "archive": {"id": self._about.archive_id, "name": self._about.name},
            "model": {
                "id": self._spec.id,
                "title": self._spec.title,
                "state": "ready",
                "notes": [],
                "next": None,
            },
            "folders": [],
            "totals": {**by_state(view.names.counts()), "units": view.store.count()},
            "health": health.told(),
        }

    def problems(
        self, reason: str | None, state: str | None, rule: str | None, limit: int
    ) -> dict[str, Any]:
        """Files that are not indexed, with their reasons, and how many there are of each."""
        told = problems.told(self._view.names, reason, state, rule, limit)
        ASKED.get().note(row["path"] for row in told["problems"])
        return told

    def recent(self, limit: int) -> list[dict[str, Any]]:
        """The newest files."""
        known = self._view.names.recent(limit)
        ASKED.get().note(record.path for record in known)
        return [_brief(record) for record in known]

    def values(self) -> dict[str, dict[str, int]]:
        """By the word of a filter what there is of it, and how many files."""
        return self._view.names.values_held(_MOST_VALUES)

    def thumbnail(self, path: str, page: int | None) -> Path | None:
        """The thumbnail of a file, WebP; None if there is none."""
        record = self._view.names.file(path)
        if record is None or record.state == "withheld":
            return None
        ASKED.get().note([path])
        thumb = thumb_of(self._thumbs, record.id)
        return thumb if thumb.exists() else None

    def text(self, path: str, page: int | None = None, lines: tuple[int, int] | None = None) -> str:
        """A file's text as the archive has it: all, one page, or the passages of some lines."""
        view = self._view
        record = known_file(view.names, path)
        ASKED.get().note([path])
        return text_of(view.store.file_rows(record.id), path, page, lines)

    @property
    def _view(self) -> View:
        return self._views.of(asking())


def _brief(record: FileRecord) -> dict[str, Any]:
    return {
        "path": record.path,
        "kind": record.kind,
        "mtime": record.mtime_ns / 1e9,
        "size": record.size,
    }
