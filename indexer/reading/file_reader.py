"""Reads one file for the index: what keeps it out, its contents, its units, without secrets."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from engine import thumb_path
from engine.contract.attributes import accepted
from engine.contract.paths import BaseDir
from engine.contract.put import put_in_place
from engine.contract.settings import Settings
from indexer.ledger.ledger import FileRecord, Root
from indexer.reading.chunking import units_of
from indexer.reading.extract import pick
from indexer.reading.extract.base import (
    ExtractError,
    Extraction,
    Extractor,
    tells_of_a_part,
)
from indexer.reading.kept_pages import KeptPages
from indexer.reading.messages import unpack_look
from indexer.reading.pool import ExtractorPool
from indexer.reading.redaction import (
    TooManySecretsError,
    redact,
    redact_page,
    redact_units,
    says_something,
)
from indexer.reading.secrets import reads_as_prose
from indexer.reading.versions import reading_version
from indexer.reading.work import PagesRead, Work, facts_of
from indexer.sources.contents import content_hash
from indexer.sources.secret_names import doubtful_name, secret_name
from indexer.sources.systems import in_cloud, reachable

_Edition = tuple[int, int, int]  # size, time of change, inode


class ReadLedger(Protocol):
    """What a reader asks the ledger, or tells it."""

    def root_of(self, path: str) -> Root | None:
        """The folder that a file belongs to: those above it say nothing of it."""

    def begin(self, ids: Sequence[int]) -> None:
        """These files are about to be read."""


class FileReader:
    """Makes work of a pending file; callable from any thread."""

    def __init__(
        self,
        base: BaseDir,
        ledger: ReadLedger,
        extractors: ExtractorPool,
        settings: Settings,
        *,
        pixels: bool,
    ) -> None:
        """`pixels`: whether the model sees, so that pictures are kept for it."""
        self._base, self._ledger, self._extractors = base, ledger, extractors
        self._settings, self._pixels = settings, pixels
        self._kept = KeptPages(base)

    def read(self, record: FileRecord) -> Work | PagesRead | None:
        """The file with its units, not yet encoded; None if it holds what it held.

        Of one with many pages to be read by OCR those there was time for; whoever has the others
        read calls again. ExtractError or OSError if it gives nothing.
        """
        before, digest, extractor = self._look(record)
        same_reader = reading_version(extractor) == record.reading_version
        if digest == record.content_hash and same_reader and not record.unread:
            return None
        self._ledger.begin([record.id])
        return self._extracted(record, before, digest, extractor, self._settings.sight)

    def read_again(self, record: FileRecord) -> Work:
        """The same for a file that is indexed, for another space, with all pages; the ledger is
        not told. How pictures look is known by then."""
        while True:
            work = self._extracted(record, *self._look(record))
            if isinstance(work, Work) and not work.unread:
                return work
            if isinstance(work, Work):
                work.drop_pictures()

    def _look(self, record: FileRecord) -> tuple[_Edition, str, Extractor]:
        """What tells this edition, its contents' hash, who reads it; ExtractError if nobody may."""
        path = Path(reachable(record.path))
        guarded = self._settings.withhold_secrets and not record.allowed
        if guarded and (rule := secret_name(record.path)):
            raise ExtractError("secret-name", rule)
        if record.size == 0:
            raise ExtractError("empty")
        if record.size > self._settings.max_file_mb * 1_000_000:
            raise ExtractError("too-large", f"{record.size / 1e6:.0f} MB")
        if in_cloud(path.name, os.stat(path)):
            raise ExtractError("placeholder")  # since the scan
        with path.open("rb") as file:
            head = file.read(4096)
        extractor = pick(path, head)
        if extractor is None:
            raise ExtractError("unsupported")
        if record.size > extractor.max_bytes:
            raise ExtractError("too-large", f"{record.size / 1e6:.0f} MB")
        before = _edition(os.stat(path))
        return before, content_hash(record.path), extractor

    def _extracted(
        self,
        record: FileRecord,
        before: _Edition,
        digest: str,
        extractor: Extractor,
        look: bool = False,
    ) -> Work | PagesRead:
        path = Path(reachable(record.path))
        guarded = self._settings.withhold_secrets and not record.allowed
        edition = f"{extractor.name} {extractor.version} {'guarded ' * guarded}{digest}"
        known = self._kept.load(record.id, edition)
        extraction, scratch = self._extractors.extract(
            record.path,
            ocr=self._settings.ocr,
            pixels=self._pixels,
            look=look,
            ocr_pages=known,
            characters=self._settings.max_text * 1_000_000,
            guarded=guarded,
        )
        after = path.stat() if path.exists() else None
        if after is None or _edition(after) != before:
            digest = ""  # of another edition than what was read: it must not pass for that
        try:
            work = self._work_of(record, extraction, scratch, digest, extractor)
            if extraction.ocr_pages and digest:
                pages = [redact_page(page) if guarded else page for page in extraction.ocr_pages]
                self._kept.save(record.id, edition, [*known, *pages])
        except BaseException:
            shutil.rmtree(scratch, ignore_errors=True)
            raise
        if isinstance(work, Work) and not (work.unread and _is_little_more(record, work)):
            return work
        shutil.rmtree(scratch, ignore_errors=True)
        return PagesRead(work.unread, work.detail)

    def _work_of(
        self,
        record: FileRecord,
        extraction: Extraction,
        scratch: Path,
        digest: str,
        extractor: Extractor,
    ) -> Work | PagesRead:
        notes = list(extraction.notes)
        # One that says so and reads nothing would be asked for ever.
        unread = extraction.unread if extraction.ocr_pages else 0
        root = self._ledger.root_of(record.path)
        rules: list[str] = []
        guarded = self._settings.withhold_secrets and not record.allowed
        if guarded:
            if (rule := doubtful_name(record.path)) and not reads_as_prose(
                "\n".join(part.text for part in extraction.parts)
            ):
                raise ExtractError("secret-name", rule)
            rules = _redacted(extraction)
        units = units_of(extraction, record.id, record.path, root.path if root else "")
        if guarded:
            units, more = redact_units(units)
            rules += more
        if rules:
            kinds = ", ".join(sorted(set(rules)))
            if not any(says_something(unit.text) for unit in units):
                raise ExtractError("secret-content", kinds)
            notes.append(f"{len(rules)} secret{'s' * (len(rules) > 1)} withheld: {kinds}")
        if not units and unread:
            return PagesRead(unread, "; ".join(notes))
        if not units:
            raise ExtractError("no-text", "; ".join(notes))
        units = [
            replace(u, image=str(scratch / u.image)) if u.image is not None else u for u in units
        ]
        if extraction.look is not None:
            look = replace(unpack_look(extraction.look), content=digest)
            units[0] = replace(units[0], look=look)
        self._keep_thumbs(record.id, extraction, scratch)
        facts = replace(
            facts_of(record),
            kind=extraction.kind,
            picture=extraction.picture,
            attributes=accepted(extraction.attributes),
        )
        return Work(
            record,
            facts,
            digest,
            extractor.name,
            reading_version(extractor),
            units,
            scratch,
            "; ".join(notes),
            extraction.language,
            unread,
            any(map(tells_of_a_part, notes)),
        )

    def _keep_thumbs(self, file_id: int, extraction: Extraction, scratch: Path) -> None:
        for part in extraction.parts:
            if part.thumb:
                target = thumb_path(self._base, file_id, part.page)
                target.parent.mkdir(mode=0o700, exist_ok=True)
                with contextlib.suppress(OSError):
                    put_in_place(scratch / part.thumb, target)


def _is_little_more(record: FileRecord, work: Work) -> bool:
    """Whether what is indexed of a file does until more pages are read: it is encoded anew, with
    the pages it had, only each time these have about doubled."""
    pages = int(work.facts.attributes.get("pages") or 0)
    before, now = pages - record.unread, pages - work.unread
    return record.units > 0 and record.unread > 0 and now.bit_length() == before.bit_length()


def _redacted(extraction: Extraction) -> list[str]:
    """Take the secrets out; the rule of each. ExtractError where they are all there is."""
    try:
        return redact(extraction)
    except TooManySecretsError as error:
        raise ExtractError("secret-content", str(error)) from error


def _edition(found: os.stat_result) -> _Edition:
    return found.st_size, found.st_mtime_ns, found.st_ino
