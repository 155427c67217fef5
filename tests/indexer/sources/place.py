"""A folder that is scanned into a ledger, and what tests do to it."""

from __future__ import annotations

import os
from pathlib import Path

from indexer.ledger.ledger import Done, FileRecord, Ledger
from indexer.sources.contents import content_hash
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import ScanResult, scan_paths, scan_root


class Place:
    """A root and its ledger."""

    def __init__(self, base: Path) -> None:
        (base / "base").mkdir()
        self.folder = base / "docs"
        self.folder.mkdir()
        self.ledger = Ledger(base / "base" / "ledger.sqlite")
        self.ledger.add_root(self.folder)
        self.rules = IgnoreRules()

    def scan(self, root: int = 0, **options: object) -> ScanResult:
        found = self.ledger.roots()[root]
        return scan_root(self.ledger, found, self.rules, **options)  # type: ignore[arg-type]

    def look(self, *paths: Path | str) -> ScanResult:
        root = self.ledger.roots()[0]
        return scan_paths(self.ledger, root, [str(p) for p in paths], self.rules)

    def write(self, name: str, text: str = "x") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def names(self) -> set[str]:
        return {os.path.relpath(r.path, self.folder) for r in self.ledger.files()}

    def record(self, path: Path) -> FileRecord:
        record = self.ledger.file(path)
        assert record is not None
        return record

    def finish(self, *paths: Path) -> None:
        self.ledger.finish(
            [Done(self.record(p).id, 1, content_hash(str(p)), 1, "note") for p in paths], 1
        )


def nothing(result: ScanResult) -> bool:
    return not (result.added or result.changed or result.removed or result.moved or result.errors)
