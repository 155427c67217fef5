"""What FFmpeg's libraries read of sound and film: tags, chapters, length, subtitles, one picture.

They come with PyAV and so run in the confined worker, where no installed ffprobe could be started;
and they read what no other library does that is kept: tags of Matroska and AVI, MPEG, Flash.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from indexer.reading.extract.base import ExtractError
from indexer.reading.extract.encodings import clean, decode
from indexer.sources.beside import SUBTITLES

#: By what a file begins with the form it is read as, so that none is read as a list of others.
_FORMS = (
    (re.compile(rb"\x1aE\xdf\xa3"), "matroska"),
    (re.compile(rb"....(?:ftyp|moov|mdat|wide|free|skip|pnot)", re.DOTALL), "mov"),
    (re.compile(rb"RIFF....AVI ", re.DOTALL), "avi"),
    (re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"), "asf"),
    (re.compile(rb"\x00\x00\x01\xba"), "mpeg"),
    (re.compile(rb"\x00\x00\x01\xb3"), "mpegvideo"),
    (re.compile(rb"(?:....)?G.{187}(?:....)?G", re.DOTALL), "mpegts"),
    (re.compile(rb"FLV"), "flv"),
    (re.compile(rb"OggS"), "ogg"),
    (re.compile(rb"\.RMF"), "rm"),
    (re.compile(rb"#!AMR"), "amr"),
    (re.compile(rb"\xff[\xf0-\xff]"), "aac"),
)
HEAD = 512
_BESIDE_BYTES = 10_000_000
#: Of processor time for subtitles inside, which lie all over a film.
_SECONDS = 20.0
#: Where a picture is taken, as shares of the length: the first that shows something.
_MOMENTS = (0.1, 0.3, 0.5, 0.0)
_FLAT = 12.0  # the least spread of brightness of one that shows something
_STYLE = re.compile(r"\{[^}]*\}|<[^>]*>")
_MICROSECOND = 1_000_000


@dataclass(slots=True)
class Film:
    """What a file says and shows."""

    tags: list[tuple[str, str]] = field(default_factory=list)
    chapters: list[tuple[float, str]] = field(default_factory=list)  # second and title
    subtitles: list[tuple[float, str]] = field(default_factory=list)  # second and line
    seconds: float = 0.0
    picture: Image.Image | None = None
    notes: list[str] = field(default_factory=list)


def read_film(path: Path, *, picture: bool, characters: int) -> Film | None:
    """Everything; None where it begins like nothing that is read here."""
    import av

    with path.open("rb") as file:
        head = file.read(HEAD)
    form = next((form for pattern, form in _FORMS if pattern.match(head)), None)
    if form is None:
        return None
    film = Film()
    try:
        with av.open(str(path), format=form, metadata_errors="replace") as container:
            if not container.streams and not container.metadata:
                raise ExtractError("broken", "neither sound nor film is in it")
            film.tags = list(container.metadata.items())
            for stream in container.streams:  # Ogg's are those of its sound
                film.tags += stream.metadata.items() if form == "ogg" else ()
            film.seconds = min(max(container.duration or 0, 0) / _MICROSECOND, 1e9)
            for one in container.chapters():
                start = float(one["start"] * (one["time_base"] or 0))
                film.chapters.append((max(0.0, start), one["metadata"].get("title", "")))
            film.subtitles = _beside(path)
            if not film.subtitles:
                _inside(container, film, characters)
            if picture:
                film.picture = _picture(container, film.seconds)
    except av.FFmpegError as error:
        raise ExtractError("broken", str(error)[:200]) from error
    return film


def _beside(path: Path) -> list[tuple[float, str]]:
    """Subtitles in a file of the same name ("film.en.srt"), the first of them."""
    import av

    try:
        names = sorted(entry.name for entry in path.parent.iterdir())
    except OSError:
        return []
    for name in names:
        own, ending = name.startswith(f"{path.stem}."), name.rpartition(".")[2].lower()
        if not own or ending not in SUBTITLES:
            continue
        try:
            with path.with_name(name).open("rb") as file:
                text = decode(file.read(_BESIDE_BYTES))
            form = {"vtt": "webvtt", "ssa": "ass", "sub": "microdvd"}.get(ending, ending)
            with av.open(io.BytesIO(text.encode()), format=form) as container:
                if lines := list(_lines(container, container.streams.subtitles[0])):
                    return lines
        except (OSError, ExtractError, av.FFmpegError, ValueError, IndexError):
            continue  # of no use; it is a file of its own, which tells what is wrong with it
    return []


def _inside(container: Any, film: Film, characters: int) -> None:
    """Subtitles of the first track of text, as far as there is time."""
    from av.stream import Discard

    tracks = list(container.streams.subtitles)
    wanted = next((t for t in tracks if _is_text(t)), None)
    if wanted is None:
        if tracks:
            film.notes.append("Its subtitles are pictures; they are not read.")
        return
    others = [stream for stream in container.streams if stream is not wanted]
    for stream in others:
        stream.discard = Discard.all
    began = time.process_time()
    for second, line in _lines(container, wanted):
        film.subtitles.append((second, line))
        characters -= len(line)
        if characters < 0 or time.process_time() - began > _SECONDS:
            film.notes.append(f"Only the first {len(film.subtitles):,} subtitles are indexed.")
            break
    for stream in others:
        stream.discard = Discard.default


def _is_text(track: Any) -> bool:
    """Whether a track of subtitles can be read: others are pictures."""
    codec = track.codec_context.codec.name if track.codec_context is not None else ""
    return codec not in ("", "dvdsub", "dvbsub", "pgssub", "xsub", "dvb_teletext", "libzvbi")


def _lines(container: Any, track: Any) -> Iterator[tuple[float, str]]:
    from av import FFmpegError

    for packet in container.demux(track):
        try:
            found = packet.decode()
        except FFmpegError:
            continue  # the others are whole
        second = 0.0 if packet.pts is None else float(packet.pts * packet.time_base)
        for subtitle in found:
            said = getattr(subtitle, "dialogue", b"").decode("utf-8", "replace")
            text = _STYLE.sub("", said.replace("\\N", "\n").replace("\\h", " "))
            if text := clean(text).strip():
                yield second, text


def _picture(container: Any, seconds: float) -> Image.Image | None:
    """A frame that shows something, else the last one looked at; None where none can be had."""
    from av import FFmpegError

    stream = next(iter(container.streams.video), None)
    if stream is None:
        return None
    stream.codec_context.thread_count = 1
    picture = None
    for share in _MOMENTS:
        try:
            container.seek(int(seconds * share * _MICROSECOND))
            frame = next(container.decode(stream), None)
            picture = picture if frame is None else _upright(frame)
        except FFmpegError:
            continue
        if picture is not None and _spread(picture) > _FLAT:
            break
    return picture


def _upright(frame: Any) -> Image.Image:
    image: Image.Image = frame.to_image()
    return image.rotate(frame.rotation, expand=True) if frame.rotation % 360 else image


def _spread(picture: Image.Image) -> float:
    from PIL import ImageStat

    return float(ImageStat.Stat(picture.convert("L").resize((64, 64))).stddev[0])
