"""A file on its way from reading to writing, and what the store repeats of it."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

from engine import NameMatch
from engine.contract.types import FileFacts, Unit
from engine.store import StoredUnit
from indexer.ledger.ledger import Done, FileRecord, NameHit
from indexer.reading.same_text import text_hash

MOST_NOTES = 3  # on how its pages were seen


@dataclass(frozen=True, slots=True)
class PagesRead:
    """More pages of a file were read and kept; with too few for indexing it anew."""

    unread: int
    detail: str


@dataclass(slots=True)
class Work:
    """A file that was read: its units, later encoded."""

    record: FileRecord
    facts: FileFacts
    content_hash: str
    extractor: str
    reading_version: int
    units: list[Unit]
    scratch: Path | None = None
    notes: str = ""
    language: str | None = None
    unread: int = 0  # pages that are still to be read
    partly: bool = False  # `notes` tell of something that is not indexed
    stored: list[StoredUnit] = field(default_factory=list)

    @property
    def detail(self) -> str:
        """For the ledger: what was left out, and how exactly pictures were seen."""
        seen = list(dict.fromkeys(stored.note for stored in self.stored if stored.note))
        if len(seen) > MOST_NOTES:
            seen[MOST_NOTES:] = ["…"]
        return "; ".join(filter(None, (self.notes, *seen)))

    @property
    def done(self) -> Done:
        """What the ledger notes when the store has it."""
        return Done(
            self.record.id,
            len(self.stored),
            self.content_hash,
            self.reading_version,
            self.facts.kind,
            self.facts.picture,
            self.language,
            self.detail,
            self.extractor,
            self.facts.attributes,
            text_hash(self.facts.kind, self.units),
            self.unread,
            self.partly,
        )

    def drop_pictures(self) -> None:
        """Its pictures are not needed any more."""
        if self.scratch is not None:
            shutil.rmtree(self.scratch, ignore_errors=True)


def facts_of(record: FileRecord) -> FileFacts:
    """What the store repeats of a file."""
    return FileFacts(
        file_id=record.id,
        path=record.path,
        kind=record.kind,
        picture=record.picture,
        ext=record.ext,
        mtime=record.mtime_ns / 1e9,
        size=record.size,
        attributes=record.attributes,
    )


def name_match(hit: NameHit) -> NameMatch:
    """A file found by its name; of one that is withheld nothing else is told."""
    record = hit.file
    facts = facts_of(record)
    if record.state == "withheld":
        facts = replace(facts, picture=None, attributes={})
    return NameMatch(facts, hit.score, hit.parts, record.state, record.reason)
