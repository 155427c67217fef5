"""Sound and film: tags, chapters, length; what has none is found by its name."""

from __future__ import annotations

import datetime as dt
import wave
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from mutagen import id3
from PIL import Image

from indexer.reading.extract import kind_of, pick
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions
from indexer.reading.pool import ExtractorPool
from indexer.reading.worker import read_file

OPTIONS = ExtractOptions("")
NO_THUMBS = ExtractOptions("", thumbs=False)
MILLISECOND = Fraction(1, 1000)
MADE = dt.datetime(2019, 7, 4, 10, 15, tzinfo=dt.UTC).timestamp()


def text_of(extraction: Extraction) -> str:
    return "\n".join(part.text for part in extraction.parts)


def write_wav(path: Path, seconds: float = 2.0) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 1, 8000, 0, "NONE", ""))
        file.writeframes(bytes(int(8000 * seconds)))
    return path


def tag(path: Path) -> None:
    """What an album's song is tagged with, beside an ID3 header."""
    tags = id3.ID3()
    tags.add(id3.TIT2(text=["The Lighthouse Keeper"]))
    tags.add(id3.TPE1(text=["Marea Alta"]))
    tags.add(id3.TALB(text=["Harbour Songs"]))
    tags.add(id3.TCON(text=["(17)"]))
    tags.add(id3.TDRC(text=["1987"]))
    tags.add(id3.COMM(lang="eng", desc="", text=["recorded in the boathouse"]))
    tags.add(id3.COMM(lang="eng", desc="iTunNORM", text=["0000051A 00000553"]))
    tags.add(id3.USLT(lang="eng", desc="", text="Row me over\nbefore the fog comes in"))
    tags.add(id3.TXXX(desc="replaygain_track_gain", text=["-7.2 dB"]))
    for number, title in enumerate(("Casting off", "Open water")):
        tags.add(
            id3.CHAP(
                element_id=f"c{number}", start_time=number * 90_000, end_time=0,
                sub_frames=[id3.TIT2(text=[title])],
            )
        )  # fmt: skip
    tags.save(path)


def mp3(path: Path) -> Path:
    """Silence of a second: forty frames of 128 kbit/s."""
    path.write_bytes((b"\xff\xfb\x90\x64" + bytes(413)) * 40)
    return path


def write_film(
    path: Path,
    codec: str = "mpeg4",
    chapters: Sequence[tuple[float, str]] = (),
    subtitles: Sequence[tuple[float, str]] = (),
    **tags: str,
) -> Path:
    """Two seconds of noise after a dark beginning."""
    import av

    noise = np.random.default_rng(1)
    with av.open(str(path), "w") as out:
        out.metadata.update(tags)
        stream = out.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.gop_size = 1
        stream.codec_context.thread_count = 1
        if chapters:
            out.set_chapters([
                {"id": n, "start": int(1000 * second), "end": 2000, "time_base": MILLISECOND,
                 "metadata": {"title": title}}
                for n, (second, title) in enumerate(chapters, 1)
            ])  # fmt: skip
        track = out.add_mux_stream("subrip") if subtitles else None
        for second, line in subtitles:
            packet = av.Packet(line.encode())
            packet.stream, packet.time_base = track, MILLISECOND
            packet.pts = packet.dts = int(1000 * second)
            packet.duration = 900
            out.mux(packet)
        for number in range(20):
            shade = noise.integers(0, 255 if number > 4 else 4, (48, 64, 3), dtype=np.uint8)
            frame = av.VideoFrame.from_ndarray(shade, format="rgb24")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("whole", [True, False])
def test_a_song_says_what_its_tags_say(tmp_path: Path, whole: bool) -> None:
    path = tmp_path / "01.mp3"
    if whole:
        mp3(path)
    tag(path)  # of one whose sound is lost the tags are whole
    read = read_file(path, OPTIONS)
    text = text_of(read)
    for said in (
        "The Lighthouse Keeper", "Marea Alta", "Harbour Songs", "Rock", "1987",
        "recorded in the boathouse", "before the fog comes in", "0:00 Casting off",
        "1:30 Open water",
    ):  # fmt: skip
        assert said in text
    assert "0000051A" not in text
    assert "dB" not in text
    assert (read.kind, read.title) == ("audio", "The Lighthouse Keeper")
    assert read.attributes["seconds"] == (1.0 if whole else None)


def test_tags_in_a_wav(tmp_path: Path) -> None:
    from mutagen.wave import WAVE

    path = write_wav(tmp_path / "interview.wav", 3)
    file = WAVE(path)
    file.add_tags()
    file.tags.add(id3.TIT2(text=["Interview with the beekeeper"]))
    file.save()
    read = read_file(path, OPTIONS)
    assert "Interview with the beekeeper" in text_of(read)
    assert read.attributes["seconds"] == 3.0


def test_without_tags_there_is_the_length(tmp_path: Path) -> None:
    read = read_file(write_wav(tmp_path / "2019-07-04 12.15.00.wav", 62), OPTIONS)
    assert text_of(read) == "1:02"
    assert read.notes == ["It has no tags: it is found by its name."]
    assert read.attributes["taken"] == dt.datetime(2019, 7, 4, 12, 15).timestamp()


