"""What is to be done so that an archive holds what the folders hold: a walk beside its list.

The walk is the indexer's own, with its rules, secrets withheld and what can't be seen left as it
is; its ledger lies in a scratch folder and is thrown away.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from engine.archive.entries import ArchivedFile, SeenAs
from engine.archive.ids import file_id
from engine.contract.errors import REASONS, InklingError
from engine.contract.kinds import SLOW_KINDS
from engine.contract.settings import Settings
from indexer.indexing.estimate import KIND_OF
from indexer.ledger.ledger import FileRecord, Ledger, Root
from indexer.reading.extract import EXTRACTORS
from indexer.reading.versions import reading_version
from indexer.reading.work import facts_of
from indexer.sources.beside import tells_of_others, told_of
from indexer.sources.ignore import IgnoreRules, Scope
from indexer.sources.presence import Presence, Sight, identity_of
from indexer.sources.scan import scan_root
from indexer.sources.systems import prefix, reachable
from indexer.sources.walk import READ_LATER, ScanResult, left_out

#: Places that can't be seen are named one by one up to so many.
MOST_UNSEEN = 1_000
_SPECIAL = re.compile(r"([*?\[\]\\! #])")


class Readers(Protocol):
    """Says who may read a file."""

    def of(self, path: str) -> frozenset[str]:
        """Principals; none: nobody may."""


@dataclass(frozen=True, slots=True)
class Task:
    """A file to be read, if it does not hold what the archive has of it already."""

    record: FileRecord  # by the archive's id
    root: str
    readers: frozenset[str]
    #: What the archive has, read as it would be now; None: it is read in any case.
    known: ArchivedFile | None
    #: Whether the archive has units of this very edition: those stay if it can't be read.
    keep: bool


@dataclass(slots=True)
class Survey:
    """The differences."""

    tasks: list[Task] = field(default_factory=list)
    names: list[ArchivedFile] = field(default_factory=list)  # on record by name alone, new so
    gone: list[int] = field(default_factory=list)
    rights: dict[int, frozenset[str]] = field(default_factory=dict)
    same: int = 0
    #: What could not be seen, with what the system said: nothing below it counts as gone.
    unseen: list[tuple[str, str]] = field(default_factory=list)
    unread: dict[str, int] = field(default_factory=dict)  # by reason, of what stays as it is
    nobody: int = 0  # files that no one may read


class Versions:
    """In which version files are read now, in the words that an archive keeps of each."""

    def __init__(self, settings: Settings) -> None:
        guarded = " guarded" * settings.withhold_secrets
        self._of = {row.name: f"{row.name} {reading_version(row)}{guarded}" for row in EXTRACTORS}
        self._known = {*self._of.values()}
        limits = (settings.ocr, settings.max_file_mb, settings.max_text, sorted(self._known))
        digest = hashlib.blake2b(json.dumps(limits).encode(), digest_size=8).hexdigest()
        #: Of what gave nothing: another extractor, or another limit, may have it give something.
        self.tried = f"tried {digest}"

    def of(self, extractor: str) -> str:
        """Of a file that this extractor has read."""
        return self._of[extractor]

    def current(self, file: ArchivedFile) -> bool:
        """Whether it would be read the same way now."""
        return file.version in self._known if file.state == "done" else file.version == self.tried


def survey(
    archive_id: str,
    known: Mapping[int, ArchivedFile],
    folders: Sequence[str],
    settings: Settings,
    readers: Readers,
    scratch: Path,
    broken: Collection[int] = (),
    closed: Sequence[str] = (),
) -> Survey:
    """Walk the folders and compare. `broken` files have lost units, `closed` folders are our own,
    not to be entered.

    InklingError where none of the folders can be seen.
    """
    ledger = Ledger(scratch / "ledger.sqlite")
    try:
        patterns = [_SPECIAL.sub(r"\\\1", path.rstrip("/")) + "/" for path in closed]
        rules = IgnoreRules([*settings.excluded, *patterns], hidden=settings.hidden_files)
        found = _Comparison(archive_id, known, Versions(settings), readers, rules, broken)
        for folder in folders:
            ledger.add_root(folder)
        roots = ledger.roots()
        for root in roots:
            found.compare(ledger, root, scan_root(ledger, root, rules, kinds=KIND_OF))
    finally:
        ledger.close()
    if len(found.away) == len(roots):
        raise InklingError(
            "Nothing of {folders} can be seen.",
            hint="Mount the drive, or give a folder that exists and that you may read.",
            told={"folders": ", ".join(root.path for root in roots)},
        )
    # The slow ones first: at the end no worker is left alone with a long scan.
    found.made.tasks.sort(key=lambda t: (t.record.kind not in SLOW_KINDS, t.record.path))
    return found.made


class _Comparison:
    """The list of the archive, met by one root after another."""

    def __init__(
        self,
        archive_id: str,
        known: Mapping[int, ArchivedFile],
        versions: Versions,
        readers: Readers,
        rules: IgnoreRules,
        broken: Collection[int],
    ) -> None:
        self._broken = broken
        self.made = Survey()
        self.away: list[str] = []
        self._archive_id, self._known, self._versions = archive_id, known, versions
        self._readers, self._rules = readers, rules

    def compare(self, ledger: Ledger, root: Root, result: ScanResult) -> None:
        below = prefix(os.fsencode(root.path))
        missing = {
            number: file
            for number, file in self._known.items()
            if os.fsencode(file.facts.path).startswith(below)
        }
        expected = len(missing)
        self.made.unseen += result.errors[:MOST_UNSEEN]
        records = ledger.files(root_id=root.id)
        changed = set[str]()
        for record in records:
            number = file_id(self._archive_id, record.path)
            old = missing.pop(number, None)
            if self._meet(replace(record, id=number), root, old) and tells_of_others(record.path):
                changed.add(record.path)
        unlisted = any(path == root.path for path, _ in result.errors)
        if result.offline or unlisted or (expected and _is_empty(root.path)):
            # An empty mount point, or a drive that is away.
            self.away.append(root.path)
            if not unlisted:
                self.made.unseen.append((root.path, "it is empty, or its drive is away"))
            return
        if result.complete:
            changed.update(self._gone(root, missing))
        self._told_of(changed, root, {record.path: record for record in records})

    def _meet(self, record: FileRecord, root: Root, old: ArchivedFile | None) -> bool:
        """Whether the file is new or has changed."""
        readers = self._readers.of(record.path)
        self.made.nobody += not readers
        seen = seen_as(record)
        same = old is not None and old.seen_as == seen
        if record.state != "pending":
            row = name_only(record, readers, record.reason, record.rule)
            if old is None or not same or (old.state, old.reason) != (row.state, row.reason):
                self.made.names.append(row)
                return True
        elif old is None or not (
            same
            and self._versions.current(old)
            and old.reason not in READ_LATER
            and record.id not in self._broken
        ):
            done = old is not None and old.state == "done" and record.id not in self._broken
            current = old if old is not None and done and self._versions.current(old) else None
            self.made.tasks.append(Task(record, root.path, readers, current, done and same))
            if old is not None and old.rights != readers:
                self.made.rights[record.id] = readers  # this does not wait for its reading
            return not same
        assert old is not None
        if old.rights != readers:
            self.made.rights[record.id] = readers
        else:
            self.made.same += 1
        if old.state not in ("done", "pending"):
            self.made.unread[old.reason] = self.made.unread.get(old.reason, 0) + 1
        return False

    def _gone(self, root: Root, missing: Mapping[int, ArchivedFile]) -> Iterator[str]:
        """What the walk has not met, where that is proven: gone, or left out now; their paths."""
        identity = identity_of(root.path)
        sight = Sight(root.path, identity) if identity is not None else None
        scopes: dict[str, Scope | None] = {}
        for number, file in missing.items():
            path = file.facts.path
            look = Presence.UNSEEN if sight is None else sight.look(os.fsencode(path))
            if look is Presence.GONE or (
                look is Presence.THERE and left_out(self._rules, root.path, path, scopes)
            ):
                self.made.gone.append(number)
                yield path

    def _told_of(
        self,
        changed: set[str],
        root: Root,
        records: Mapping[str, FileRecord],
    ) -> None:
        """Read again what was read before its subtitles or XMP came, changed or went."""
        tasks = {task.record.path: at for at, task in enumerate(self.made.tasks)}
        for path in sorted(changed):
            for other in told_of(path, KIND_OF):
                record = records.get(other)
                if record is None or record.state != "pending":
                    continue
                if other in tasks:
                    at = tasks[other]
                    self.made.tasks[at] = replace(self.made.tasks[at], known=None)
                    continue
                number = file_id(self._archive_id, other)
                readers = self._readers.of(other)
                self.made.tasks.append(
                    Task(replace(record, id=number), root.path, readers, None, True)
                )
                tasks[other] = len(self.made.tasks) - 1


def _is_empty(folder: str) -> bool:
    try:
        with os.scandir(reachable(folder)) as entries:
            return next(entries, None) is None
    except OSError:
        return True


def name_only(
    record: FileRecord, readers: frozenset[str], reason: str, note: str = "", version: str = ""
) -> ArchivedFile:
    """The row of a file of which nothing but the name is kept, and why."""
    return ArchivedFile(
        facts_of(record),
        "",
        readers,
        REASONS[reason].state,
        reason,
        note,
        version,
        seen_as(record),
    )


def seen_as(record: FileRecord) -> SeenAs:
    """What tells whether a file may have changed without a look into it."""
    return SeenAs(record.size, record.mtime_ns)
