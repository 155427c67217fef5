"""A query picture: its look asks, then its words and what it shows; words typed beside it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.contract.errors import StoreBusyError, StoreDamagedError
from engine.contract.notices import notice
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Answer, Look
from engine.store import Looks
from indexer.reading.extract import picture
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Part
from indexer.reading.extract.picture import extract_picture
from indexer.server.lifecycle import Indexer
from tests.waiting import until

pytestmark = pytest.mark.slow


def ball(side: int, colour: tuple[int, int, int]) -> Image.Image:
    """A shaded ball on white."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]
    light = np.clip(1.05 - ((x + 0.3) ** 2 + (y + 0.35) ** 2) / 1.6, 0.35, 1.0)
    shaded = light[..., None] * np.array(colour)
    inside = (x**2 + y**2 < 0.64)[..., None]
    return Image.fromarray(np.where(inside, shaded, 255).astype(np.uint8))


def sign(text: str) -> Image.Image:
    image = Image.new("RGB", (900, 200), "white")
    ImageDraw.Draw(image).text((30, 60), text, "black", font_size=60)
    return image


@pytest.fixture(scope="module")
def indexer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Indexer]:
    place = tmp_path_factory.mktemp("pictures")
    folder = place / "files"
    folder.mkdir()
    ball(400, (255, 140, 20)).save(folder / "IMG_2001.png")
    sign("Ferry timetable").save(folder / "IMG_2002.png")
    for name, text in (
        ("garden.md", "Tomatoes want sun, water and a stick to lean on."),
        ("rent.md", "The landlord pays for repairs of the roof."),
        ("boats.md", "The ferry leaves at nine; see the timetable."),
    ):
        (folder / name).write_text(f"{text}\n")
    base = BaseDir(place / "base").create()
    settings = Settings.load(base)
    settings.min_free_disk_gb, settings.pause_on_battery = 0, False
    found = Indexer(base, settings).open()
    try:
        found.start()
        found.ports.library.add_folders([str(folder)])
        until(lambda: found.state() == "idle", found.state)
        yield found
    finally:
        found.close()


def asked(indexer: Indexer, picture: Image.Image, place: Path, text: str = "") -> Answer:
    """The last answer to a picture, and perhaps words."""
    picture.save(place / "asked.png")
    *_, last = indexer.ports.search.search(text, image=str(place / "asked.png"))
    return last


def test_another_picture_of_the_same_sort_finds_it(indexer: Indexer, tmp_path: Path) -> None:
    last = asked(indexer, ball(260, (240, 120, 40)), tmp_path)
    assert last.hits[0].title == "IMG_2001.png"
    assert "sight" in last.hits[0].lanes
    assert "ball" in last.picture_words


def test_words_in_a_picture_ask_after_its_look(indexer: Indexer, tmp_path: Path) -> None:
    last = asked(indexer, sign("timetable of the ferry"), tmp_path)
    assert [hit.title for hit in last.hits[:2]] == ["IMG_2002.png", "boats.md"]
    assert last.picture_words == "timetable of the ferry"


def test_words_typed_with_a_picture_count_beside_its_look(indexer: Indexer, tmp_path: Path) -> None:
    last = asked(indexer, ball(300, (250, 130, 30)), tmp_path, "ferry timetable")
    assert last.picture_words == ""  # typed words take their place
    assert {hit.title for hit in last.hits[:3]} == {"IMG_2001.png", "IMG_2002.png", "boats.md"}


def test_words_typed_with_a_picture_bring_no_note_before_what_looks_alike(
    indexer: Indexer, tmp_path: Path
) -> None:
    alike = ball(90, (90, 90, 90)).rotate(180)
    last = asked(indexer, alike, tmp_path, "tomatoes want sun and water")
    titles = [hit.title for hit in last.hits]
    assert titles[0] == "IMG_2001.png"
    assert "garden.md" in titles[:3]


def test_what_is_no_picture_is_not_said_to_be_asked_by_its_look(
    indexer: Indexer, tmp_path: Path
) -> None:
    page = tmp_path / "asked.md"
    page.write_text("timetable of the ferry")
    *_, last = indexer.ports.search.search("", image=str(page))
    assert {hit.title for hit in last.hits[:2]} == {"IMG_2002.png", "boats.md"}
    assert (last.picture_words, last.coverage.pictures) == ("timetable of the ferry", 0)