def test_a_film_of_a_telephone(tmp_path: Path) -> None:
    path = write_film(
        tmp_path / "clip.mp4",
        title="Grandmother's eightieth",
        description="everybody sings",
        creation_time="2019-07-04T10:15:00Z",
        location="+38.7139-009.1394/",
    )
    read = read_file(path, ExtractOptions(str(tmp_path)))
    first, second, place, length = text_of(read).split("\n")
    assert (first, second, length) == ("Grandmother's eightieth", "everybody sings", "0:02")
    assert "Lisbon" in place
    assert (read.kind, read.title) == ("video", "Grandmother's eightieth")
    assert read.attributes == {"seconds": 2.0, "taken": MADE, "place": place}
    thumb = Image.open(tmp_path / str(read.parts[0].thumb))
    assert thumb.size == (64, 48)
    assert max(high for _, high in thumb.getextrema()) > 100, "not of the dark beginning"


def test_a_film_without_a_date_has_that_of_its_name(tmp_path: Path) -> None:
    read = read_file(write_film(tmp_path / "VID-20190704-WA0003.mp4"), NO_THUMBS)
    assert read.attributes["taken"] == dt.datetime(2019, 7, 4, 12).timestamp()


def test_chapters_and_subtitles_inside(tmp_path: Path) -> None:
    lines = [(0.2, "Mind the gap"), (1.0, "{\\i1}at Ullock{\\i0}"), (90.0, "The end")]
    path = write_film(
        tmp_path / "ferry.mkv",
        chapters=[(1.0, "Past the windmill")],
        subtitles=lines,
        title="Ferry to Öland",
        COMMENT="seen from the upper deck",
    )
    read = read_file(path, NO_THUMBS)
    assert [part.text for part in read.parts[1:]] == [
        "0:01 Past the windmill",
        "0:00 Mind the gap\nat Ullock\n1:30 The end",
    ]
    assert read.parts[0].text.startswith("Ferry to Öland\nseen from the upper deck\n")
    few = read_file(path, replace(NO_THUMBS, characters=20))
    assert few.notes == ["Only the first 2 subtitles are indexed."]


def test_subtitles_beside_a_film(tmp_path: Path) -> None:
    path = write_film(tmp_path / "ferry.avi", title="Ferry")
    (tmp_path / "ferry.notes.txt").write_text("other")
    (tmp_path / "ferry.de.srt").write_bytes(
        "1\n00:00:01,000 --> 00:00:02,000\nVorsicht an der <i>Tür</i>\n".encode("cp1252")
    )
    assert read_file(path, NO_THUMBS).parts[1].text == "0:01 Vorsicht an der Tür"
    (tmp_path / "ferry.de.srt").write_bytes(b"\0\1 no subtitles")
    assert len(read_file(path, NO_THUMBS).parts) == 1


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "mpeg4"), ("a.avi", "mpeg4"), ("a.webm", "libvpx"), ("a.flv", "flv"),
     ("a.wmv", "wmv2"), ("a.ts", "mpeg4")],
)  # fmt: skip
def test_every_kind_of_film(tmp_path: Path, name: str, codec: str) -> None:
    path = write_film(tmp_path / name, codec, title="Sledging")
    read = read_file(path, NO_THUMBS)
    assert read.kind == "video"
    assert read.attributes["seconds"] == pytest.approx(2.0, abs=0.2)
    assert name == "a.ts" or text_of(read).split("\n")[0] == "Sledging"


def test_a_file_that_only_lists_films_opens_none(tmp_path: Path) -> None:
    write_film(tmp_path / "real.mp4", title="Secret")
    path = tmp_path / "list.mp4"
    for told in ("ffconcat version 1.0\nfile real.mp4\n", "#EXTM3U\n#EXTINF:1,\nreal.mp4\n"):
        path.write_text(told)
        with pytest.raises(ExtractError) as error:
            read_file(path, NO_THUMBS)
        assert error.value.reason == "broken"


@pytest.mark.parametrize("name", ["a.mp3", "a.flac", "a.mkv", "a.mp4", "a.opus", "a.wma", "a.avi"])
def test_what_is_no_sound_is_broken(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"This is a text file that somebody gave another name. " * 20)
    with pytest.raises(ExtractError) as told:
        read_file(path, OPTIONS)
    assert told.value.reason == "broken"


def test_kinds_by_their_names() -> None:
    for name, kind in (("a.MP3", "audio"), ("a.opus", "audio"), ("a.webm", "video")):
        assert kind_of(Path(name)) == kind
        assert pick(Path(name), b"\0" * 100) is not None


def test_confined_workers_read_it(tmp_path: Path) -> None:
    """Libraries, the list of towns and what lies beside a file are within their reach."""
    folder = tmp_path / "library"
    folder.mkdir()
    tag(mp3(folder / "song.mp3"))
    write_film(folder / "ferry.mp4", title="Ferry")
    (folder / "ferry.srt").write_text("1\n00:00:01,000 --> 00:00:02,000\nMind the gap\n")
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (38.0, 42.0, 50.0), 3: "W", 4: (9.0, 8.0, 22.0)})
    Image.effect_noise((64, 48), 80).convert("RGB").save(folder / "a.jpg", exif=exif)
    (folder / "a.xmp").write_text('<x xmlns:e="e" e:DateTimeOriginal="2019-07-04T12:15:00Z"/>')
    pool = ExtractorPool(tmp_path / "scratch", workers=1)
    try:
        pool.confine([str(folder)])
        song, _ = pool.extract(str(folder / "song.mp3"))
        film, _ = pool.extract(str(folder / "ferry.mp4"))
        photo, _ = pool.extract(str(folder / "a.jpg"), ocr=False)
    finally:
        pool.close()
    assert "Harbour Songs" in text_of(song)
    assert film.parts[0].thumb is not None
    assert film.parts[1].text == "0:01 Mind the gap"
    assert {"Lisbon", "Portugal"} <= set(photo.places)
    assert photo.attributes["taken"] == dt.datetime(2019, 7, 4, 12, 15, tzinfo=dt.UTC).timestamp()
