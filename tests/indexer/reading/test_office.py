"""Office documents as other programs than our libraries write them: what a reader sees is read."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from indexer.reading.extract import pick
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions
from tests.indexer.reading.office_packages import office, relations, sheet, word, xml


def read(path: Path, characters: int = 4_000_000) -> Extraction:
    row = pick(path, path.read_bytes()[:4096])
    assert row is not None
    return row.extract(path, ExtractOptions(str(path.parent), characters=characters))


def said(path: Path) -> str:
    return "\n".join(part.text for part in read(path).parts)


def run(text: str) -> str:
    return f"<w:r><w:t>{text}</w:t></w:r>"


def paragraph(*inner: str) -> str:
    return f"<w:p>{''.join(inner)}</w:p>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (paragraph(run("pay "), f"<w:ins>{run('fresh ')}</w:ins>",
                   "<w:del><w:r><w:delText>stale</w:delText></w:r></w:del>", run("now")),
         "pay fresh now"),
        (f"<w:sdt><w:sdtPr/><w:sdtContent>{paragraph(run('block'))}</w:sdtContent></w:sdt>",
         "block"),
        (paragraph(f"<w:sdt><w:sdtContent>{run('inline')}</w:sdtContent></w:sdt>", run(" end")),
         "inline end"),
        (paragraph(run("Poster"), "<w:r><mc:AlternateContent><mc:Choice><w:drawing>"
                   f"<w:txbxContent>{paragraph(run('boxed'))}</w:txbxContent></w:drawing>"
                   f"</mc:Choice><mc:Fallback><w:txbxContent>{paragraph(run('boxed'))}"
                   "</w:txbxContent></mc:Fallback></mc:AlternateContent></w:r>"),
         "Poster\n\nboxed"),
        (paragraph(f"<w:fldSimple>{run('Ada')}</w:fldSimple>",
                   f"<w:smartTag>{run(' Ulm')}</w:smartTag>",
                   "<w:r><w:instrText>PAGE 1</w:instrText></w:r>"), "Ada Ulm"),
        (paragraph("<m:oMath><m:r><m:t>E=mc</m:t></m:r></m:oMath>"), "E=mc"),
        (paragraph(run("one"), "<w:r><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t></w:r>"),
         "one two\nthree"),
        (f"<w:tbl><w:tr><w:tc>{paragraph(run('out'))}<w:tbl><w:tr><w:tc>{paragraph(run('in'))}"
         f"</w:tc><w:tc>{paragraph(run('42'))}</w:tc></w:tr></w:tbl></w:tc></w:tr>"
         "<w:tr><w:trPr><w:del/></w:trPr><w:tc><w:p><w:r><w:t>gone</w:t></w:r></w:p></w:tc></w:tr>"
         "</w:tbl>", "out in | 42"),
        (paragraph("<m:oMath><m:f><m:num><m:r><m:t>a</m:t></m:r></m:num><m:den><m:r><m:t>b</m:t>"
                   "</m:r></m:den></m:f></m:oMath>"), "a/b"),
        (paragraph("<w:r><w:drawing><wp:docPr title='fig' descr='a kiln'/></w:drawing></w:r>"),
         "fig\n\na kiln"),
    ],
)  # fmt: skip
def test_word_body(body: str, expected: str, tmp_path: Path) -> None:
    assert said(word(tmp_path / "a.docx", body)) == expected
    assert said(word(tmp_path / "a.dotm", body, strict=True)) == expected


def test_word_notes_headers_and_headings(tmp_path: Path) -> None:
    body = (
        paragraph('<w:pPr><w:pStyle w:val="berschrift2"/></w:pPr>', run("Terms"))
        + paragraph(run("A claim"), '<w:r><w:footnoteReference w:id="7"/></w:r>',
                    '<w:r><w:commentReference w:id="3"/></w:r>')
        + paragraph(run("The end"))
    )  # fmt: skip
    others = {
        "styles.xml": (
            "styles",
            '<w:style w:styleId="berschrift2"><w:name w:val="heading 2"/></w:style>',
        ),
        "footnotes.xml": ("footnotes", f'<w:n w:id="7">{paragraph(run("a survey"))}</w:n>'),
        "comments.xml": ("comments", f'<w:n w:id="3">{paragraph(run("check it"))}</w:n>'),
        "header1.xml": ("header", paragraph(run("Letterhead"))),
        "header2.xml": ("header", paragraph(run("Letterhead"))),
        "NULL": ("image", ""),
    }
    [terms, around] = read(word(tmp_path / "a.docx", body, others)).parts
    assert terms.heading == ("Terms",)
    assert terms.text == "Terms\n\nA claim\n\na survey\n\ncheck it\n\nThe end"
    assert around.text == "Letterhead"


def test_slides(tmp_path: Path) -> None:
    shapes = (
        '<p:spTree><p:sp><p:nvPr><p:ph type="title"/></p:nvPr><p:txBody><a:p><a:r><a:t>Plan'
        "</a:t></a:r></a:p></p:txBody></p:sp><p:grpSp><p:grpSp><p:sp><p:txBody><a:p><a:t>inner"
        "</a:t></a:p></p:txBody></p:sp></p:grpSp></p:grpSp><p:graphicFrame><a:tbl><a:tr><a:tc>"
        "<a:txBody><a:p><a:t>k</a:t></a:p></a:txBody></a:tc><a:tc><a:txBody><a:p><a:t>v</a:t></a:p>"
        '</a:txBody></a:tc></a:tr></a:tbl></p:graphicFrame><p:graphicFrame><c:chart r:id="r1"/>'
        '</p:graphicFrame><p:graphicFrame><dgm:relIds r:dm="r2"/></p:graphicFrame><p:pic>'
        '<p:cNvPr descr="a map"/></p:pic></p:spTree>'
    )
    chart = (
        "<c:title><c:rich><a:p><a:t>Sales</a:t></a:p></c:rich></c:title><c:ser><c:tx><c:v>net</c:v></c:tx><c:strCache><c:pt>"
        "<c:v>North</c:v></c:pt></c:strCache><c:numCache><c:v>77</c:v></c:numCache></c:ser>"
    )
    others = {
        "slides/slide1.xml": ("slide", shapes),
        "slides/_rels/slide1.xml.rels": ("", ""),
    }
    path = office(tmp_path / "a.potx", "ppt/presentation.xml", '<p:sldId r:id="r1"/>', others)
    with zipfile.ZipFile(path, "a") as archive:
        kinds = {"../charts/c.xml": "chart", "../d.xml": "diagramData", "../n.xml": "notesSlide"}
        archive.writestr("ppt/slides/_rels/slide1.xml.rels", relations(kinds))
        archive.writestr("ppt/charts/c.xml", xml(chart))
        archive.writestr(
            "ppt/d.xml", xml("<dgm:pt><dgm:t><a:p><a:t>step</a:t></a:p></dgm:t></dgm:pt>")
        )
        number, words = (
            f"<p:sp><p:nvPr><p:ph {which}/></p:nvPr><p:txBody><a:p><a:t>{text}</a:t></a:p>"
            "</p:txBody></p:sp>"
            for which, text in (('type="sldNum"', "1"), ("idx='1'", "smile"))
        )
        words = words.replace("</a:p>", '<a:fld type="slidenum"><a:t>9</a:t></a:fld></a:p>')
        archive.writestr("ppt/n.xml", xml(number + words))
    [slide] = read(path).parts
    assert (slide.heading, slide.page) == (("Plan",), 1)
    assert slide.text == "Plan\ninner\nk | v\nSales\nnet\nNorth\nstep\na map\nsmile"


def test_sheets_cell_by_cell(tmp_path: Path) -> None:
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c>'
        '<c r="C1" t="inlineStr"><is><t>7</t></is></c></row>'
        '<row r="2"><c r="A2" s="1"><v>45000</v></c><c r="B2"><v>2.50</v></c>'
        '<c r="C2"><f>X("q")</f></c><c r="D2" t="b"><v>1</v></c>'
        '<c r="E2" s="2"><v>0.1275</v></c></row>'
        '<row r="1048576"><c r="XFD1048576" t="str"><v>far</v></c></row>'
    )
    others = {
        "SharedStrings.xml": ("sharedStrings", "<si><r><t>sha</t></r><r><t>red</t></r></si>"),
        "styles.xml": (
            "styles",
            '<fills><fill/></fills><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/>'
            '<xf numFmtId="10"/></cellXfs>',
        ),
    }
    path = sheet(tmp_path / "a.xltm", rows, others, '<definedName name="Deposit">A1</definedName>')
    with zipfile.ZipFile(path, "a") as archive:
        kinds = {"../comments1.xml": "comments", "../drawing.xml": "drawing"}
        archive.writestr("xl/worksheets/_rels/sheet1.xml.rels", relations(kinds))
        archive.writestr(
            "xl/comments1.xml", xml('<comment ref="B2"><text><t>why?</t></text></comment>')
        )
        archive.writestr("xl/drawing.xml", xml("<txBody><a:p><a:t>boxed</a:t></a:p></txBody>"))
    first, names = read(path).parts
    assert first.heading == ("Rent 2024",)
    assert first.text.split("\n") == [
        "Rent 2024", "shared |  | 7", "2023-03-15 | 2.5 | =X(\"q\") | True | 12.75%", "", "",
        " |  |  |  |  |  |  |  | far", "B2: why?", "boxed",
    ]  # fmt: skip
    assert names.text == "Deposit: A1"


def test_a_damaged_sheet_gives_what_is_before_the_damage(tmp_path: Path) -> None:
    rows = '<row><c t="str"><v>kept</v></c></row><row><c t="str"><v>lost'
    path = office(tmp_path / "a.xlsx", "xl/workbook.xml", '<sheet name="S" r:id="r1"/>', {
        "s.xml": ("worksheet", rows)})  # fmt: skip
    assert "kept" in said(path)


def test_a_budget_is_kept_and_said(tmp_path: Path) -> None:
    rows = "".join(f'<row><c t="str"><v>{n:09}</v></c></row>' for n in range(100))
    extraction = read(sheet(tmp_path / "a.xlsx", rows), characters=55)
    assert extraction.parts[0].text.endswith("000000005")
    assert extraction.notes == ["Only the first 6 rows of a table are indexed."]


def test_opendocument_in_one_file_of_xml(tmp_path: Path) -> None:
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "text", "meta")
    )
    path = tmp_path / "rules.fodt"
    path.write_text(
        f'<?xml version="1.0"?>\n<office:document {names} xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<office:meta><dc:title>Allotment rules</dc:title></office:meta><office:body><office:text>"
        '<text:h text:outline-level="1">Bonfires</text:h><text:p>Only after dusk, page '
        "<text:page-number>7</text:page-number>.</text:p></office:text></office:body></office:document>"
    )
    extraction = read(path)
    assert extraction.title == "Allotment rules"
    assert [part.text for part in extraction.parts] == ["Bonfires\n\nOnly after dusk, page ."]
    path.write_text("<office:document>")
    with pytest.raises(ExtractError):
        read(path)
