"""PDFs: text with boxes, tables by the row, scans by OCR, and reasons for what can't be read."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pymupdf  # noqa: TID253 - a test of what it reads
import pytest
from PIL import Image, ImageDraw, ImageFont

from indexer.reading.extract.base import ExtractError, ExtractOptions
from indexer.reading.extract.pdf import extract_pdf
from indexer.reading.extract.pdf_text import is_garbled
from indexer.reading.extract.render import render


def saved(document: Any, path: Path, **how: Any) -> Path:
    document.save(path, **how)
    return path


@pytest.fixture
def options(tmp_path: Path) -> ExtractOptions:
    (tmp_path / "scratch").mkdir()
    return ExtractOptions(str(tmp_path / "scratch"))


def report() -> Any:
    document = pymupdf.open()
    first = document.new_page(width=400, height=600)
    first.insert_text((40, 60), "Annual Report", fontsize=30)
    first.insert_text((40, 120), "Revenue grew in all the regions that we looked at.", fontsize=9)
    second = document.new_page(width=400, height=600)
    for n, (name, value) in enumerate([("Cash", "5,794"), ("Goodwill", "9,764")]):
        second.insert_text((40, 100 + 20 * n), name, fontsize=10)
        second.insert_text((300, 100 + 20 * n), value, fontsize=10)
    document.set_toc([[1, "Results", 1], [2, "Balance sheet", 2]])
    return document


def test_pages_words_headings_and_title(tmp_path: Path, options: ExtractOptions) -> None:
    read = extract_pdf(saved(report(), tmp_path / "r.pdf"), options)
    assert (read.kind, read.attributes["pages"], read.title) == ("pdf", 2, "")
    assert read.big_line == "Annual Report"
    assert [part.page for part in read.parts] == [1, 2]
    assert [part.heading for part in read.parts] == [
        ("Results", "Annual Report"),
        ("Results", "Balance sheet"),
    ]
    assert read.parts[1].text.split("\n\n") == ["Cash 5,794", "Goodwill 9,764"]
    part = read.parts[1]
    word = next(w for w in part.words if part.text[w.start : w.end] == "9,764")
    assert word.box[0] == pytest.approx(300 / 400, abs=0.01)
    assert word.box[3] == pytest.approx(122 / 600, abs=0.01)
    with Image.open(Path(options.scratch) / str(read.parts[0].thumb)) as thumb:
        assert thumb.format == "WEBP"
        assert max(thumb.size) <= 512


def test_turned_page_has_its_boxes_where_they_are_seen(
    tmp_path: Path, options: ExtractOptions
) -> None:
    document = report()
    document[1].set_rotation(90)
    part = extract_pdf(saved(document, tmp_path / "r.pdf"), options).parts[1]
    word = next(w for w in part.words if part.text[w.start : w.end] == "Cash")
    assert word.box[0] == pytest.approx(1 - 102 / 600, abs=0.02)
    assert word.box[1] == pytest.approx(40 / 400, abs=0.02)


def test_word_broken_at_the_end_of_a_line_is_whole(tmp_path: Path, options: ExtractOptions) -> None:
    document = pymupdf.open()
    page = document.new_page()
    page.insert_text((72, 72), ["a log entry that is inde-", "pendently stored"], fontsize=11)
    part = extract_pdf(saved(document, tmp_path / "h.pdf"), options).parts[0]
    assert part.text == "a log entry that is independently stored"
    halves = [part.text[word.start : word.end] for word in part.words]
    assert halves[-3:] == ["inde", "pendently", "stored"]


def test_scanned_page_is_read_by_ocr(tmp_path: Path, options: ExtractOptions) -> None:
    image = Image.new("RGB", (800, 300), "white")
    ImageDraw.Draw(image).text((50, 80), "Rental agreement", "black", ImageFont.load_default(48))
    image.save(tmp_path / "scan.png")
    document = pymupdf.open()
    page = document.new_page(width=400, height=150)
    page.insert_image(page.rect, filename=str(tmp_path / "scan.png"))
    (part,) = extract_pdf(saved(document, tmp_path / "s.pdf"), options).parts
    assert part.text == "Rental agreement"
    assert part.ocr
    assert part.words[0].box[0] == pytest.approx(50 / 800, abs=0.02)


def test_reasons(tmp_path: Path, options: ExtractOptions) -> None:
    locked = saved(
        report(),
        tmp_path / "locked.pdf",
        encryption=pymupdf.PDF_ENCRYPT_AES_256,
        user_pw="secret",
        owner_pw="owner",
    )
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing of the kind")
    for path, reason in ((locked, "encrypted"), (tmp_path / "broken.pdf", "broken")):
        with pytest.raises(ExtractError) as caught:
            extract_pdf(path, options)
        assert caught.value.reason == reason


def test_pixels_for_encoders_that_see(tmp_path: Path, options: ExtractOptions) -> None:
    seeing = ExtractOptions(options.scratch, pixels=True, max_pixels=200_000)
    parts = extract_pdf(saved(report(), tmp_path / "r.pdf"), seeing).parts
    for part in parts:
        with Image.open(Path(options.scratch) / str(part.image)) as image:
            assert 150_000 < image.width * image.height <= 200_000


def test_render_gives_the_page_in_the_width_asked(tmp_path: Path) -> None:
    path = saved(report(), tmp_path / "r.pdf")
    assert render(path, 2, 800, tmp_path / "out.png")[0] == pytest.approx(800, abs=2)
    with Image.open(tmp_path / "out.png") as page:
        assert page.text["Pages"] == "2"  # type: ignore[attr-defined]
    with pytest.raises(ExtractError):
        render(path, 3, 800, tmp_path / "none.png")


def test_garbled_text_layer_is_told_from_text() -> None:
    assert is_garbled("¾;Z@|ZXr@[ym{t ^b j6^lkv4lt [{t=^l º1ZgZmj=| ¥Zj6[oabm {lt=@^ " * 5)
    assert not is_garbled("Cash and cash equivalents $ 5,794 $ 4,225 (see note 3) " * 5)
    assert not is_garbled("これは日本語の文章です。 検索 できます 。" * 20)


def test_no_model_is_loaded_to_read_a_page(tmp_path: Path) -> None:
    """Each reader would spend a second or two and 89 MB on what nothing asks for."""
    path = saved(report(), tmp_path / "a.pdf")
    code = (
        "import sys; from pathlib import Path\n"
        "from indexer.reading.extract.base import ExtractOptions\n"
        "from indexer.reading.extract.pdf import extract_pdf\n"
        "read = extract_pdf(Path(sys.argv[1]), ExtractOptions('', ocr=False, thumbs=False))\n"
        "print(read.title, len(read.parts), 'onnxruntime' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["2", "False"]
