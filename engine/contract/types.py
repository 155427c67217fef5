"""The values that pass between the rooms: units, encodings, queries, hits. No heavy imports."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from msgspec import Struct, field

from engine.contract.attributes import Value
from engine.contract.errors import FileState
from engine.contract.kinds import Adapter as Adapter
from engine.contract.kinds import Kind as Kind
from engine.contract.kinds import PictureClass as PictureClass

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Lane = Literal["name", "text", "dense", "sight", "seen", "late"]
#: "merged": with what archives found.
Stage = Literal["names", "words", "fused", "rescored", "merged"]
#: After these an answer may stand.
FINAL: tuple[Stage, ...] = ("rescored", "merged")

#: Between the pieces of a unit's context: title, name, folders, headings.
CONTEXT_SEPARATOR = " › "

#: What stands in a passage where a secret stood.
WITHHELD = "[withheld]"

#: x0, y0, x1, y1 as fractions of the page's or picture's width and height, origin top left.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class WordBox:
    """Where a run of a unit's text stands on its page or picture."""

    start: int  # character offsets into the unit's text, end exclusive
    end: int
    box: Box


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """How a picture looks, apart from what stands in it."""

    views: NDArray[np.float32]  # [v, d] unit length, of the whole and of parts: alike lie near
    small: NDArray[np.float32]  # [s, s] grey levels 0..1 of the whole, squeezed into a square
    size: tuple[int, int]  # width and height in pixels before that, without a frame
    content: str = ""  # hash of the file that it is of; "" of a query picture


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
    look: Look | None = None  # the picture's, on its first unit: for the space of looks
    #: What a picture without text shows, for encoders: phrases, and the probability of each.
    shows: tuple[tuple[str, float], ...] = ()

    @property
    def unit_id(self) -> str:
        return f"{self.file_id}:{self.ordinal}"


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
    #: Of engine.contract.attributes, by name; what the file does not have is not there.
    attributes: Mapping[str, Value] = dataclasses.field(default_factory=dict, hash=False)


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
    #: Of a question: into how many pieces an English vocabulary tears it, where `tokens` are those
    #: of another.
    pieces: int | None = None


