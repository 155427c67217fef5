"""The library: watched folders and their files, as the front ends ask for them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from engine import thumb_path
from indexer.indexing.estimate import KIND_OF, estimate
from indexer.indexing.index import Index
from indexer.ledger.roots_file import check_folder
from indexer.reading.pool import ExtractorPool
from indexer.server import problems
from indexer.server.folders import Folders
from indexer.server.indexed_file import bare_file, indexed_file, shown_file
from indexer.server.status import Status
from indexer.server.stored_text import text_of
from indexer.sources.ignore import IgnoreRules

#: Values that are told of each filter.
_MOST_VALUES = 100


class IndexLibrary:
    """The port `Library`; for any thread."""

    def __init__(
        self,
        index: Index,
        folders: Folders,
        extractors: ExtractorPool,
        status: Status,
        rules: Callable[[], IgnoreRules],
    ) -> None:
        self._index, self._folders, self._extractors = index, folders, extractors
        self._status, self._rules = status, rules

    # Folders

    def add_folders(self, paths: Sequence[str]) -> list[str]:
        """Watch folders; the watched ones that cover them."""
        return [root.path for root in self._folders.add(paths)]

    def remove_folders(self, paths: Sequence[str]) -> int:
        """Forget folders with all that is stored of them; the number of files forgotten."""
        return self._folders.remove(paths)

    def estimate(self, paths: Sequence[str]) -> dict[str, Any]:
        """What watching these folders would cost."""
        for path in paths:
            check_folder(path, self._index.base.root)
        return estimate(paths, self._rules(), KIND_OF, self._index.workers)

    def status(self) -> dict[str, Any]:
        """What the front ends show of all this."""
        return self._status.told()

    # Files

    def problems(
        self, reason: str | None, state: str | None, rule: str | None, limit: int
    ) -> dict[str, Any]:
        """Files that are not indexed, or not all of them, with their reasons, and how many there
        are of each; what rules leave out."""
        return problems.told(self._index.ledger, reason, state, rule, limit)

    def recent(self, limit: int) -> list[dict[str, Any]]:
        """The newest files in the index."""
        return [
            {
                "path": record.path,
                "kind": record.kind,
                "mtime": record.mtime_ns / 1e9,
                "size": record.size,
            }
            for record in self._index.ledger.recent(limit)
        ]

    def values(self) -> dict[str, dict[str, int]]:
        """By the word of a filter what the index holds of it, and how many files."""
        return self._index.ledger.values_held(_MOST_VALUES)

    def retry(self, paths: Sequence[str] | None) -> int:
        """Try failed files again: these, or all whose reason allows it; how many."""
        count = self._index.ledger.requeue(None if paths is None else self._ids(paths))
        self._index.wake()
        return count

    def allow(self, paths: Sequence[str]) -> int:
        """The person says that these withheld files may be indexed; how many."""
        count = self._index.ledger.allow(self._ids(paths))
        self._index.wake()
        return count

    def _ids(self, paths: Sequence[str]) -> list[int]:
        return [indexed_file(self._index.ledger, path).id for path in paths]

    # What a file looks like, what it says

    def thumbnail(self, path: str, page: int | None) -> Path | None:
        """The thumbnail of an indexed file or its page, WebP; None if there is none."""
        record = self._index.ledger.file(path)
        if record is None:
            return None
        for number in (page, None, 1):
            thumb = thumb_path(self._index.base, record.id, number)
            if thumb.exists():
                return thumb
        return None

    def render(self, path: str, page: int | None, width: int) -> bytes:
        """A page or picture as PNG, `width` pixels wide; ExtractError if it can't be drawn."""
        shown = shown_file(self._index.ledger, path, self._index.root_of)
        return self._extractors.render(shown, page, width)

    def picture(self, path: str, page: int | None, width: int, most_pixels: int) -> bytes:
        """The same for a language model, as PNG or JPEG of no more than so many pixels; an error
        where something was withheld of the file."""
        shown = bare_file(self._index.ledger, path, self._index.root_of)
        return self._extractors.render(shown, page, width, most_pixels)

    def text(self, path: str, page: int | None = None, lines: tuple[int, int] | None = None) -> str:
        """A file's text as the index has it: all, one page, or the passages of some lines."""
        record = indexed_file(self._index.ledger, path)
        return text_of(self._index.engine.file_rows(record.id), path, page, lines)
