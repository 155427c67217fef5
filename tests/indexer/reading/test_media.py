"""Sound and film: tags, chapters, length; what has none is found by its name."""

from __future__ import annotations

import datetime as dt
import struct
import wave
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mutagen import id3
from mutagen.mp4 import MP4
from PIL import Image

from indexer.reading.extract import kind_of, pick
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions
from indexer.reading.pool import ExtractorPool
from indexer.reading.worker import read_file

OPTIONS = ExtractOptions("")
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


def box(name: bytes, *contents: bytes) -> bytes:
    data = b"".join(contents)
    return struct.pack(">I4s", 8 + len(data), name) + data


def write_mp4(path: Path, made: float = MADE, seconds: int = 271, version: int = 0) -> Path:
    """A film without any track, its header behind the film as cameras write it."""
    made_since_1904 = int(made) + 2_082_844_800 if made else 0
    form = ">IIIII" if version == 0 else ">IQQIQ"
    header = struct.pack(form, version << 24, made_since_1904, 0, 600, seconds * 600)
    path.write_bytes(
        box(b"ftyp", b"isom\0\0\0\0mp42")
        + box(b"mdat", bytes(5000))
        + box(b"moov", box(b"mvhd", header, bytes(80)))
    )
    return path


def element(name: bytes, *contents: bytes) -> bytes:
    data = b"".join(contents)
    return name + (len(data) | 1 << 56).to_bytes(8, "big") + data


def matroska(*, tags_last: bool = False, endless: bool = False) -> bytes:
    info = element(
        b"\x15\x49\xa9\x66",
        element(b"\x2a\xd7\xb1", (1_000_000).to_bytes(3, "big")),
        element(b"\x44\x89", struct.pack(">d", 271_000.0)),
        element(b"\x44\x61", (int(MADE - 978_307_200) * 10**9).to_bytes(8, "big", signed=True)),
        element(b"\x7b\xa9", "Ferry to Öland".encode()),
    )
    comment = element(b"\x45\xa3", b"COMMENT"), element(b"\x44\x87", b"seen from the upper deck")
    tags = element(b"\x12\x54\xc3\x67", element(b"\x73\x73", element(b"\x67\xc8", *comment)))
    atom = element(
        b"\xb6",
        element(b"\x91", (90 * 10**9).to_bytes(8, "big")),
        element(b"\x80", element(b"\x85", b"Past the windmill")),
    )
    chapters = element(b"\x10\x43\xa7\x70", element(b"\x45\xb9", atom))
    cluster = element(b"\x1f\x43\xb6\x75", bytes(3000))

    def seek(place: int) -> bytes:
        where = element(b"\x53\xab", b"\x12\x54\xc3\x67"), element(b"\x53\xac", bytes([0]) * 4)
        known = where[0], element(b"\x53\xac", place.to_bytes(4, "big"))
        assert len(known[1]) == len(where[1])
        return element(b"\x11\x4d\x9b\x74", element(b"\x4d\xbb", *known))

    if tags_last:
        before = len(seek(0)) + len(info) + len(chapters) + len(cluster)
        inside = seek(before) + info + chapters + cluster + tags
    else:
        inside = info + tags + chapters + cluster
    head = element(b"\x1aE\xdf\xa3", element(b"\x42\x82", b"matroska"))
    if endless:  # as a stream is recorded
        return head + b"\x18\x53\x80\x67" + b"\x01" + b"\xff" * 7 + inside
    return head + element(b"\x18\x53\x80\x67", inside)


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


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("name", ["clip.mp4", "clip.mov", "clip.m4v"])
def test_a_film_of_a_telephone(tmp_path: Path, name: str, version: int) -> None:
    path = write_mp4(tmp_path / name, version=version)
    file = MP4(path)
    file.add_tags()
    file["\xa9nam"] = "Grandmother's eightieth"
    file["desc"] = "everybody sings"
    file.save()
    read = read_file(path, OPTIONS)
    assert read.kind == "video"
    assert text_of(read).split("\n") == ["Grandmother's eightieth", "everybody sings", "4:31"]
    assert read.attributes == {"seconds": 271.0, "taken": MADE}


