"""What an extractor gives back, and how one is declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from engine.contract.types import Kind, PictureClass, WordBox

#: Of processor time for the pages of a call: 30 to 60 scans. What a kill in between costs, and how
#: long another file waits for this one.
OCR_SECONDS = 40.0
#: Unpacked bytes and processor time for all that lies in one file.
MEMBER_BYTES, MEMBER_SECONDS = 400_000_000, 60.0
#: Of text that is taken from one file: a person may want more (settings.max_text).
CHARACTERS = 4_000_000
#: In what is told of a file of which that is not all: "Only the first 10 messages are indexed."
READ_IN_PART = " are indexed."
#: Notes that tell of nothing missing begin so.
_OF_THE_WHOLE = ("No text was found in the picture", "What it shows could not be told")


def tells_of_a_part(note: str) -> bool:
    """Whether a note says that something of the file is not indexed."""
    return not note.startswith(_OF_THE_WHOLE)


class ExtractError(Exception):
    """This file gives nothing, for a reason of engine.contract.errors.REASONS."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


@dataclass(slots=True)
class Part:
    """A natural piece of a file: a section, a symbol, a page, a picture.

    Parts may be long; chunking cuts them into units. Parts of one file come in reading order and
    do not repeat one another's text (a method's body is not also in its class's part).
    """

    text: str
    heading: tuple[str, ...] = ()  # heading path, or symbol path, outermost first
    page: int | None = None  # 1-based
    lines: tuple[int, int] | None = None  # 1-based, inclusive
    symbol: str | None = None  # name of the function, class …, of the member of an archive
    language: str | None = None
    words: list[WordBox] = field(default_factory=list)
    image: str | None = None  # name of a picture file in the scratch folder, for encoders that see
    thumb: str | None = None  # name of a thumbnail (WebP, at most 512 px) in the scratch folder
    ocr: bool = False


@dataclass(slots=True)
class OcrPage:
    """A page or frame that OCR has read; no text where it found none."""

    page: int  # 1-based
    text: str
    words: list[WordBox] = field(default_factory=list)
    illegible: tuple[str, ...] = ()  # the script of each line that it can't read, or ""


@dataclass(slots=True)
class Extraction:
    """All that a file gave."""

    kind: Kind
    parts: list[Part]
    title: str = ""  # the document's own title, where it says one
    big_line: str = ""  # the largest print at its beginning: its title, or a letterhead
    picture: PictureClass | None = None
    shows: list[str] = field(default_factory=list)  # in words, surest first
    #: The same as phrases for an encoder, each with its probability.
    sights: list[tuple[str, float]] = field(default_factory=list)
    places: list[str] = field(default_factory=list)  # where it was taken, from near to far
    look: bytes | None = None  # how a picture looks: engine.encoders.image_onnx.look packs it
    language: str | None = None
    #: By name in engine.contract.attributes; None where the file does not say.
    attributes: Mapping[str, float | str | None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)  # what was left out and why, in words
    ocr_pages: list[OcrPage] = field(default_factory=list)  # of many, read in this call
    unread: int = 0  # pages there was no time for: the same file is to be read on


@dataclass(frozen=True, slots=True)
class ExtractOptions:
    """What the caller wants of a worker."""

    scratch: str  # folder this call may write to
    ocr: bool = True
    pixels: bool = False  # the encoder sees: render pages and pictures for it
    max_pixels: int = 3_600_000  # of such a picture: six times what a model sees at once
    thumbs: bool = True
    look: bool = False  # how pictures look is wanted, too
    ocr_pages: Sequence[OcrPage] = ()  # what earlier calls have read of the same contents
    ocr_seconds: float = OCR_SECONDS
    characters: int = CHARACTERS  # of text, at most
    guarded: bool = True  # members whose names say that they hold secrets stay closed
    #: Reads a file that lies in this one; None: such files are only listed.
    inner: Callable[[Path, ExtractOptions], Extraction] | None = None
    depth: int = 0  # how many files this one lies in
    member_bytes: int = MEMBER_BYTES
    member_seconds: float = MEMBER_SECONDS


@dataclass(frozen=True, slots=True)
class Extractor:
    """One family of files: a row of the table in indexer.reading.extract."""

    name: str
    version: int  # raise it and its files are read again
    extensions: frozenset[str]  # lower case, no dot
    kind: Kind
    extract: Callable[[Path, ExtractOptions], Extraction]
    max_bytes: int = 100_000_000
    processor_s: float = 60.0  # of processor time, at most
    sniff: Callable[[bytes], bool] | None = (
        None  # looks at the first 4 kB of files without a known name
    )
    reads: str = ""  # what of them, for people; the README's table
    #: Whether an optional program is here that reads them better: once it is, they are read again.
    helped_by: Callable[[], bool] | None = None
