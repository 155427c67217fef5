"""Documents read as a whole: assembled from units, encoded in one forward, by the real worker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.contract.paths import BaseDir
from engine.contract.types import FileFacts, Unit
from engine.encoders.documents import assemble
from engine.engine import Engine
from tests.engine.encoders.jina_tiny import tiny, tiny_engine

TEXT = "The first sentence is here. The second follows it. A third one ends the page."


def unit(ordinal: int, text: str, **more: object) -> Unit:
    return replace(Unit(1, ordinal, "note", text, context="Title › Part"), **more)  # type: ignore[arg-type]


def test_overlaps_are_there_once() -> None:
    units = [
        unit(0, "one two three"),
        unit(1, "two three four", overlap=9),
        unit(2, "five", context="Title › Other"),
    ]
    document = assemble(units)
    assert document.text == "one two three four\n\nfive"
    assert [document.text[a:b] for a, b in document.spans] == [u.text for u in units]
    assert document.context == "Title"


def test_what_was_withheld_is_not_there() -> None:
    units = [unit(0, "one two"), unit(2, "three four", overlap=4)]  # the second was withheld
    document = assemble(units)
    assert document.text == "one two\n\nthree four"
    assert [document.text[a:b] for a, b in document.spans] == ["one two", "three four"]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with tiny_engine(BaseDir(tmp_path_factory.mktemp("base")).create()) as made:
        yield made


def facts(path: str, kind: str = "note") -> FileFacts:
    return FileFacts(1, path, kind, None, "md", 0.0, 1)  # type: ignore[arg-type]


def test_units_of_a_file_are_read_together(engine: Engine) -> None:
    units = [unit(0, TEXT), unit(1, "A page of its own, about something else.")]
    stored = engine.encode([(facts("/a.md"), u) for u in units])
    whole = assemble(units)
    encoder = tiny()
    encoder.spec = engine.spec  # with the size that the engine stores
    expected = encoder.encode_chunks(whole.text, whole.spans, whole.context, "retrieval")
    for made, wanted in zip(stored, expected, strict=True):
        assert made.vector is not None
        assert np.abs(made.vector - wanted.single).max() < 2e-5
    # The second knows what stands before it; by itself it is another vector.
    [alone] = engine.encode([(facts("/a.md"), replace(units[1], ordinal=0))])
    assert alone.vector is not None
    assert stored[1].vector is not None
    assert float(alone.vector @ stored[1].vector) < 0.999


def test_token_places_are_the_units_own(engine: Engine) -> None:
    units = [unit(0, TEXT), unit(1, "here. The second follows", overlap=0)]
    for made in engine.encode([(facts("/a.md"), u) for u in units]):
        assert made.tokens is not None
        spans = made.tokens.spans
        assert spans is not None
        assert spans.min() >= 0
        assert spans.max() == len(made.unit.text)


def test_files_do_not_read_one_another(engine: Engine) -> None:
    one, two = unit(0, TEXT), replace(unit(0, "Quite another file."), file_id=2)
    together = engine.encode([(facts("/a.md"), one), (facts("/b.md"), two)])
    [alone] = engine.encode([(facts("/b.md"), two)])
    assert alone.vector is not None
    assert together[1].vector is not None
    assert float(alone.vector @ together[1].vector) > 0.9999


def test_pictures_say_how_they_were_seen(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "p.png"
    Image.new("RGB", (1400, 700), "white").save(path)
    picture = Unit(1, 0, "screenshot", "words", image=str(path))
    [made] = engine.encode([(facts("/p.png", "screenshot"), picture)])
    assert made.note == "seen at 756 × 364 pixels"  # of a processor's budget
    assert made.tokens is not None
    assert made.tokens.boxes is not None


def test_tiles_are_said(tmp_path: Path) -> None:
    screen = Image.new("RGB", (1600, 900), "white")
    draw = ImageDraw.Draw(screen)
    for y in range(20, 880, 18):
        draw.text((20, y), f"{y} a line of print on a screen that was taken " * 4, "black")
    path = tmp_path / "screen.png"
    screen.save(path)
    [seen] = tiny(max_pixels=602_112, tiles=6).encode_images([str(path)], "retrieval")
    assert seen.note == "seen at 1008 × 560 pixels and in 3 tiles"
