"""What OCR reads, where it says each word stands, and in which order."""

from __future__ import annotations

import numpy as np
import pymupdf  # noqa: TID253 - a font of many scripts comes with it
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
    text, words = ocr.as_text(ocr.read(pixels(image)).lines)
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
    text, _ = ocr.as_text(ocr.read(pixels(image)).lines)
    assert "Paragraph line number 3 of the scan" in text


def test_very_long_screenshot_is_read_to_its_end() -> None:
    image = drawn({(40, 40): "At the very top", (40, 4000): "At the very bottom"}, (600, 4100))
    lines = ocr.read(pixels(image)).lines
    assert [line.text for line in lines] == ["At the very top", "At the very bottom"]
    assert lines[1].box[1] == pytest.approx(4000 / 4100, abs=0.01)


def lonely(word: str, height: int) -> Image.Image:
    """One word on a sign before a blurred ground, in a picture much larger."""
    ground = np.random.default_rng(1).integers(60, 190, (26, 42, 3), dtype=np.uint8)
    image = Image.fromarray(ground).resize((1280, 832), Image.Resampling.BICUBIC)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(height)
    draw.rectangle((300, 262, 340 + draw.textlength(word, font), 297 + height), (240, 240, 230))
    draw.text((320, 277), word, (20, 20, 60), font)
    return image


@pytest.mark.parametrize(("word", "height"), [("Exit", 150), ("Exit", 300)])
def test_a_lonely_label_on_a_large_picture_is_read(word: str, height: int) -> None:
    (line,) = ocr.read(pixels(lonely(word, height))).lines
    assert line.text == word
    assert line.box[0] == pytest.approx(320 / 1280, abs=0.07)


def seen(text: str, box: tuple[float, ...], *, coarse: bool = False) -> ocr._Seen:
    x0, y0, x1, y1 = box
    quad = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]], np.float32)
    return ocr._Seen(quad, coarse, text, 0.95, (0.5,))


@pytest.mark.parametrize(
    ("fine", "coarse", "left"),
    [
        ([], "Exit", ["Exit"]),  # seen by the coarse look alone
        ([("E", (0, 0, 20, 40)), ("it", (60, 0, 100, 40))], "Exit", ["Exit"]),  # in pieces
        ([("Snooze", (25, 0, 100, 40))], "O Snooze", ["Snooze"]),  # an icon beside it
        ([("Exit now", (0, 0, 200, 40))], "Exit", ["Exit now"]),  # more of it
        ([("Exit", (0, 300, 100, 340))], "7", ["Exit"]),  # a ball elsewhere
    ],
)
def test_what_the_coarse_look_adds(
    fine: list[tuple[str, tuple[float, ...]]], coarse: str, left: list[str]
) -> None:
    found = [seen(text, box) for text, box in fine]
    kept = ocr.without_doubles([*found, seen(coarse, (0, 0, 100, 40), coarse=True)])
    assert [one.text for one in kept] == left


def test_picture_without_text() -> None:
    assert ocr.read(np.full((90, 200, 3), 200, np.uint8)) == ocr.Reading([])
    assert ocr.read(np.zeros((1, 1, 3), np.uint8)) == ocr.Reading([])


def written(text: str, size: int = 28) -> Image.Image:
    """Lines in whatever script."""
    document = pymupdf.open()
    page = document.new_page(width=700, height=60 + 60 * text.count("<br>") + 60)
    page.insert_htmlbox((30, 20, 690, page.rect.height), text, css=f"* {{font-size: {size}px}}")
    pixmap = page.get_pixmap()
    return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


@pytest.mark.parametrize(
    "text",
    [
        "Connection to the server failed<br>Żółć şifre ñandú α = 3",
        "Ошибка подключения к серверу<br>Попробуйте ещё раз",
        "Помилка з'єднання з базою даних",
        "Η συνεδρία έληξε<br>Σφάλμα σύνδεσης διακομιστή",
    ],
)
def test_latin_cyrillic_and_greek_are_read(text: str) -> None:
    reading = ocr.read(pixels(written(text)))
    said = set(" ".join(line.text for line in reading.lines).split())
    wanted = text.replace("<br>", " ").split()
    assert len(said.intersection(wanted)) >= 0.8 * len(wanted), said
    assert reading.illegible == ()


@pytest.mark.parametrize(
    ("script", "text"),
    [
        ("Hebrew", "שגיאה בחיבור למסד הנתונים"),
        ("Arabic", "فشل الاتصال بقاعدة البيانات"),
        ("Devanagari", "डेटाबेस कनेक्शन विफल हो गया"),
        ("Thai", "การเชื่อมต่อฐานข้อมูลล้มเหลว"),
        ("Georgian", "მონაცემთა ბაზასთან დაკავშირება"),
    ],
)
def test_the_script_of_what_it_can_not_read_is_told(script: str, text: str) -> None:
    assert ocr.read(pixels(written(text))).illegible == (script,)


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
