"""A query picture asked of a model that does not see: by its words, and by what it shows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from indexer.reading.extract import picture
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


def test_another_picture_of_the_same_sort_finds_it(indexer: Indexer, tmp_path: Path) -> None:
    ball(260, (240, 120, 40)).save(tmp_path / "other.png")
    *_, last = indexer.ports.search.search("", image=str(tmp_path / "other.png"))
    assert last.hits[0].title == "IMG_2001.png"
    assert "ball" in last.picture_words
    assert "ball" in last.hits[0].snippet  # why it stands there


def test_words_in_a_picture_ask_too(indexer: Indexer, tmp_path: Path) -> None:
    sign("timetable of the ferry").save(tmp_path / "photo.png")
    *_, last = indexer.ports.search.search("", image=str(tmp_path / "photo.png"))
    assert {hit.title for hit in last.hits[:2]} == {"IMG_2002.png", "boats.md"}
    assert last.picture_words == "timetable of the ferry"


def test_of_a_picture_that_says_nothing_no_file_is_the_answer(
    indexer: Indexer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("RGB", (64, 64), "gray").save(tmp_path / "plain.png")
    monkeypatch.setattr(
        indexer.extractors,
        "extract",
        lambda path, **_: (_extracted(Path(path), tmp_path), tmp_path / "scratch"),
    )
    monkeypatch.setattr(picture, "words_shown", lambda _: [])
    (answer,) = indexer.ports.search.search("", image=str(tmp_path / "plain.png"))
    assert not answer.hits
    assert "does not see pictures" in answer.coverage.message


def _extracted(path: Path, place: Path) -> object:
    (place / "scratch").mkdir()
    return picture.extract_picture(path, picture.ExtractOptions(str(place / "scratch")))
