"""Watched folders: adding and forgetting them, and what scans and the watcher see in them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from indexer.indexing.estimate import KIND_OF
from indexer.indexing.index import Index
from indexer.ledger.ledger import Root
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import facts_of
from indexer.sources.changes import Changes
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import ScanResult
from indexer.sources.scanner import Scanner
from indexer.sources.watch import Watcher


class Folders:
    """Keeps ledger, scanner, watcher and the extractors' rights to the same folders."""

    def __init__(
        self, index: Index, extractors: ExtractorPool, rules: Callable[[], IgnoreRules]
    ) -> None:
        self._index, self._extractors, self._rules = index, extractors, rules
        self.scanner = Scanner(
            index.ledger,
            rules,
            self._scanned,
            index.report,
            failures=index.failures,
            kinds=KIND_OF,
        )
        self._watcher = Watcher(rules, self._changed, closed=[str(index.base.root)])
        self._confine()

    def start(self) -> None:
        self.scanner.start()
        self.scanner.scan_all()
        self._watcher.set_roots(self._index.ledger.roots())
        self._watcher.start()

    def stop(self) -> None:
        self._watcher.stop()
        self.scanner.stop()

    def health(self) -> list[dict[str, str]]:
        """What keeps folders from being watched."""
        return self._watcher.health

    def add(self, paths: Sequence[str]) -> list[Root]:
        """Watch folders; the watched ones that cover them."""
        ledger = self._index.ledger
        roots = [ledger.add_root(path, self._reaches) for path in paths]
        self._confine()
        for root in roots:
            self.scanner.scan(root.id)
        self._watcher.set_roots(ledger.roots())
        return roots

    def remove(self, paths: Sequence[str]) -> int:
        """Forget folders: rows, vectors, thumbnails and names; the number of files forgotten."""
        count = 0
        for path in paths:
            file_ids = self._index.ledger.remove_root(path)
            self._index.forget(file_ids)
            count += len(file_ids)
        self._confine()
        self._watcher.set_roots(self._index.ledger.roots())
        return count

    def look(self, path: str) -> None:
        """A file was not where it should be."""
        if (root := self._index.ledger.root_of(path)) is not None:
            self.scanner.scan(root.id, [path])

    def _confine(self) -> None:
        self._extractors.confine([root.path for root in self._index.ledger.roots()])

    def _reaches(self, root: str, folder: str) -> bool:
        """Whether the walk of a root enters a folder below it."""
        try:
            same_disk = os.stat(root).st_dev == os.stat(folder).st_dev
        except OSError:
            return False  # one of them is away: both stay what they are
        return same_disk and self._rules().decision(root, folder, os.path.isdir(folder)) is None

    def _changed(self, root: Root, changes: Changes) -> None:
        """The watcher saw something: a hint where to look."""
        self.scanner.scan(root.id, () if changes.whole else changes.paths)

    def _scanned(self, root: Root, result: ScanResult) -> None:
        ledger = self._index.ledger
        if gone := [*result.removed, *result.dropped]:
            self._index.forget(gone)
        moved = [ledger.file_by_id(file_id) for file_id, _, _ in result.moved]
        self._index.apply(moved=[facts_of(record) for record in moved if record is not None])
        self._index.wake()