def test_a_film_without_a_date_has_that_of_its_name(tmp_path: Path) -> None:
    read = read_file(write_mp4(tmp_path / "VID-20190704-WA0003.mp4", made=0), OPTIONS)
    assert read.attributes["taken"] == dt.datetime(2019, 7, 4, 12).timestamp()


@pytest.mark.parametrize("tags_last", [True, False])
@pytest.mark.parametrize("endless", [True, False])
@pytest.mark.parametrize("name", ["ferry.mkv", "ferry.webm"])
def test_matroska(tmp_path: Path, name: str, tags_last: bool, endless: bool) -> None:
    path = tmp_path / name
    path.write_bytes(matroska(tags_last=tags_last, endless=endless))
    read = read_file(path, OPTIONS)
    assert text_of(read).split("\n") == [
        "Ferry to Öland", "seen from the upper deck", "4:31", "1:30 Past the windmill",
    ]  # fmt: skip
    assert read.attributes == {"seconds": 271.0, "taken": MADE}


def test_avi(tmp_path: Path) -> None:
    def chunk(name: bytes, *contents: bytes) -> bytes:
        data = b"".join(contents)
        return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)

    header = chunk(b"avih", struct.pack("<IIIII", 40_000, 0, 0, 0, 250), bytes(36))
    path = tmp_path / "old.avi"
    inside = (
        chunk(b"LIST", b"hdrl", header)
        + chunk(b"LIST", b"movi", bytes(999))
        + chunk(b"LIST", b"INFO", chunk(b"INAM", b"Sledging\0"))
    )
    path.write_bytes(chunk(b"RIFF", b"AVI ", inside))
    read = read_file(path, OPTIONS)
    assert text_of(read) == "Sledging\n0:10"
    assert read.attributes["seconds"] == 10.0


def test_what_is_not_read_says_so(tmp_path: Path) -> None:
    path = tmp_path / "tape.mpg"
    path.write_bytes(b"\x00\x00\x01\xba" + bytes(100))
    with pytest.raises(ExtractError, match=r"Nothing is read of \.mpg but its name") as told:
        read_file(path, OPTIONS)
    assert told.value.reason == "no-text", "it counts as found by its name, not as failed"


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


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_damage_ends_in_a_reason(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / data.draw(st.sampled_from(["damaged.mkv", "damaged.mp4"]))
    whole = matroska(tags_last=True) if path.suffix == ".mkv" else write_mp4(path).read_bytes()
    places = st.integers(0, len(whole) - 1)
    bytes_ = bytearray(whole)
    for place in data.draw(st.lists(places, max_size=8)):
        bytes_[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes_[: data.draw(st.one_of(st.just(len(whole)), places))] or b"\0")
    with suppress(ExtractError):  # nothing else, and no hang
        read_file(path, OPTIONS)


def test_confined_workers_read_it(tmp_path: Path) -> None:
    """Libraries, the list of towns and what lies beside a file are within their reach."""
    folder = tmp_path / "library"
    folder.mkdir()
    tag(mp3(folder / "song.mp3"))
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (38.0, 42.0, 50.0), 3: "W", 4: (9.0, 8.0, 22.0)})
    Image.effect_noise((64, 48), 80).convert("RGB").save(folder / "a.jpg", exif=exif)
    (folder / "a.xmp").write_text('<x xmlns:e="e" e:DateTimeOriginal="2019-07-04T12:15:00Z"/>')
    pool = ExtractorPool(tmp_path / "scratch", workers=1)
    try:
        pool.confine([str(folder)])
        song, _ = pool.extract(str(folder / "song.mp3"))
        photo, _ = pool.extract(str(folder / "a.jpg"), ocr=False)
    finally:
        pool.close()
    assert "Harbour Songs" in text_of(song)
    assert {"Lisbon", "Portugal"} <= set(photo.places)
    assert photo.attributes["taken"] == dt.datetime(2019, 7, 4, 12, 15, tzinfo=dt.UTC).timestamp()
