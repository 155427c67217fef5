"""What OCR reads, where it says each word stands, and in which order."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from indexer.reading.extract import ocr
from indexer.reading.extract.reading_order import in_reading_order


def drawn(lines: dict[tuple[int, int], str], size: tuple[int, int] = (640, 240)) -> Image.Image:
    image = Image.new("RGB", size, "white")
    font = ImageFont.load_default(22)
    for at, text in lines.items():
        ImageDraw.Draw(image).text(at, text, "black", font)
    return image


def pixels(image: Image.Image) -> NDArray[np.uint8]:
    return np.asarray(image)


def test_reads_words_and_boxes_them() -> None:
    image = drawn({(40, 30): "Invoice number 4711", (40, 150): "Total amount"})
    text, words = ocr.as_text(ocr.read(pixels(image)))
    assert text == "Invoice number 4711\nTotal amount"
    boxes = {text[word.start : word.end]: word.box for word in words}
    assert list(boxes) == ["Invoice", "number", "4711", "Total", "amount"]
    x0, y0, x1, y1 = boxes["4711"]
    ink = np.argwhere(pixels(image)[int(y0 * 240) : int(y1 * 240)].min(axis=2) < 128)
    assert 0.9 < x1 * 640 / ink[:, 1].max() < 1.1  # the last word ends where the ink ends
    assert boxes["number"][2] <= x0 + 0.02
    assert boxes["Invoice"][3] < boxes["Total"][1]


def test_upside_down_page_is_read() -> None:
    rows = {(40, 20 + 50 * n): f"Paragraph line number {n} of the scan" for n in range(6)}
    image = drawn(rows, (640, 340)).rotate(180)
    text, _ = ocr.as_text(ocr.read(pixels(image)))
    assert "Paragraph line number 3 of the scan" in text


def test_very_long_screenshot_is_read_to_its_end() -> None:
    image = drawn({(40, 40): "At the very top", (40, 4000): "At the very bottom"}, (600, 4100))
    lines = ocr.read(pixels(image))
    assert [line.text for line in lines] == ["At the very top", "At the very bottom"]
    assert lines[1].box[1] == pytest.approx(4000 / 4100, abs=0.01)


def test_picture_without_text() -> None:
    assert ocr.read(np.full((90, 200, 3), 200, np.uint8)) == []
    assert ocr.read(np.zeros((1, 1, 3), np.uint8)) == []


@pytest.mark.parametrize("long", [1999, 2001, 5000, 12345])
def test_slices_answer_for_every_pixel_once(long: int) -> None:
    owners = np.zeros(long, int)
    for start, end, core_start, core_end in ocr._slices(long, 500):
        assert 0 <= start < end <= long
        owners[max(core_start, start) : min(core_end, end)] += 1
    assert (owners == 1).all()


def test_batches_hold_every_crop_once() -> None:
    widths = [10, 3000, 96, 97, 500, 8, 8, 8]
    seen = sorted(n for batch, _ in ocr._batches(widths) for n in batch)
    assert seen == list(range(8))
    assert all(padded >= widths[n] for batch, padded in ocr._batches(widths) for n in batch)


def line(text: str, x0: float, y0: float, x1: float) -> ocr.Line:
    return ocr.Line(text, (x0, y0, x1, y0 + 0.02), 1.0, tuple(0.5 for _ in text))


def test_columns_of_prose_are_read_one_after_the_other() -> None:
    title = [line("title", 0.1, 0.02, 0.9)]
    left = [line(f"l{n}", 0.05, 0.1 + n * 0.03, 0.47) for n in range(8)]
    right = [line(f"r{n}", 0.53, 0.1 + n * 0.03, 0.95) for n in range(8)]
    mixed = [item for pair in zip(right, left, strict=True) for item in pair]
    read = [item.text for item in in_reading_order([*mixed, *title])]
    assert read == [item.text for item in [*title, *left, *right]]


def test_tables_are_read_by_the_row() -> None:
    names = [line(f"name{n}", 0.05, 0.1 + n * 0.03, 0.05 + 0.02 * (2 + n % 7)) for n in range(8)]
    values = [line(f"{n}", 0.7 + 0.01 * n, 0.1 + n * 0.03, 0.72 + 0.01 * n) for n in range(8)]
    read = [item.text for item in in_reading_order([*names, *values])]
    assert read[:4] == ["name0", "0", "name1", "1"]


def test_characters_of_scripts_without_spaces_have_boxes_of_their_own() -> None:
    text = "検索 ok"
    found = ocr.Line(text, (0.0, 0.0, 1.0, 1.0), 1.0, tuple((n + 0.5) / 5 for n in range(5)))
    _, words = ocr.as_text([found])
    assert [text[word.start : word.end] for word in words] == ["検", "索", "ok"]
    assert words[0].box == pytest.approx((0.0, 0.0, 0.2, 1.0))
