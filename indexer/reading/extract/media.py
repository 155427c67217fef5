"""Sound and film: what their tags say, chapters, subtitles, how long they are, a picture of films;
nothing is heard."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from engine.contract.types import Kind
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.dates import moment, moment_of_name
from indexer.reading.extract.encodings import clean
from indexer.reading.extract.film import read_film
from indexer.reading.extract.places import place_names
from indexer.reading.extract.render import save_thumb

#: What is told, in this order, by the names that ID3, Vorbis comments, MP4, ASF and APE have for
#: it, in lower case. What else there is tells players something, and people nothing.
_TOLD: dict[str, tuple[str, ...]] = {
    "title": ("tit2", "title", "\xa9nam", "inam"),
    "subtitle": ("tit3", "subtitle", "version", "tvsh", "tven", "show", "episode_id"),
    "work": ("tit1", "grouping", "\xa9grp"),
    "artist": ("tpe1", "artist", "author", "\xa9art", "iart", "performer"),
    "band": ("tpe2", "albumartist", "album artist", "album_artist", "aart", "wm/albumartist"),
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
_BY_NAME = "It has no tags: it is found by its name."
_MINUTE = 60.0
#: When a film was made and where, surest first.
_MADE = ("com.apple.quicktime.creationdate", "creation_time")
_WHERE = ("com.apple.quicktime.location.iso6709", "location")
_POSITION = re.compile(r"([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)")
#: Comments that programs keep numbers in.
_NOISE = ("itun", "cddb", "songs-db", "musicmatch")


@dataclass(slots=True)
class _Facts:
    """What a file says of itself."""

    tags: dict[str, list[str]] = field(default_factory=dict)  # by a name of _TOLD
    chapters: list[tuple[float, str]] = field(default_factory=list)  # second and title
    subtitles: list[tuple[float, str]] = field(default_factory=list)
    seconds: float = 0.0
    made: float | None = None  # since the epoch
    places: list[str] = field(default_factory=list)  # where, from near to far
    picture: Image.Image | None = None
    notes: list[str] = field(default_factory=list)

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


def _extract(path: Path, options: ExtractOptions, kind: Kind) -> Extraction:
    """What stands before everything, then lyrics, then chapters and subtitles."""
    facts = _facts(path, options, kind)
    tags = facts.tags
    texts = ["\n".join(line for line in _lines(facts) if line)]
    texts += ["\n\n".join(tags.get("lyrics", [])), "\n".join(_chapters(facts))]
    texts += ["\n".join(_subtitles(facts))]
    parts = [Part(text[: options.characters]) for text in texts if text]
    if facts.picture is not None and parts:
        parts[0].thumb = save_thumb(facts.picture, options.scratch, "frame")
    taken = facts.made if kind == "video" else None
    return Extraction(
        kind,
        parts,
        title=next(iter(tags.get("title", [])), ""),
        attributes={
            "seconds": round(facts.seconds, 1) or None,
            "taken": moment_of_name(path.stem) if taken is None else taken,
            "place": ", ".join(facts.places) or None,
        },
        notes=facts.notes + ([] if any(texts[1:]) or tags else [_BY_NAME]),
    )


def _lines(facts: _Facts) -> Iterator[str]:
    for name, texts in facts.tags.items():
        if name != "lyrics":
            yield ", ".join(texts) if name not in ("description", "comment") else "\n".join(texts)
    yield ", ".join(facts.places)
    yield _clock(facts.seconds) if facts.seconds >= 1 else ""


def _chapters(facts: _Facts) -> list[str]:
    return [f"{_clock(start)} {title}" for start, title in sorted(facts.chapters) if title]


def _subtitles(facts: _Facts) -> Iterator[str]:
    """Line by line, with the time about once a minute."""
    told = -_MINUTE
    for second, line in facts.subtitles:
        late = second - told >= _MINUTE
        told = second if late else told
        yield f"{_clock(second)} {line}" if late else line


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _facts(path: Path, options: ExtractOptions, kind: Kind) -> _Facts:
    found = _Facts()
    # Of sound mutagen knows more: lyrics, several texts of one name, players' own comments.
    if kind == "video" or not _with_mutagen(path, found):
        film = read_film(path, picture=options.thumbs, characters=options.characters)
        if film is None:
            raise ExtractError("broken", "no sound or film that is known")
        told = {key.lower(): text for key, text in film.tags}
        for key, text in film.tags:
            found.add(key, text)
        found.chapters = [(start, clean(title)) for start, title in film.chapters]
        found.subtitles, found.picture, found.notes = film.subtitles, film.picture, film.notes
        found.seconds = film.seconds
        stamps = (told[key] for key in _MADE if key in told)
        found.made = next(filter(None, map(moment, (*stamps, *found.tags.get("date", ())))), None)
        found.places = _places(next((told[key] for key in _WHERE if key in told), ""))
    # In the order of the table, whatever the order in the file.
    found.tags = {name: found.tags[name] for name in _TOLD if name in found.tags}
    return found


def _places(position: str) -> list[str]:
    """Names of where it was taken: "+38.7223-009.1393/"."""
    if not (found := _POSITION.match(position)):
        return []
    with suppress(LookupError, ValueError):
        return place_names(float(found[1]), float(found[2]))
    return []


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
            "wma", "ape", "wv", "mpc", "mka", "amr",
        }),
        "audio",
        extract_audio,
        max_bytes=4_000_000_000,
        reads="title, artist, album, genre, year, comments, lyrics, chapters, length",
    ),
    Extractor(
        "video",
        2,
        frozenset({
            "mp4", "m4v", "mov", "3gp", "3g2", "mkv", "webm", "avi", "wmv", "asf", "ogv", "mpg",
            "mpeg", "m2v", "mts", "m2ts", "flv", "vob", "rm",
        }),
        "video",
        extract_video,
        max_bytes=100_000_000_000,
        processor_s=120.0,
        reads="title, description, comments, chapters, subtitles in it or beside it, length, when"
        " and where it was taken; a picture for the list",
    ),
)  # fmt: skip
