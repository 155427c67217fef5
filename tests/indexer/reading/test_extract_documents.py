"""Documents made here by the libraries people's programs use, read by the extractors."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest

from indexer.reading.extract import EXTRACTORS, kind_of, pick
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions

ODF = "urn:oasis:names:tc:opendocument:xmlns:"


def read(path: Path) -> Extraction:
    row = pick(path, path.read_bytes()[:4096])
    assert row is not None
    return row.extract(path, ExtractOptions(scratch=str(path.parent)))


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def reason(path: Path) -> str:
    with pytest.raises(ExtractError) as caught:
        read(path)
    return caught.value.reason


def shape(extraction: Extraction) -> list[tuple[tuple[str, ...], tuple[int, int] | None]]:
    return [(part.heading, part.lines) for part in extraction.parts]


def package(path: Path, files: dict[str, str | bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


TITLE = '<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Tea book</dc:title></m>'


def opendocument(path: Path, body: str) -> Path:
    names = " ".join(f'xmlns:{n}="{ODF}{ns}:1.0"' for n, ns in
                     (("office", "office"), ("text", "text"), ("table", "table"),
                      ("draw", "drawing")))  # fmt: skip
    return package(path, {
        "content.xml": f"<office:document-content {names}><office:body>{body}</office:body>"
                       "</office:document-content>",
        "meta.xml": TITLE,
    })  # fmt: skip


def test_markdown_sections(tmp_path: Path) -> None:
    text = (
        "---\ntitle: 'Tea book'\ntags: [a]\n---\nBefore.\n\nGreen\n=====\nTwo minutes.\n\n"
        "## The [pot](x.md) `big`\n\n```sh\n# no heading\n```\n\n- item\n---\nRule, no heading.\n\n"
        "# Black #\nFour.\n"
    )
    extraction = read(written(tmp_path, "a.md", text))
    assert extraction.title == "Tea book"
    assert shape(extraction) == [
        ((), (2, 5)),
        (("Green",), (7, 9)),
        (("Green", "The pot big"), (11, 19)),
        (("Black",), (21, 22)),
    ]
    assert extraction.parts[2].text == "\n".join(text.split("\n")[10:19])


@pytest.mark.parametrize(
    ("name", "text", "headings"),
    [
        ("a.rst", "=====\nTitle\n=====\n\nintro\n\nOne\n---\n\ntext\n\nTwo\n---\n\nSub\n~~~\nx\n",
         [("Title",), ("Title", "One"), ("Title", "Two"), ("Title", "Two", "Sub")]),
        ("a.org", "#+TITLE: T\n* One :tag:\ntext\n** TODO Two\nx\n",
         [(), ("One",), ("One", "Two")]),
        ("a.adoc", "= Doc\n\nintro\n\n== One\nx\n", [("Doc",), ("Doc", "One")]),
        ("a.tex", "\\documentclass{a}\n\\section{One}\nt\n\\subsection*{Two}\nx\n",
         [(), ("One",), ("One", "Two")]),
        ("a.txt", "One line.\n\n# and no heading\n", [()]),
    ],
)  # fmt: skip
def test_other_markup(
    name: str, text: str, headings: list[tuple[str, ...]], tmp_path: Path
) -> None:
    assert [part.heading for part in read(written(tmp_path, name, text)).parts] == headings


def test_html_without_scripts_by_heading(tmp_path: Path) -> None:
    page = (
        "<html><head><title>My <i>page</title><style>s{}</style></head><body><!-- no -->"
        "<h1>Tea</h1><p>Steep it<br>two <b>min</b>utes.</p><script>bad()</script>"
        "<h2>Table</h2><table><tr><td>a</td><td>b</td></tr></table><pre>x\n  y</pre></body></html>"
    )
    extraction = read(written(tmp_path, "a.html", page))
    assert extraction.title == "My <i>page"
    assert [part.heading for part in extraction.parts] == [("Tea",), ("Tea", "Table")]
    assert extraction.parts[0].text == "Tea\n\nSteep it\ntwo minutes."
    assert extraction.parts[1].text == "Table\n\na | b\n\nx\n  y"


def test_html_in_its_declared_encoding(tmp_path: Path) -> None:
    page = '<html><meta charset="iso-8859-5"><p>Чайник</p></html>'.encode("iso-8859-5")
    assert "Чайник" in read(written(tmp_path, "a.htm", page)).parts[0].text


def test_docx(tmp_path: Path) -> None:
    from docx import Document

    document = Document()
    document.core_properties.title = "Rent"
    document.add_heading("Contract", 0)
    document.add_paragraph("Between us.")
    document.add_heading("Deposit", 1)
    table = document.add_table(1, 2)
    table.cell(0, 0).text, table.cell(0, 1).text = "Key", "20 €"
    document.save(str(tmp_path / "a.docx"))
    extraction = read(tmp_path / "a.docx")
    assert extraction.title == "Rent"
    assert [part.heading for part in extraction.parts] == [("Contract",), ("Contract", "Deposit")]
    assert "Key | 20 €" in extraction.parts[1].text


def test_pptx_slide_by_slide(tmp_path: Path) -> None:
    from pptx import Presentation

    deck = Presentation()
    slide = deck.slides.add_slide(deck.slide_layouts[1])
    slide.shapes.title.text = "Budget"
    slide.placeholders[1].text = "More tea"
    slide.notes_slide.notes_text_frame.text = "Smile."
    deck.slides.add_slide(deck.slide_layouts[6])
    deck.slides.add_slide(deck.slide_layouts[5]).shapes.title.text = "Road map"
    deck.save(str(tmp_path / "a.pptx"))
    extraction = read(tmp_path / "a.pptx")
    assert extraction.attributes == {"pages": 3}
    assert [(p.page, p.heading) for p in extraction.parts] == [(1, ("Budget",)), (3, ("Road map",))]
    assert extraction.parts[0].text == "Budget\nMore tea\nSmile."


def test_xlsx_rows_know_their_header(tmp_path: Path) -> None:
    from openpyxl import Workbook

    from indexer.reading.chunking import units_of

    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Sales"
    sheet.append(["Region", "Month", "Amount"])
    for number in range(200):
        sheet.append(["North", f"2024-{number % 12 + 1:02}", number * 2.0])
    book.create_sheet("Empty")
    book.save(tmp_path / "a.xlsx")
    extraction = read(tmp_path / "a.xlsx")
    [part] = extraction.parts
    assert part.heading == ("Sales", "Region, Month, Amount")
    assert part.text.split("\n")[2] == "North | 2024-02 | 2"
    units = units_of(extraction, 1, str(tmp_path / "a.xlsx"), str(tmp_path))
    assert len(units) > 3
    assert all("Region, Month, Amount" in unit.context for unit in units)


def test_csv_keeps_its_lines(tmp_path: Path) -> None:
    rows = "\n".join(f"Anna {n};Ulm;{n}" for n in range(50))
    [part] = read(written(tmp_path, "a.csv", f"name;city;amount\n{rows}\n")).parts
    assert part.heading == ("name, city, amount",)
    assert part.lines == (1, 51)
    assert part.text.split("\n")[10] == "Anna 9 | Ulm | 9"
    assert csv.field_size_limit() >= 1 << 17  # as Python has it: tables of others are not cut


def test_opendocument(tmp_path: Path) -> None:
    text = opendocument(tmp_path / "a.odt", (
        '<office:text><text:h text:outline-level="1">Pots</text:h><text:p>One <text:span>big'
        '</text:span><text:s text:c="2"/>pot.<text:line-break/>Two.</text:p><table:table>'
        "<table:table-row><table:table-cell><text:p>c1</text:p></table:table-cell>"
        '<table:table-cell table:number-columns-repeated="900000"/></table:table-row>'
        "</table:table></office:text>"))  # fmt: skip
    extraction = read(text)
    assert extraction.title == "Tea book"
    assert [part.heading for part in extraction.parts] == [("Pots",)]
    assert extraction.parts[0].text == "Pots\n\nOne big pot.\nTwo.\n\nc1"
    slides = opendocument(tmp_path / "a.odp", (
        "<office:presentation><draw:page><text:p>One</text:p></draw:page>"
        "<draw:page><text:p>Two</text:p></draw:page></office:presentation>"))  # fmt: skip
    assert [(part.page, part.text) for part in read(slides).parts] == [(1, "One"), (2, "Two")]
    sheet = opendocument(tmp_path / "a.ods", (
        '<office:spreadsheet><table:table table:name="T"><table:table-row>'
        "<table:table-cell><text:p>Name</text:p></table:table-cell>"
        "<table:table-cell><text:p>City</text:p></table:table-cell></table:table-row>"
        '<table:table-row table:number-rows-repeated="1000000"><table:table-cell/>'
        "</table:table-row></table:table></office:spreadsheet>"))  # fmt: skip
    assert [part.heading for part in read(sheet).parts] == [("T", "Name, City")]


def test_epub_in_the_order_of_its_spine(tmp_path: Path) -> None:
    container = '<c xmlns="urn:x"><rootfiles><rootfile full-path="O/b.opf"/></rootfiles></c>'
    book = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata>'
        '<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">Pots</dc:title>'
        '<dc:creator xmlns:dc="http://purl.org/dc/elements/1.1/">Ada</dc:creator></metadata><manifest>'
        '<item id="n" href="notes.xhtml" media-type="application/xhtml+xml"/>'
        '<item id="a" href="a.xhtml"/><item id="b" href="t/b%20c.xhtml"/></manifest>'
        '<spine><itemref idref="b"/><itemref idref="a"/></spine></package>'
    )
    path = package(tmp_path / "a.epub", {
        "META-INF/container.xml": container,
        "O/b.opf": book,
        "O/a.xhtml": '<?xml version="1.0" encoding="utf-8"?><html><h1>A</h1><p>last</p></html>',
        "O/notes.xhtml": "<html><h1>Notes</h1><p>beside</p></html>",
        "O/t/b c.xhtml": "<html><h1>B</h1><p>first</p></html>",
    })  # fmt: skip
    extraction = read(path)
    assert extraction.title == "Pots"
    assert [part.text for part in extraction.parts] == [
        "B\n\nfirst\n\nAuthor: Ada", "A\n\nlast", "Notes\n\nbeside",
    ]  # fmt: skip


def message() -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = "Grüße", "Anna <a@example.org>", "b@example.org"
    mail.set_content("Hällo, die Rechnung.")
    mail.add_alternative("<p>html</p>", subtype="html")
    mail.add_attachment(b"x", maintype="application", subtype="pdf", filename="rechnung.pdf")
    return mail


def test_mail(tmp_path: Path) -> None:
    extraction = read(written(tmp_path, "a.eml", bytes(message())))
    assert extraction.title == "Grüße"
    text = extraction.parts[0].text
    assert "From: Anna <a@example.org>" in text
    assert "Attached: rechnung.pdf" in text
    assert text.endswith("Hällo, die Rechnung.")
    mailbox = b"".join(b"From x\n" + bytes(message()) + b"\n\n" for _ in range(3))
    assert len(read(written(tmp_path, "a.mbox", mailbox)).parts) == 3


def test_notebook(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Tea\n", "prose"]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": ["1\n"]}]},
        {"cell_type": "markdown", "source": "## Pots"},
    ]
    extraction = read(written(tmp_path, "a.ipynb", json.dumps({"cells": cells})))
    assert [(part.heading, part.text) for part in extraction.parts] == [
        (("Tea",), "# Tea\nprose"),
        (("Tea",), "print(1)\n1"),
        (("Tea", "Pots"), "## Pots"),
    ]
    assert extraction.kind == "code"
    assert reason(written(tmp_path, "b.ipynb", "[1, 2]")) == "broken"


def test_rtf(tmp_path: Path) -> None:
    source = r"{\rtf1\ansi\ansicpg1252 {\b Hello} w\'f6rld\par Second\par}"
    assert read(written(tmp_path, "a.rtf", source)).parts[0].text == "Hello wörld\n\nSecond"
    source = (
        r"{\rtf1\ansi{\info{\title Le\'e7on}}{\header Top\par}One{\footnote note} two"
        r"{\*\annotation why}\par{\footerf End}}"
    )
    again = read(written(tmp_path, "c.rtf", source))
    assert again.title == "Leçon"
    assert again.parts[0].text.split() == ["Top", "One", "note", "two", "why", "End"]
    assert reason(written(tmp_path, "b.rtf", "no")) == "broken"


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.xlsx", "a.odt", "a.ods", "a.epub"])
def test_packages_that_are_none(name: str, tmp_path: Path) -> None:
    assert reason(written(tmp_path, name, b"PK\x03\x04 not really")) == "broken"
    assert reason(written(tmp_path, name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" * 9)) == "encrypted"


@pytest.mark.parametrize("name", ["a.docx", "a.xlsx", "a.odt", "a.epub"])
def test_bombs(name: str, tmp_path: Path) -> None:
    path = package(tmp_path / name, {"content.xml": b"\0" * 120_000_000})
    assert path.stat().st_size < 500_000
    assert reason(path) == "too-complex"


def test_entities_are_not_expanded(tmp_path: Path) -> None:
    secret = written(tmp_path, "secret", "secret")
    text = f'<d xmlns:text="{ODF}text:1.0"><text:p>start &e; end</text:p></d>'
    outside = f'<!DOCTYPE d [<!ENTITY e SYSTEM "{secret.as_uri()}">]>{text}'
    extraction = read(package(tmp_path / "a.odt", {"content.xml": outside}))
    assert "start" in extraction.parts[0].text
    assert "secret" not in extraction.parts[0].text
    ten = (f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<!DOCTYPE d [<!ENTITY e0 "boom">{"".join(ten)}]>{text.replace("&e;", "&e9;")}'
    assert reason(package(tmp_path / "b.odt", {"content.xml": bomb})) == "broken"


def test_a_cell_with_a_line_break_has_no_lines(tmp_path: Path) -> None:
    [part] = read(written(tmp_path, "a.csv", 'name,note\nAnna,"two\nlines"\nBo,one\n')).parts
    assert part.lines is None
    assert "Bo | one" in part.text


def test_an_encrypted_package(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("content.xml", "<a/>")
    raw = bytearray(data.getvalue())
    raw[6] |= 1  # the flag in the local header, and in the table of contents
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    assert reason(written(tmp_path, "a.odt", bytes(raw))) == "encrypted"


def test_pick_by_name_then_by_content() -> None:
    def named(name: str, head: bytes = b"") -> str | None:
        row = pick(Path(name), head)
        return row.name if row else None

    assert named("A.PDF") == "pdf"
    assert named("notes.TXT") == "text"
    assert named("page.txt", b"%PDF-1.7\n") == "pdf"
    assert named("picture.md", b"\x89PNG\r\n\x1a\n") == "picture"
    assert named("letter", "Liebe Ada, grüße".encode()) == "text"
    assert named("page", b"<!DOCTYPE html><p>") == "html"
    assert named("data.unknown", bytes(range(256))) is None
    assert named("archive.kdbx", b"plain text in disguise") is None
    assert named("Makefile") == "code"


def test_the_table() -> None:
    assert kind_of(Path("Screenshot 2024-01-02.png")) == "screenshot"
    assert [kind_of(Path(name)) for name in ("a.jpg", "a.pdf", "a.py", "a.docx", "a.zip")] == [
        "image", "pdf", "code", "note", "archive",
    ]  # fmt: skip
    names = [row.name for row in EXTRACTORS]
    assert len(names) == len(set(names))
    assert [row.name for row in EXTRACTORS if not row.reads] == []
    assert all(ext == ext.lower() and "." not in ext for r in EXTRACTORS for ext in r.extensions)


def test_who_wrote_it_stands_with_the_first_passage(tmp_path: Path) -> None:
    import docx
    import pptx

    document = docx.Document()
    document.add_heading("Dredging the harbour")
    document.add_paragraph("The silt is taken out in May.")
    document.add_heading("Costs")
    document.add_paragraph("They are shared.")
    document.core_properties.author = "Jane Dunmore"
    document.save(str(tmp_path / "a.docx"))
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[0])
    slide.shapes.title.text = "Dredging the harbour"
    slides.core_properties.author = "Jane Dunmore"
    slides.save(str(tmp_path / "a.pptx"))
    for name in ("a.docx", "a.pptx"):
        parts = read(tmp_path / name).parts
        holding = [part.text for part in parts if "Author: Jane Dunmore" in part.text]
        # By itself it was the passage nearest to every question for the document.
        assert holding == [parts[0].text]
        assert "harbour" in parts[0].text or "silt" in parts[0].text
