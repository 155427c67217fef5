"""The values that pass between the rooms: units, encodings, queries, hits. No heavy imports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Kind = Literal["screenshot", "image", "pdf", "code", "note", "other"]
KINDS: tuple[Kind, ...] = ("screenshot", "image", "pdf", "code", "note", "other")
#: What a picture is. With class "screenshot" the kind is "screenshot" too, else "image".
PictureClass = Literal["screenshot", "diagram", "photo", "scan"]
Adapter = Literal["retrieval", "text-matching", "code"]
Lane = Literal["name", "text", "dense", "late"]
Stage = Literal["names", "fused", "rescored"]

#: Between the pieces of a unit's context: title, name, folders, headings.
CONTEXT_SEPARATOR = " › "

#: x0, y0, x1, y1 as fractions of the page's or picture's width and height, origin top left.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class WordBox:
    """Where a run of a unit's text stands on its page or picture."""

    start: int  # character offsets into the unit's text, end exclusive
    end: int
    box: Box


@dataclass(frozen=True, slots=True)
class Unit:
    """The smallest thing that can be a hit: a section, a symbol, a page's passage, a picture."""

    file_id: int
    ordinal: int  # 0-based, unique within the file
    kind: Kind
    text: str
    context: str = ""  # title, folder words, heading or symbol path: seen by encoder and full text
    page: int | None = None  # 1-based
    lines: tuple[int, int] | None = None  # 1-based, inclusive
    symbol: str | None = None
    language: str | None = None  # programming language, or ISO 639-1 of prose where known
    words: tuple[WordBox, ...] = ()
    image: str | None = None  # file with the rendered pixels, for encoders that see; removed after
    overlap: int = 0  # characters at its start that repeat the end of the unit before

    @property
    def unit_id(self) -> str:
        return f"{self.file_id}:{self.ordinal}"

    @property
    def adapter(self) -> Adapter:
        return "code" if self.kind == "code" else "retrieval"


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What the store repeats on every unit of a file, so that filters are prefilters."""

    file_id: int
    path: str  # absolute; undecodable bytes as surrogate escapes
    kind: Kind
    picture: PictureClass | None
    ext: str  # lower case, no dot, "" if none
    mtime: float  # seconds since the epoch
    size: int  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class Encoding:
    """One forward's two outputs for one input."""

    single: NDArray[np.float32]  # [d], unit length
    tokens: NDArray[np.float32]  # [n, t], each row unit length
    #: [n, 2] int32: characters of the input's text each token came from; (-1, -1) for prompt,
    #: context and special tokens. None for pictures.
    spans: NDArray[np.int32] | None = None
    #: [n, 4] float32: the part of the picture each token saw, as Box. None for text.
    boxes: NDArray[np.float32] | None = None
    note: str = ""  # how exactly a picture was seen, for a person


@dataclass(frozen=True, slots=True)
class TextInput:
    """A passage as the encoder gets it; context comes first and has no spans of its own."""

    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a query demands of a file or unit; every field is a prefilter. Lists are OR."""

    kinds: tuple[str, ...] = ()  # kinds or picture classes
    exts: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()  # absolute paths, or folder names to match anywhere in the path
    languages: tuple[str, ...] = ()
    after: float | None = None  # mtime bounds, seconds since the epoch
    before: float | None = None
    min_size: int | None = None
    max_size: int | None = None
    not_kinds: tuple[str, ...] = ()
    not_exts: tuple[str, ...] = ()
    not_folders: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed question: free text for meaning, exact demands, filters, perhaps a picture."""

    raw: str
    text: str = ""  # free words and the phrases' words in their order: what the encoder reads
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()  # words that must not occur
    filters: Filters = field(default_factory=Filters)
    image: str | None = None  # absolute path of a query picture


@dataclass(frozen=True, slots=True)
class Location:
    """Where in its file a unit stands."""

    page: int | None = None
    lines: tuple[int, int] | None = None
    symbol: str | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Why a unit was found: a run of characters of the snippet, or a region of page or picture."""

    type: Literal["text", "box"]
    start: int = 0  # into the hit's snippet
    end: int = 0
    page: int | None = None
    box: Box | None = None
    word: str = ""  # the query word that matched here, where one did


@dataclass(frozen=True, slots=True)
class Place:
    """One more unit of a file that answers."""

    location: Location
    snippet: str
    score: float


@dataclass(frozen=True, slots=True)
class Hit:
    """One file that answers, at its best unit."""

    path: str
    file_id: int
    kind: Kind
    picture: PictureClass | None
    score: float
    title: str
    snippet: str
    location: Location
    evidence: tuple[Evidence, ...]
    lanes: tuple[Lane, ...]
    mtime: float
    size: int
    more: tuple[Place, ...] = ()
    offline: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """One stage of an answer."""

    hits: Sequence[Hit]
    stage: Stage
    took_ms: float
    weak: bool = False  # nothing matches well
    loose: bool = False  # nothing holds the quoted words as they stand; they count as words
    coverage: Mapping[str, Any] = field(default_factory=dict)
