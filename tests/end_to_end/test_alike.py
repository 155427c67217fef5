"""Pictures that look alike, as typed and as scripts ask: real processes, real pixels."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.end_to_end.conftest import Inkling
from tests.scenes import cut, framed, saved, scene, smaller

pytestmark = pytest.mark.slow
PHOTOS = 6


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        scene(number).save(folder / f"IMG_{number}.jpg", quality=92)
    page = Image.new("RGB", (640, 300), "white")
    ImageDraw.Draw(page).text((40, 100), "Ferry timetable", "black", font_size=48)
    page.save(folder / "IMG_90.png")
    (folder / "ferry.md").write_text("The ferry leaves at nine.\n")
    return folder


def test_pictures_ask_by_their_look(inkling: Inkling, photos: Path, tmp_path: Path) -> None:
    inkling.ok("add", str(photos), "--wait")
    sight = inkling.json("status")["sight"]
    assert sight == {"pictures": PHOTOS + 1, "looked_at": PHOTOS + 1, "model": None}
    asked = tmp_path / "asked.jpg"
    for number, changed in enumerate(
        (
            cut(scene(0), 0.8, 0.1, 0.7),
            smaller(scene(1), 0.3),
            saved(scene(2), 15),
            framed(scene(3)),
        )
    ):
        changed.save(asked, quality=90)
        answer = inkling.json("search", "--image", str(asked))
        assert answer["hits"][0]["title"] == f"IMG_{number}.jpg"
        assert "sight" in answer["hits"][0]["lanes"]
        assert not answer["weak"]
        assert answer["coverage"]["looked_at"] == PHOTOS + 1
    # Turned by what EXIF says.
    exif = Image.Exif()
    exif[0x0112] = 6
    scene(4).rotate(90, expand=True).save(asked, exif=exif)
    photo = str(photos / "IMG_4.jpg")
    assert inkling.json("search", "--image", str(asked))["hits"][0]["path"] == photo
    told = inkling.json("explain", photo, "--image", str(asked))["query"]
    assert told["sight"]["rank"] == 1
    assert told["shares"]["sight"] > 5.0
    # Words typed with a picture.
    mixed = inkling.json("search", "ferry", "--image", str(asked))
    # The picture itself, then what holds the word before what is only alike, as far as a note's
    # words go; a sign of few words stands among the other scenes, which look much like this one.
    titles = [hit["title"] for hit in mixed["hits"]]
    assert titles[:2] == ["IMG_4.jpg", "ferry.md"]
    assert "IMG_90.png" in titles
    assert mixed["picture_words"] == ""
    only = inkling.json("search", "ext:md", "--image", str(asked))
    assert {hit["title"] for hit in only["hits"]} <= {"ferry.md"}


def test_files_like_a_photo_look_like_it(inkling: Inkling, photos: Path) -> None:
    saved(smaller(scene(5), 0.5), 60).save(photos / "holiday.jpg")
    (photos / "scene five.md").write_text("IMG 5 is a photo of a hill.\n")
    inkling.ok("add", str(photos), "--wait")
    by_command = inkling.json("similar", str(photos / "IMG_5.jpg"))
    assert by_command["hits"][0]["title"] == "holiday.jpg"
    assert by_command["hits"][0]["lanes"] == ["sight"]
    assert "scene five.md" not in {hit["title"] for hit in by_command["hits"]}
    by_call = inkling.client().similar(str(photos / "IMG_5.jpg"), 1)
    assert [hit["title"] for hit in by_call["hits"]] == ["holiday.jpg"]