@dataclass(frozen=True, slots=True)
class TextInput:
    """A passage as the encoder gets it; context comes first and has no spans of its own."""

    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class AttributeFilter:
    """What a query demands of a row of engine.contract.attributes; bounds as its type compares."""

    name: str
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()  # any of these texts
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Filters:
    """What a query demands of a file or unit; every field is a prefilter. Lists are OR."""

    kinds: tuple[str, ...] = ()  # kinds or picture classes
    exts: tuple[str, ...] = ()
    #: Absolute paths, or folder names to match anywhere in the path; `*part*` of a name will do.
    folders: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    after: float | None = None  # mtime bounds, seconds since the epoch
    before: float | None = None
    min_size: int | None = None
    max_size: int | None = None
    not_kinds: tuple[str, ...] = ()
    not_exts: tuple[str, ...] = ()
    not_folders: tuple[str, ...] = ()
    not_languages: tuple[str, ...] = ()
    names: tuple[str, ...] = ()  # patterns of whole names: * for any letters, ? for one
    not_names: tuple[str, ...] = ()
    attributes: tuple[AttributeFilter, ...] = ()  # all of them
    #: Names of archives that are asked; "here": this machine. Indexes themselves know none.
    archives: tuple[str, ...] = ()
    not_archives: tuple[str, ...] = ()
    #: Of each row one at least, as OR has it. Fields beside it hold as well.
    any_of: tuple[tuple[Filters, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class NameParts:
    """How a file's name answers a question; shares 0..1."""

    whole: float = 0.0  # 1: the name or its stem was typed; 0.9: with other separators; 0: neither
    coverage: float = 0.0  # of the question's words, by how rare they are, those the name holds
    cover: float = 0.0  # of the stem's letters, those that the question's words are
    in_order: float = 0.0  # 1: the words that the name holds stand in the order typed
    folder: float = 0.0  # of the question's words, those that only its folders hold
    typos: int = 0  # typing errors mended in the words that the name holds
    spelling: str = ""  # the question as this name spells it; "" where nothing was mended


class Reading(Struct, frozen=True):
    """Words of a question that were read as a filter."""

    words: str  # as typed
    filter: str  # as one would type it


#: Why readings were given up: a file is called as was typed; no file meets them; what meets them is
#: no answer, and without them there is one.
GivenUp = Literal["", "name", "nothing", "weak"]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed question: free text for meaning, exact demands, filters, perhaps a picture."""

    raw: str
    text: str = ""  # free words and the phrases' words in their order: what the encoder reads
    phrases: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()  # words that must not occur
    filters: Filters = dataclasses.field(default_factory=Filters)
    image: str | None = None  # absolute path of a query picture
    look: Look | None = None  # how that picture looks
    told_by_image: bool = False  # no words were typed: `text` is what the picture says
    read: tuple[Reading, ...] = ()  # what of it is a filter by its wording alone
    unread: Query | None = None  # the same question with those words as words, where there are any
    #: Questions of which any may be answered, where there are several: OR between words. Then the
    #: words above are those of all.
    alternatives: tuple[Query, ...] = ()


class Location(Struct, frozen=True, omit_defaults=True):
    """Where in its file a unit stands; JSON leaves out what there is not."""

    page: int | None = None
    lines: tuple[int, int] | None = None
    symbol: str | None = None


class TextEvidence(Struct, frozen=True, tag="text"):
    """A run of characters of the snippet that matched."""

    start: int  # into the hit's snippet
    end: int
    word: str = ""  # the query word that matched here, where one did


class BoxEvidence(Struct, frozen=True, tag="box"):
    """A region of the page or picture that matched."""

    box: Box
    page: int | None = None
    word: str = ""


#: Why a unit was found.
Evidence: TypeAlias = TextEvidence | BoxEvidence


class Place(Struct, frozen=True):
    """One more unit of a file that answers."""

    location: Location
    snippet: str = ""
    score: float = 0.0


class Copy(Struct, frozen=True):
    """Another file of the same contents as a hit's."""

    path: str
    kind: Kind = "other"
    mtime: float = 0.0
    size: int = 0
    offline: bool = False


class Hit(Struct, frozen=True):
    """One file that answers, at its best unit; only the path is always known."""

    path: str
    kind: Kind = "other"
    picture: PictureClass | None = None
    score: float = 0.0
    title: str = ""
    snippet: str = ""
    location: Location = Location()
    evidence: tuple[Evidence, ...] = ()
    lanes: tuple[str, ...] = ()  # Lane names; a face may meet one that it does not know
    mtime: float = 0.0
    size: int = 0
    attributes: dict[str, Value] = field(default_factory=dict)  # see engine.contract.attributes
    more: tuple[Place, ...] = ()
    offline: bool = False
    #: Not "done": only its name is in the index, for a `reason` of engine.contract.errors.
    state: FileState = "done"
    reason: str = ""
    #: Files of the same contents that this hit stands for, likeliest meant first: the first of
    #: them, and how many there are. The question's filters hold for each.
    copies: tuple[Copy, ...] = ()
    copy_count: int = 0
    #: Name of the archive that it is in; "" for this machine.
    archive: str = ""
    #: Where raw values were asked for: what lanes tell of its best place, by feature; what they do
    #: not tell is not there. `fused` and `rescored` are its scores.
    features: dict[str, float] = field(default_factory=dict)
    content: str = ""  # then, too: hash of the file's bytes, where that is known

    @property
    def key(self) -> str:
        """What tells it from others: two machines may have a file at the same path."""
        return f"{self.archive}:{self.path}" if self.archive else self.path

    @property
    def date(self) -> float:
        """What date filters mean: when it was taken, where it says so, else when it was changed."""
        taken = self.attributes.get("taken")
        return float(taken) if isinstance(taken, int | float) else self.mtime

    def __hash__(self) -> int:  # a dict has none
        return hash((self.archive, self.path, self.location, self.score))


#: What `Coverage.message` says of its numbers.
NOT_READ_YET = "{waiting} of {total} files are not read yet."
NOT_LOOKED_AT = "{looked_at} of {pictures} pictures are looked at so far."


class Coverage(Struct, frozen=True):
    """How much of what is there an answer could have come from."""

    files: int = 0
    done: int = 0
    pending: int = 0
    complete: bool = True
    message: str = ""  # for a person, where it is not complete
    #: Where looks were asked: pictures in the index, and those of them whose look is known.
    pictures: int = 0
    looked_at: int = 0
    #: By name archives that are not in the answer, and why: a Fault of engine.contract.archives.
    away: dict[str, str] = {}

    def __hash__(self) -> int:  # a dict has none
        return hash((self.files, self.done, self.message))


class Notice(Struct, frozen=True):
    """What a person should know of an answer, with an action that helps: engine.contract.notices
    words it."""

    code: str
    told: dict[str, str] = {}

    def __hash__(self) -> int:  # a dict has none
        return hash((self.code, *sorted(self.told.items())))


class Statistics(Struct, frozen=True):
    """What an answer's raw values are measured against, for whoever joins it with another's."""

    model: str  # its encoder, and the vector space that is searched
    space: str
    units: int = 0  # in the index that answers
    holding: dict[str, int] = {}  # by term that was looked for: how many units hold it
    signals: dict[str, float] = {}  # of the question; see engine.search.signals

    def __hash__(self) -> int:  # a dict has none
        return hash((self.model, self.space, self.units))


class Answer(Struct, frozen=True):
    """One stage of an answer."""

    hits: tuple[Hit, ...]
    stage: Stage = "rescored"
    took_ms: float = 0.0
    weak: bool = False  # nothing matches well
    #: Nothing holds the quoted words as they stand: they count as words. "loose" to scripts.
    phrase_relaxed: bool = field(default=False, name="loose")
    coverage: Coverage = Coverage()
    #: Words of the question that were read as filters; with a reason why not, they are words.
    read: tuple[Reading, ...] = ()
    given_up: GivenUp = ""
    #: The question as files spell it, where nothing is spelt as it was typed; "" otherwise.
    spelling: str = ""
    #: No name is of the pattern that was typed: names of this one were searched.
    pattern_relaxed: str = ""
    #: A query picture that the model can't see: the words in it and of what it seems to show, which
    #: were asked in its place.
    picture_words: str = ""
    #: How many files match; further hits are only similar. None where that is not known.
    matches: int | None = None
    #: What the answer can't hold, and why; of the last stage.
    notices: tuple[Notice, ...] = ()
    #: Of the last stage, where raw values were asked for and one question is answered by a model.
    statistics: Statistics | None = None
