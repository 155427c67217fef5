"""What the search takes from other rooms: the index of names, and a model that encodes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from engine.contract.errors import FileState
from engine.contract.types import (
    Adapter,
    Encoding,
    FileFacts,
    Filters,
    NameParts,
    Query,
    TextInput,
)
from engine.store import Sightings


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A file whose name or folders carry words of the query."""

    file: FileFacts
    score: float  # 0..1, of the parts together; 1 is this very name, 0.98 its stem
    parts: NameParts = field(default_factory=NameParts)
    state: FileState = "done"  # else only its name is in the index, for this reason
    reason: str = ""


class NameIndex(Protocol):
    """Finds files by their names: the ledger's index, or none."""

    def __call__(self, words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        """Best first; with no words the newest files that the filters allow."""


@dataclass(frozen=True, slots=True, eq=False)
class SameContents:
    """Files with the same contents, two at least."""

    files: Sequence[FileFacts]  # those whose drive is here first, then the newest


class CopyIndex(Protocol):
    """Tells which files have the same contents: the ledger's hashes, or none."""

    def __call__(self, file_ids: Sequence[int], filters: Filters) -> list[SameContents]:
        """The groups that these files are in, of files that the filters allow; a file without
        copies is in none."""


def no_copies(file_ids: Sequence[int], filters: Filters) -> list[SameContents]:
    """Where nothing is known of contents."""
    return []


class QueryEncoder(Protocol):
    """Encodes while a person waits; blocks, and raises InklingError where the model can't."""

    @property
    def fast(self) -> bool:
        """Whether a few dozen texts cost a person no wait."""

    def encode_queries_by_adapter(
        self, queries: Sequence[str], adapters: Sequence[Adapter]
    ) -> Mapping[Adapter, list[Encoding]]:
        """Questions as typed, for each of several adapters."""

    def encode_texts(
        self, texts: Sequence[TextInput], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        """Passages with their context."""

    def encode_images(
        self, paths: Sequence[str], adapter: Adapter, *, urgent: bool = False
    ) -> list[Encoding]:
        """Picture files."""


class SightSource(Protocol):
    """A model in the role of sight, with what it saw."""

    @property
    def sightings(self) -> Sightings:
        """Its pictures."""

    def asks(self, query: Query) -> bool:
        """Whether there is anything in a question that it can read or see."""

    @property
    def late_only(self) -> bool:
        """Whether pictures are compared by their tokens; their directions only propose."""

    def question(self, query: Query) -> Encoding:
        """Of a question; blocks, and raises InklingError where the model can't."""


def no_sight() -> SightSource | None:
    """Where no model has that role."""
    return None
