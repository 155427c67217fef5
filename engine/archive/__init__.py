"""The archive of record: what was read of many files, and who may read them, as Lance tables in a
folder or a bucket. `inkling fill` writes it, `inkling serve` follows it; nobody searches it."""

from engine.archive.archive import Archive
from engine.archive.entries import About, ArchivedFile, Changes, SeenAs
from engine.archive.ids import file_id, rights_class

__all__ = ["About", "Archive", "ArchivedFile", "Changes", "SeenAs", "file_id", "rights_class"]
