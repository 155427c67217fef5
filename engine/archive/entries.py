"""What an archive holds, as its users see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from engine.archive.ids import rights_class
from engine.contract.errors import FileState
from engine.contract.types import FileFacts

#: Of the tables. An older archive is carried over where that can be done, a newer one refused.
FORMAT = 1


@dataclass(frozen=True, slots=True)
class About:
    """Whose vectors these are; fixed when an archive is made."""

    archive_id: str
    name: str
    format: int
    model: str
    space: str
    dim: int
    token_dim: int
    made: float  # seconds since the epoch
    versions: Mapping[str, str]  # what made it: Inkling, and its extractors as the filler says


class SeenAs(NamedTuple):
    """What the source said of a file when it was read: unchanged as long as it says the same."""

    size: int
    mtime_ns: int
    ctime_ns: int | None = None


NOT_SEEN = SeenAs(0, 0)


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """A file of an archive, without its units."""

    facts: FileFacts  # the path is the one at the source
    content: str  # hash of its bytes, "" if they were not read
    rights: frozenset[str]  # its readers: user:NAME, group:NAME, everyone, uid:N, gid:N
    state: FileState = "done"
    reason: str = ""
    note: str = ""
    version: str = ""  # of extractor, chunking and context together
    seen_as: SeenAs = NOT_SEEN
    units: int = 0
    thumb: bytes | None = None
    text_hash: str = ""

    @property
    def file_id(self) -> int:
        return self.facts.file_id

    @property
    def rights_class(self) -> int:
        return rights_class(self.rights)


@dataclass(frozen=True, slots=True)
class Changes:
    """What is new since a commit, as it is now: a file that changed twice is there once."""

    commit: int  # up to which this tells; ask after it next
    files: tuple[ArchivedFile, ...] = ()  # new, or with other contents
    gone: tuple[int, ...] = ()
    rerighted: tuple[ArchivedFile, ...] = ()  # with other readers alone: their units are the same
    #: Commits were lost (a damaged disk): what was made of this archive is to be made anew.
    rewound: bool = False
