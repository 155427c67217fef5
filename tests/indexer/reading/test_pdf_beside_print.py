"""What hangs on a PDF's pages, and print that lies oddly in the file."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pymupdf  # noqa: TID253
import pytest
from PIL import Image, ImageDraw, ImageFont

from indexer.reading.extract import ocr, pdf_extras, pdf_figures
from indexer.reading.extract.base import Extraction, ExtractOptions
from indexer.reading.worker import read_file


def read(document: pymupdf.Document, folder: Path, *, ocr: bool = False) -> Extraction:
    path = folder / "a.pdf"
    document.save(path)
    options = ExtractOptions(str(folder), ocr=ocr, thumbs=False, inner=read_file)
    return read_file(path, options)


def page_of(document: pymupdf.Document, *lines: tuple[float, float, str]) -> pymupdf.Page:
    page = document.new_page(width=595, height=842)
    for x, y, text in lines:
        page.insert_text((x, y), text, fontsize=11)
    return page


def test_remarks_fields_links_files_and_properties(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = page_of(document, (50, 80, "Registration form, to be filled in."))
    page.add_text_annot((50, 200), "the rate is wrong")
    page.add_highlight_annot(page.search_for("Registration")).set_info(content="check this")
    page.insert_link({
        "kind": pymupdf.LINK_URI, "from": pymupdf.Rect(50, 300, 90, 320),
        "uri": "https://docs.example/mereworth",
    })  # fmt: skip
    page.add_file_annot((300, 300), b"pinned words", "pinned.txt")
    document.embfile_add("invoice", b"<i>Nantwich</i>", filename="invoice.xml")
    document.set_metadata({"author": "H. Lathom", "keywords": "dredging", "creator": "TeX"})
    extraction = read(document, tmp_path)
    text = extraction.parts[0].text
    assert [t for t in ("the rate is wrong", "check this", "mereworth") if t not in text] == []
    found = {part.symbol: (part.text, part.page) for part in extraction.parts[1:]}
    # With the page: a passage of its own would be nearest to whatever is asked for the document.
    assert text.endswith("\n\nAuthor: H. Lathom\nKeywords: dredging")
    assert "TeX" not in text  # the program is nobody's name
    assert found["invoice.xml"] == ("<i>Nantwich</i>", None)
    assert found["pinned.txt"] == ("pinned words", None)


def test_columns_that_run_by_turns(tmp_path: Path) -> None:
    document = pymupdf.open()
    left = ["Left column starts", "goes on about", "the company of", "Saltfleet, whose report",
            "was published soon", "and then read"]  # fmt: skip
    right = ["Right column has", "another story of", "cheese in the", "upper valley with",
             "rennet from the", "market by canal"]  # fmt: skip
    writer = pymupdf.TextWriter(pymupdf.Rect(0, 0, 595, 842))
    page = page_of(document, (50, 60, "A heading that goes across both of the columns of the page"))
    for n, (one, two) in enumerate(zip(left, right, strict=True)):
        writer.append((50, 100 + 15 * n), one)
        writer.append((320, 100 + 15 * n), two)
    writer.write_text(page)
    text = read(document, tmp_path).parts[0].text
    assert "\n".join(left) in text
    assert "\n".join(right) in text


_PROSE = (
    "the company of Saltfleet whose report was published soon after and read by many people who"
    " found cheese in the upper valley market beside a canal"
)
_WORDS = _PROSE.split()


@pytest.mark.parametrize("order", ["by turns", "right first", "upwards", "none"])
@pytest.mark.parametrize("count", [2, 3])
def test_columns_in_whatever_order_the_file_has_them(
    count: int, order: str, tmp_path: Path
) -> None:
    rng = random.Random(4)
    columns = [
        [" ".join(rng.choices(_WORDS, k=9 // count)) + f" {c}{n}" for n in range(20)]
        for c in range(count)
    ]
    placed = [(c, n, line) for c, lines in enumerate(columns) for n, line in enumerate(lines)]
    keys = {
        "by turns": lambda at: (at[1], at[0]),
        "right first": lambda at: (-at[0], at[1]),
        "upwards": lambda at: (at[0], -at[1]),
        "none": lambda at: rng.random(),
    }
    document = pymupdf.open()
    page = page_of(document, (50, 60, "A heading that goes across all of the columns of the page"))
    for column, row, line in sorted(placed, key=keys[order]):
        page.insert_text((40 + 530 / count * column, 100 + 12 * row), line, fontsize=9)
    page.insert_text(
        (40, 800), "Notice below the columns, across them and in small print", fontsize=8
    )
    text = read(document, tmp_path).parts[0].text.replace("\n\n", "\n")
    assert [column[0] for column in columns if "\n".join(column) not in text] == []
    assert sorted(text.index(column[0]) for column in columns) == [
        text.index(column[0]) for column in columns
    ]


def test_a_table_is_read_by_rows(tmp_path: Path) -> None:
    document = pymupdf.open()
    rows = [(f"Income from sales of {n}", f"{n},400 {n}00 1,{n}00") for n in range(1, 9)]
    writer = pymupdf.TextWriter(pymupdf.Rect(0, 0, 595, 842))
    page = document.new_page(width=595, height=842)
    for n, (name, numbers) in enumerate(rows):
        writer.append((50, 100 + 15 * n), name)
        writer.append((320, 100 + 15 * n), numbers)
    writer.write_text(page)
    text = read(document, tmp_path).parts[0].text
    assert text.split("\n") == [f"{name} {numbers}" for name, numbers in rows]


def test_wide_bold_and_upright_print(tmp_path: Path) -> None:
    document = pymupdf.open()
    page = page_of(
        document, (50, 120, "Fake bold"), (50.4, 120, "Fake bold"), (50, 160, "A b c and d")
    )
    for place, letter in enumerate("KETTERING COUNCIL"):
        if letter != " ":
            page.insert_text((50 + 14 * place, 80), letter, fontsize=11)
    for place, letter in enumerate("縦書きの覚書"):
        page.insert_text((300, 300 + 14 * place), letter, fontsize=11, fontname="japan")
    text = read(document, tmp_path).parts[0].text
    assert "KETTERING COUNCIL" in text
    assert text.count("Fake bold") == 1
    assert "A b c and d" in text
    assert "縦書きの覚書" in text


@pytest.mark.parametrize(
    ("apart", "line", "words"),
    [
        (12, "Kettering Council", "Kettering Council"),
        (
            0,
            "Minutes of the K e t t e r i n g   C o u n c i l, 12 May",
            "the Kettering Council, 12",
        ),
        (0, "I N V O I C E   N o .   4 7 1 1", "INVOICE No. 4711"),
    ],
)
def test_letters_set_apart_are_words(apart: int, line: str, words: str, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = page_of(document, (50, 80, "x"))
    font = page.get_fonts()[0][4]
    drawing = f"BT /{font} 12 Tf {apart} Tc 50 700 Td ({line}) Tj ET"
    document.update_stream(page.get_contents()[0], drawing.encode())
    assert words in read(document, tmp_path).parts[0].text


def png(picture: Image.Image) -> bytes:
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize("turned", [0, 90])
def test_words_of_a_chart_among_print_are_read_where_they_stand(
    turned: int, tmp_path: Path
) -> None:
    chart = Image.new("RGB", (700, 300), "white")
    font = ImageFont.load_default(26)
    ImageDraw.Draw(chart).text((150, 20), "Herring landings", fill="black", font=font)
    ImageDraw.Draw(chart).rectangle((100, 120, 200, 290), fill="navy")
    document = pymupdf.open()
    lines = ((50, 60 + 14 * n, " ".join(_WORDS[n : n + 10])) for n in range(12))
    page = page_of(document, *lines)
    page.insert_image((60, 300, 410, 450), stream=png(chart))
    page.set_rotation(turned)
    part = read(document, tmp_path, ocr=True).parts[0]
    assert part.text.endswith("\nHerring landings")
    assert not part.ocr  # the page is print
    x0, y0, x1, y1 = part.words[-1].box
    across, down = (
        ((x0 + x1) / 2, (y0 + y1) / 2) if not turned else ((y0 + y1) / 2, 1 - (x0 + x1) / 2)
    )
    assert (across * 595, down * 842) == pytest.approx((205, 317), abs=12)


def test_pictures_without_words_are_looked_at_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_in_full: list[object] = []
    monkeypatch.setattr(ocr, "read", lambda pixels: read_in_full.append(pixels))
    document = pymupdf.open()
    page = page_of(document, *((50, 60 + 14 * n, " ".join(_WORDS[n : n + 10])) for n in range(12)))
    page.insert_image((60, 300, 460, 560), stream=png(Image.effect_noise((800, 520), 60)))
    assert len(read(document, tmp_path, ocr=True).parts) == 1
    assert read_in_full == []


def test_more_figures_than_there_is_time_for_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_figures, "FIGURE_SECONDS", 0.0)
    document = pymupdf.open()
    for number in range(3):
        lines = ((50, 60 + 14 * n, " ".join(_WORDS[n : n + 10])) for n in range(12))
        page = page_of(document, *lines)
        page.insert_image((60, 300, 260, 400), stream=png(scanned((400, 200 + number))))
    extraction = read(document, tmp_path, ocr=True)
    assert extraction.notes == ["Words in pictures on 2 pages were not read."]


def scanned(size: tuple[int, int] = (1000, 1400)) -> Image.Image:
    picture = Image.new("RGB", size, "white")
    font = ImageFont.load_default(40)
    draw = ImageDraw.Draw(picture)
    draw.text((80, 300), "The vicar reported that the roof", fill="black", font=font)
    draw.text((80, 400), "of Thurlaston church leaks again", fill="black", font=font)
    return picture


@pytest.mark.parametrize("strips", [1, 20])
def test_a_scan_with_a_notice_or_in_strips_is_read(strips: int, tmp_path: Path) -> None:
    document = pymupdf.open()
    page = document.new_page(width=595, height=842)
    picture, each = scanned(), 1400 // strips
    for strip in range(strips):
        data = io.BytesIO()
        picture.crop((0, each * strip, 1000, each * (strip + 1))).save(data, "PNG")
        height = 842 / strips
        page.insert_image((0, height * strip, 595, height * (strip + 1)), stream=data.getvalue())
    notice = "Downloaded by a licensed user for personal use only; no further distribution. "
    for line in range(1 if strips > 1 else 6):
        page.insert_text((30, 780 + 8 * line), notice[: 20 if strips > 1 else 99], fontsize=7)
    text = read(document, tmp_path, ocr=True).parts[0].text
    assert "Thurlaston church" in text
    assert notice[:10] in text


def test_attached_files_that_are_not_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_extras, "_MOST_FILES", 3)
    path = tmp_path / "a.pdf"
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "A page with enclosures and some words.")
        for number in range(4):
            document.embfile_add(f"{number}.txt", b"enclosure %d" % number)
        files = range(1, document.xref_length())
        kept = [n for n in files if document.xref_get_key(n, "Type")[1] == "/EmbeddedFile"]
        document.update_object(kept[1], "null")
        document.save(path)
    read = read_file(path, ExtractOptions(str(tmp_path), inner=read_file))
    texts = [part.text for part in read.parts]
    assert "enclosure 0" in texts
    assert "enclosure 2" in texts
    assert read.notes == [
        "Only the first 3 of 4 files attached to it are read.",
        "1.txt: The file is damaged or not what its name says.",
    ]
