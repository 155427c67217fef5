"""Sound and film: what their tags say, their chapters, how long they are; nothing is heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.contract.types import Kind
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.dates import moment, moment_of_name
from indexer.reading.extract.encodings import clean
from indexer.reading.extract.media_boxes import MATROSKA, MP4, read_avi, read_matroska, read_mp4

#: What is told, in this order, by the names that ID3, Vorbis comments, MP4, ASF and APE have for
#: it, in lower case. What else there is tells players something, and people nothing.
_TOLD: dict[str, tuple[str, ...]] = {
    "title": ("tit2", "title", "\xa9nam", "inam"),
    "subtitle": ("tit3", "subtitle", "version", "tvsh", "tven"),
    "work": ("tit1", "grouping", "\xa9grp"),
    "artist": ("tpe1", "artist", "author", "\xa9art", "iart", "performer"),
    "band": ("tpe2", "albumartist", "album artist", "aart", "wm/albumartist"),
    "album": ("talb", "album", "\xa9alb", "wm/albumtitle", "iprd"),
    "composer": ("tcom", "composer", "\xa9wrt", "wm/composer"),
    "lyricist": ("text", "lyricist", "wm/writer"),
    "director": ("director", "actor"),
    "genre": ("tcon", "genre", "\xa9gen", "wm/genre", "ignr"),
    "date": ("tdrc", "tdor", "tyer", "date", "year", "\xa9day", "wm/year", "date_released", "icrd"),
    "description": ("description", "desc", "ldes", "synopsis", "summary", "tdes", "wm/subtitle"),
    "comment": ("comm", "comment", "\xa9cmt", "icmt", "keywords"),
    "lyrics": ("uslt", "lyrics", "unsyncedlyrics", "\xa9lyr", "wm/lyrics", "sylt"),
}
_NAMES = {key: name for name, keys in _TOLD.items() for key in keys}
#: Comments that programs keep numbers in.
_NOISE = ("itun", "cddb", "songs-db", "musicmatch")


@dataclass(slots=True)
class _Facts:
    """What a file says of itself."""

    tags: dict[str, list[str]] = field(default_factory=dict)  # by a name of _TOLD
    chapters: list[tuple[float, str]] = field(default_factory=list)  # second and title
    seconds: float = 0.0
    made: float | None = None  # since the epoch

    def add(self, key: str, text: str) -> None:
        """A tag under its format's own name; once, however many say the same."""
        name = _NAMES.get(key.lower())
        text = clean(text).replace("\0", " / ").strip()
        if name and text and text not in (told := self.tags.setdefault(name, [])):
            told.append(text)


def extract_audio(path: Path, options: ExtractOptions) -> Extraction:
    return _extract(path, options, "audio")


def extract_video(path: Path, options: ExtractOptions) -> Extraction:
    return _extract(path, options, "video")


def name_only(path: Path, options: ExtractOptions) -> Extraction:
    """Of what no library here reads the tags of."""
    raise ExtractError("no-text", f"Nothing is read of .{path.suffix[1:].lower()} but its name.")


def _extract(path: Path, options: ExtractOptions, kind: Kind) -> Extraction:
    """What stands before everything, then lyrics, then chapters."""
    facts = _facts(path)
    tags = facts.tags
    texts = ["\n".join(line for line in _lines(facts) if line)]
    texts += ["\n\n".join(tags.get("lyrics", [])), "\n".join(_chapters(facts))]
    taken = facts.made if kind == "video" else None
    return Extraction(
        kind,
        [Part(text[: options.characters]) for text in texts if text],
        title=next(iter(tags.get("title", [])), ""),
        attributes={
            "seconds": round(facts.seconds, 1) or None,
            "taken": moment_of_name(path.stem) if taken is None else taken,
        },
        notes=[] if tags or facts.chapters else ["It has no tags: it is found by its name."],
    )


def _lines(facts: _Facts) -> Iterator[str]:
    for name, texts in facts.tags.items():
        if name != "lyrics":
            yield ", ".join(texts) if name not in ("description", "comment") else "\n".join(texts)
    yield _clock(facts.seconds) if facts.seconds >= 1 else ""


