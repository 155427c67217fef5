"""What a file can be: one row a kind, from which filters, words, order of work and adapters follow.

A kind with a parent is one of the parent's, too: a screenshot is an image, so that `kind:image`
finds both. Rows without a place of their own in the store (`picture_class`) tell pictures apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

#: The `id` of a row that is no picture class.
Kind: TypeAlias = str
#: The `id` of a row that tells what a picture is; "screenshot" is a kind as well.
PictureClass: TypeAlias = str
Adapter = Literal["retrieval", "text-matching", "code"]


@dataclass(frozen=True, slots=True)
class KindRow:
    """One kind of file."""

    id: str
    title: str  # plural, for people
    words: tuple[str, ...]  # what people type after `kind:`, its id aside
    parent: str | None = None
    is_kind: bool = True  # whether a file's kind can be this
    picture_class: bool = False  # whether a picture's class can be this
    adapter: Adapter = "retrieval"  # what its passages are best encoded with
    has_pixels: bool = False  # OCR reads it, a model that sees looks at it
    #: Worker seconds that one file takes before anything was measured (two laptop cores).
    typical_seconds: float = 0.05

    @property
    def slow(self) -> bool:
        """Whether a file takes so long that notes and code must not be queued behind a year of
        them."""
        return self.typical_seconds >= 0.5


KINDS: dict[str, KindRow] = {
    row.id: row
    for row in (
        KindRow(
            "screenshot", "Screenshots", ("screenshots", "screen"), parent="image",
            picture_class=True, has_pixels=True, typical_seconds=0.8,
        ),
        KindRow(
            "image", "Images", ("images", "picture", "pictures"), has_pixels=True,
            typical_seconds=0.8,
        ),
        KindRow("pdf", "PDFs", ("pdfs",), has_pixels=True, typical_seconds=3.0),
        KindRow("code", "Code", ("source",), adapter="code"),
        KindRow("note", "Notes", ("notes", "doc", "document", "documents", "text")),
        KindRow("archive", "Archives", ("archives", "zip"), typical_seconds=1.0),
        KindRow(
            "audio", "Audio", ("sound", "music", "song", "songs", "recording", "recordings"),
        ),
        KindRow("video", "Videos", ("videos", "film", "films", "movie", "movies", "clip")),
        KindRow("other", "Other files", (), typical_seconds=0.01),
        KindRow(
            "diagram", "Diagrams", ("diagrams", "chart"), parent="image", is_kind=False,
            picture_class=True,
        ),
        KindRow(
            "photo", "Photos", ("photos",), parent="image", is_kind=False, picture_class=True
        ),
        KindRow("scan", "Scans", ("scans",), parent="image", is_kind=False, picture_class=True),
    )
}  # fmt: skip

#: The kinds that a file can have.
FILE_KINDS: tuple[Kind, ...] = tuple(row.id for row in KINDS.values() if row.is_kind)
#: What people type for a kind or picture class -> its id.
KIND_WORDS: dict[str, str] = {
    word: row.id for row in KINDS.values() for word in (row.id, *row.words)
}
#: Kinds whose files take seconds each.
SLOW_KINDS: tuple[Kind, ...] = tuple(row.id for row in KINDS.values() if row.is_kind and row.slow)
#: Kinds that are read with OCR or looked at.
PIXEL_KINDS = frozenset(row.id for row in KINDS.values() if row.is_kind and row.has_pixels)


def included_kinds(kind: str) -> tuple[str, ...]:
    """A kind and all that count as one of it, as a filter means it."""
    return (kind, *(row.id for row in KINDS.values() if row.parent == kind))


def file_kinds(wanted: str) -> tuple[Kind, ...]:
    """The kinds that a file can have which a filter on a kind or picture class lets in."""
    row = KINDS.get(wanted)
    if row is None:
        return ()
    asked = wanted if row.is_kind else (row.parent or wanted)
    return tuple(kind for kind in included_kinds(asked) if KINDS[kind].is_kind)


def adapter_of_kind(kind: str) -> Adapter:
    """What passages of this kind are best encoded with."""
    row = KINDS.get(kind)
    return row.adapter if row is not None else "retrieval"
