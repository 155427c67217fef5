"""The ledger: which folders are watched, and of every file in them what is known and done."""

from __future__ import annotations

from pathlib import Path

from indexer.ledger.found_files import FoundFiles
from indexer.ledger.left_out import LeftOutEntries
from indexer.ledger.lookups import FileLookups
from indexer.ledger.read_files import ReadFiles
from indexer.ledger.records import CopyGroup, Done, FileRecord, Found, NameHit, Root
from indexer.ledger.roots import WatchedRoots
from indexer.ledger.schema import LedgerDamagedError

__all__ = [
    "CopyGroup",
    "Done",
    "FileRecord",
    "Found",
    "Ledger",
    "LedgerDamagedError",
    "Lookups",
    "NameHit",
    "Root",
]


class Lookups(FileLookups, LeftOutEntries):
    """What is asked of a ledger, whoever fills it."""


class Ledger(WatchedRoots, Lookups, FoundFiles, ReadFiles):
    """SQLite beside the store; each method is one transaction, callable from any thread."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        #: What was wrong with the file found here: all files are pending again, and the store's
        #: rows belong to nobody (`ledger_id` has changed).
        self.damage = self.database.damage
        self._restore_roots()

    def close(self) -> None:
        self.database.close()

    @property
    def ledger_id(self) -> str:
        """Made with the file: a store that was filled under another id has to be filled again."""
        return self.meta("id") or ""