def _chapters(facts: _Facts) -> list[str]:
    return [f"{_clock(start)} {title}" for start, title in sorted(facts.chapters) if title]


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _facts(path: Path) -> _Facts:
    found = _Facts()
    with path.open("rb") as file:
        head = file.read(16)
    if head.startswith(MATROSKA):
        own = read_matroska(path)
    elif head[4:8] in MP4:
        own = read_mp4(path)
        _with_mutagen(path, found)
    elif head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        own = read_avi(path)
    else:
        own = None
        if not _with_mutagen(path, found):
            raise ExtractError("broken", "no sound or film that is known")
    if own is not None:
        for key, text in own.tags:
            found.add(key, text)
        found.chapters += own.chapters
        found.seconds = own.seconds or found.seconds
        found.made = own.made
        if found.made is None:
            found.made = next(filter(None, map(moment, found.tags.get("date", []))), None)
    # In the order of the table, whatever the order in the file.
    found.tags = {name: found.tags[name] for name in _TOLD if name in found.tags}
    return found


def _with_mutagen(path: Path, facts: _Facts) -> bool:
    """What the library reads; False where it knows no such form."""
    import mutagen
    from mutagen.id3 import ID3, ID3NoHeaderError

    try:
        read = mutagen.File(path)
    except mutagen.MutagenError as error:
        try:  # tags before a damaged stream are whole
            _id3(ID3(path), facts)  # type: ignore[no-untyped-call]
        except (ID3NoHeaderError, mutagen.MutagenError):
            raise ExtractError("broken", f"{error}"[:200]) from error
        return True
    if read is None:
        return False
    facts.seconds = float(getattr(read.info, "length", 0.0) or 0.0)
    if isinstance(read.tags, ID3):
        _id3(read.tags, facts)
    elif read.tags is not None:
        _fields(read.tags, facts)
    for chapter in getattr(read, "chapters", None) or ():
        facts.chapters.append((chapter.start, clean(chapter.title)))
    return True


def _id3(tags: Any, facts: _Facts) -> None:
    for frame in tags.values():
        key = frame.FrameID
        if key == "CHAP":
            titles = frame.sub_frames.getall("TIT2")
            title = " ".join(str(title) for title in titles)
            facts.chapters.append((frame.start_time / 1000, clean(title)))
        elif key == "SYLT":
            facts.add(key, "\n".join(text.strip("\n") for text, _ in frame.text))
        elif key == "COMM" and frame.desc.lower().startswith(_NOISE):
            continue
        elif key == "TCON":
            facts.add(key, ", ".join(frame.genres))
        elif key == "TXXX":
            facts.add(frame.desc, "\n".join(map(str, frame.text)))
        elif hasattr(frame, "text"):
            texts = frame.text if isinstance(frame.text, list) else [frame.text]
            facts.add(key, "\n".join(map(str, texts)))


def _fields(tags: Any, facts: _Facts) -> None:
    """Vorbis comments, MP4, ASF, APE: names with one text or several."""
    chapters: dict[str, str] = {}
    pairs = tags.items() if isinstance(tags, Mapping) or hasattr(tags, "items") else tags
    for key, values in pairs:
        for value in values if isinstance(values, list) else [values]:
            text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
            if key.lower().startswith("chapter"):
                chapters[key.lower()] = text
            else:
                facts.add(key.rpartition(":")[2] if key.startswith("----:") else key, text)
    for key, start in chapters.items():
        if title := chapters.get(f"{key}name"):
            facts.chapters.append((_second(start), clean(title)))


def _second(clock: str) -> float:
    """00:01:30.500 in seconds."""
    try:
        parts = [float(part) for part in clock.split(":")]
    except ValueError:
        return 0.0
    return sum(part * float(60**place) for place, part in enumerate(reversed(parts)))


EXTRACTORS = (
    Extractor(
        "audio",
        1,
        frozenset({
            "mp3", "m4a", "m4b", "aac", "flac", "ogg", "oga", "opus", "spx", "wav", "aif", "aiff",
            "wma", "ape", "wv", "mpc", "mka",
        }),
        "audio",
        extract_audio,
        max_bytes=4_000_000_000,
        reads="title, artist, album, genre, year, comments, lyrics, chapters, length",
    ),
    Extractor(
        "video",
        1,
        frozenset({"mp4", "m4v", "mov", "3gp", "mkv", "webm", "avi", "wmv", "asf", "ogv"}),
        "video",
        extract_video,
        max_bytes=100_000_000_000,
        reads="title, description, comments, chapters, length, when it was taken",
    ),
    Extractor(
        "video-name",
        1,
        frozenset({"mpg", "mpeg", "m2v", "mts", "m2ts", "flv", "vob", "rm"}),
        "video",
        name_only,
        reads="the name",
    ),
)  # fmt: skip