def test_a_picture_that_says_nothing_asks_by_its_look(
    indexer: Indexer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def extract(path: str, **options: object) -> tuple[Extraction, Path]:
        (tmp_path / "scratch").mkdir()
        options = ExtractOptions(str(tmp_path / "scratch"), look=True)
        return extract_picture(Path(path), options), tmp_path / "scratch"

    monkeypatch.setattr(picture, "words_shown", lambda _: [])
    monkeypatch.setattr(indexer.extractors, "extract", extract)
    last = asked(indexer, ball(200, (255, 140, 20)), tmp_path)
    assert last.picture_words == ""
    assert last.hits[0].title == "IMG_2001.png"
    assert not last.weak


def test_files_like_a_photo_are_those_that_look_like_it(indexer: Indexer) -> None:
    path = next(r.path for r in indexer.index.ledger.files() if r.path.endswith("2001.png"))
    answer = indexer.ports.search.similar(path)
    assert {hit.title for hit in answer.hits} == {"IMG_2002.png"}
    assert answer.hits[0].lanes == ("sight",)
    assert (answer.coverage.pictures, answer.coverage.looked_at) == (2, 2)


def test_an_answer_says_how_many_pictures_it_could_compare(
    indexer: Indexer, tmp_path: Path
) -> None:
    looks = indexer.index.looks
    path = next(r.path for r in indexer.index.ledger.files() if r.path.endswith("2001.png"))
    indexer.pause()
    try:
        looks.delete(looks.contents())  # as in an index from before there were looks
        for answer in (
            asked(indexer, ball(260, (240, 120, 40)), tmp_path),
            indexer.ports.search.similar(path),
        ):
            assert (answer.coverage.pictures, answer.coverage.looked_at) == (2, 0)
            assert not answer.coverage.complete
            assert answer.coverage.message == "0 of 2 pictures are looked at so far."
    finally:
        indexer.resume()
    until(lambda: indexer.index.looking.counts() == (2, 2))
    last = asked(indexer, ball(260, (240, 120, 40)), tmp_path)
    assert last.coverage.complete
    assert "sight" in last.hits[0].lanes


def test_where_looks_are_damaged_text_answers_and_passages_are_left_alone(
    indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(*_: object, **__: object) -> None:
        raise StoreDamagedError("How pictures look can't be read.")

    path = next(r.path for r in indexer.index.ledger.files() if r.path.endswith("2002.png"))
    monkeypatch.setattr(Looks, "nearest", torn)
    answer = indexer.ports.search.similar(path)
    assert "boats.md" in {hit.title for hit in answer.hits}
    assert {hit.lanes for hit in answer.hits} == {("dense",)}
    assert not indexer.again


def test_where_looks_cannot_be_read_words_answer_and_it_is_said(
    indexer: Indexer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def torn(*_: object, **__: object) -> None:
        raise StoreBusyError("Too many files are open.")

    monkeypatch.setattr(Looks, "nearest", torn)
    last = asked(indexer, sign("timetable of the ferry"), tmp_path)
    assert {hit.title for hit in last.hits[:2]} == {"IMG_2002.png", "boats.md"}
    assert "Too many files are open." in last.coverage.message


def test_explained_with_a_picture(indexer: Indexer, tmp_path: Path) -> None:
    path = next(r.path for r in indexer.index.ledger.files() if r.path.endswith("2001.png"))
    ball(260, (240, 120, 40)).save(tmp_path / "asked.png")
    told = indexer.ports.search.explain(path, image=str(tmp_path / "asked.png"))["query"]
    assert told["sight"]["rank"] == 1
    assert told["shares"]["sight"] > 3.0
    assert told["signals"]["picture"] == 1.0


def test_without_the_network_and_without_text_no_file_is_the_answer(
    indexer: Indexer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(path: str, **_: object) -> Look:
        raise ExtractError("encoder", "The package with the model's weights is not installed.")

    def nothing(path: str, **_: object) -> tuple[Extraction, Path]:
        return Extraction("image", [Part("")]), tmp_path / "scratch"

    monkeypatch.setattr(indexer.extractors, "look", missing)
    monkeypatch.setattr(indexer.extractors, "extract", nothing)
    answer = asked(indexer, ball(200, (255, 140, 20)), tmp_path)
    assert not answer.hits
    assert "how pictures look is not compared" in answer.coverage.message
    assert answer.notices == (notice("no-sight"),)
    # Words typed with it answer alone.
    typed = asked(indexer, ball(200, (255, 140, 20)), tmp_path, "tomatoes")
    assert typed.hits[0].title == "garden.md"
    assert typed.notices == (notice("no-sight"),)
