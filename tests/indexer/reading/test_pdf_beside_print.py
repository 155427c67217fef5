"""What hangs on a PDF's pages, and print that lies oddly in the file."""

from __future__ import annotations

import io
from pathlib import Path

import pymupdf  # noqa: TID253
import pytest
from PIL import Image, ImageDraw, ImageFont

from indexer.reading.extract import pdf_extras
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
    document.set_metadata({"author": "H. Lathom", "keywords": "dredging", "creator": "User"})
    extraction = read(document, tmp_path)
    text = extraction.parts[0].text
    assert [t for t in ("the rate is wrong", "check this", "mereworth") if t not in text] == []
    found = {part.symbol: (part.text, part.page) for part in extraction.parts[2:]}
    assert extraction.parts[1].text == "Author: H. Lathom\nKeywords: dredging"
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
