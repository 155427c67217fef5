"""Letters set as bitmaps, as old TeX does: words stay whole although their font tells no size."""

from __future__ import annotations

from pathlib import Path

import pytest

from indexer.reading.extract.pdf_kerning import unbroken
from indexer.reading.extract.pdf_text import page_text

PIXEL = 0.24  # points: the font's size, as dvips tells it
WIDTH = 23  # pixels of every letter
SPACE = 15
LINES = (
    "the en|tropy of a do|cumen|t is mea|sured in bits p|er letter",
    "Hu\x0bman co|ding of the \x0crst t|w|o \x0cles is e\x0ecien|t here",
    "\x0f a co|deword has as man|y bits as its sym|b|ol needs",
)


def bitmapped(lines: tuple[str, ...], box: str) -> bytes:
    """A page of one Type 3 font; `|` stands for a kern of a pixel, `box` is what the font tells."""
    codes = sorted({ord(c) for c in "".join(lines)} - {ord("|"), ord(" ")})
    names = " ".join(f"{code} /c{code}" for code in codes)
    shown = []
    for row, line in enumerate(lines):
        parts = []
        for char in line:
            kern = {" ": -SPACE, "|": 1}.get(char)
            parts.append(f"<{ord(char):02x}>" if kern is None else str(kern * 1000))
        shown.append(f"1 0 0 1 72 {700 - 14 * row} Tm [{' '.join(parts)}] TJ")
    text = f"BT /F {PIXEL} Tf {' '.join(shown)} ET"
    glyph = f"{WIDTH} 0 0 0 20 20 d1 0 0 20 20 re f"
    made = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        " /Resources << /Font << /F 5 0 R >> >> >>",
        f"<< /Length {len(text)} >> stream\n{text}\nendstream",
        f"<< /Type /Font /Subtype /Type3 /FontMatrix [1 0 0 1 0 0] /FontBBox [{box}]"
        f" /FirstChar {codes[0]} /LastChar {codes[-1]}"
        f" /Widths [{' '.join([str(WIDTH)] * (codes[-1] - codes[0] + 1))}]"
        f" /Encoding << /Type /Encoding /Differences [{names}] >> /CharProcs <<"
        + " ".join(f"/c{code} 6 0 R" for code in codes) + " >> >>",
        f"<< /Length {len(glyph)} >> stream\n{glyph}\nendstream",
    ]  # fmt: skip
    objects = "\n".join(f"{n} 0 obj {body} endobj" for n, body in enumerate(made, 1))
    return f"%PDF-1.4\n{objects}\ntrailer << /Root 1 0 R >>\n".encode("latin-1")


@pytest.mark.parametrize("box", ["0 -8 40 40", "0 0 1 1", "0 0 0 0"])
def test_kerns_break_no_words(tmp_path: Path, box: str) -> None:
    import pymupdf

    path = tmp_path / "paper.pdf"
    path.write_bytes(bitmapped(LINES, box))
    with pymupdf.open(path) as document:
        text, words = page_text(document[0])
    assert " ".join(text.split()) == (
        "the entropy of a document is measured in bits per letter "
        "Huffman coding of the first two files is efficient here "
        "a codeword has as many bits as its symbol needs"
    )
    for word in words:
        x0, y0, x1, y1 = word.box
        assert x1 - x0 == pytest.approx((word.end - word.start) * WIDTH * PIXEL / 612, rel=0.7)
        assert 0.004 < y1 - y0 < 0.04


def test_cells_of_one_word_are_left_as_they_are() -> None:
    import pymupdf

    with pymupdf.open() as document:
        page = document.new_page()
        for row in range(12):
            for column in range(4):
                page.insert_text((60 + 120 * column, 80 + 30 * row), f"{row}{column}7", fontsize=9)
        words = page.get_text("words")
        assert len({word[5:7] for word in words}) > 0.6 * len(words)  # each is a line of its own
        assert unbroken(page, words, pymupdf.TEXTFLAGS_WORDS) is words
