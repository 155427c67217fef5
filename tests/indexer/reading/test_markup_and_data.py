"""Pages, notes, notebooks, TeX and logs: every word that a person wrote, none cut by marks."""

from __future__ import annotations

import json
import plistlib
from pathlib import Path

import pytest

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions
from indexer.reading.worker import read_file


def read(path: Path, text: str, characters: int = 4_000_000) -> Extraction:
    path.write_text(text, encoding="utf-8")
    return read_file(path, ExtractOptions(str(path.parent), characters=characters, ocr=False))


def said(extraction: Extraction) -> str:
    return "\n".join(part.text for part in extraction.parts)


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.html", "<p>sta&shy;tion Eg<wbr>ton sta\u00adble", ["station Egton stable"]),
        ("a.html", '<head><meta name="description" content="crockery from Alston"></head>'
                   '<img alt="the kilns"><textarea>a draft</textarea><input value="typed">'
                   '<input type=hidden value="token"><svg><title>s</title><text>label</text>'
                   "<foreignObject><div>box</div></foreignObject></svg>",
         ["crockery from Alston", "the kilns", "a draft", "typed", "label", "box"]),
        ("a.md", "---\nclient: Castleton\nrelated:\n  - '[[Fryup Dale]]'\nisbn: 978-1-4028\n"
                 "weight: 60\n---\n# Log\nx\n", ["Castleton", "Fryup Dale", "978-1-4028"]),
        ("a.md", '+++\ntitle = "Tea"\nplace = "Danby"\n+++\n# Log\nx\n', ["Tea", "Danby"]),
        ("a.tex", r"\section{Schr\"odinger and Erd\H{o}s} na\"{\i}ve \v{S}koda {\ss} \O{}re",
         ["Schrödinger and Erdős", "naïve Škoda ß Øre"]),
        ("a.bib", r'@a{x, author={G{\"o}del, Kurt}, title={{\"U}ber S{\"a}tze \c{c}a}}',
         ["Gödel, Kurt", "Über Sätze ça"]),
        ("a.log", "\x1b[32mINFO\x1b[0m \x1b[1mThorn\x1b[0mholme \x1b]0;title\x07ok\x1b(B\n",
         ["INFO Thornholme ok"]),
        ("a.enex", "<en-export><note><title>Trip</title><content><![CDATA[<en-note>Puff<b>in</b> at"
                   " Spee&#116;on</en-note>]]></content></note></en-export>",
         ["Trip", "Puffin at Speeton"]),
        ("a.json", r'{"a": "Gr\u00f6\u00dfe", "b": "\ud83c\udf89 \u00c3\u00a4hnlich \\u00e4 \u0022"'
                   "}",
         ["Größe", "🎉 ähnlich", r"\\u00e4", r"\u0022"]),
        ("a.properties", r"town = K\u00f6ln", ["Köln"]),
        ("a.tex", r"\emph{x}y fi\-gu\-re {U}lm Mac{OS} \section{A}b",
         [r"\emph{x}y figure Ulm MacOS \section{A}b"]),
        ("b.html", "<template><p>later</p></template><object>instead</object>"
                   '<abbr title="in full">i.f.</abbr>', ["later", "instead", "in full"]),
        ("a.svg", '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="90"><title>Flow'
                  '</title><text x="9" y="40">of <tspan>Dere</tspan><tspan>ham</tspan></text>'
                  '<foreignObject width="9" height="9"><div xmlns="http://www.w3.org/1999/xhtml">'
                  "label</div></foreignObject></svg>", ["Flow", "of Dereham", "label"]),
    ],
)  # fmt: skip
def test_words(name: str, text: str, words: list[str], tmp_path: Path) -> None:
    found = said(read(tmp_path / name, text))
    assert [word for word in words if word not in found] == []
    assert not any(hidden in found for hidden in ("token", "60", "\x1b", "\u00ad"))


def test_what_a_cell_gave(tmp_path: Path) -> None:
    outputs = [
        {"output_type": "error", "ename": "ValueError", "evalue": "shapes",
         "traceback": ["\x1b[31mValueError\x1b[0m: not aligned"]},
        {"output_type": "execute_result", "data": {"text/html": ["<td>By</td>", "<td>land</td>"],
                                                   "text/plain": "<table object>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg><text>axis</text></svg>"}},
        {"output_type": "pyout", "html": "<b>be</b>fore", "text": "<object>"},
        {"output_type": "stream", "text": ["epoch\n"] * 5_000 + ["the end"]},
    ]  # fmt: skip
    cells = [{"cell_type": "code", "source": "run()", "outputs": outputs}]
    text = said(read(tmp_path / "a.ipynb", json.dumps({"cells": cells})))
    assert "ValueError: not aligned" in text
    assert "By | land\naxis\nbefore\n" in text
    assert text.endswith("the end")
    assert len(text) < 15_000


def test_a_list_of_apples_in_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.webloc"
    path.write_bytes(plistlib.dumps({"URL": "https://whelk.example"}, fmt=plistlib.FMT_BINARY))
    assert "https://whelk.example" in said(read_file(path, ExtractOptions(str(tmp_path))))
    path.write_bytes(b"bplist00nonsense")
    with pytest.raises(ExtractError, match="broken"):
        read_file(path, ExtractOptions(str(tmp_path)))


def test_the_end_of_a_log_is_read_first(tmp_path: Path) -> None:
    lines = [f"{n:07} all is well" for n in range(5_000)]
    extraction = read(tmp_path / "a.log", "\n".join(lines), 20_000)
    first, last = extraction.parts
    assert first.text.startswith("0000000")
    assert last.text.endswith("0004999 all is well")
    assert last.lines is not None
    assert lines[last.lines[0] - 1 : last.lines[1]] == last.text.split("\n")
    assert extraction.notes[0].startswith("Of 99,999 characters the first ")
    note = read(tmp_path / "b.txt", "\n".join(lines), 20_000)
    assert note.parts[0].text.startswith("0000000")
    assert "0004999" not in said(note)


def test_long_strings_are_not_minified_code(tmp_path: Path) -> None:
    icons = "".join(f'  i{n}: "{"M10 10h20v20 " * 40}",\n' for n in range(9))
    assert "drawn" in said(
        read(tmp_path / "a.js", f"const icons = {{\n{icons}}}\nfunction drawn() {{}}\n")
    )
    rows = ",".join(f"({n},'note {n}')" for n in range(400))
    assert "note 399" in said(read(tmp_path / "a.sql", f"INSERT INTO t VALUES {rows};\n" * 3))
    with pytest.raises(ExtractError) as caught:
        read(tmp_path / "b.js", "var a=function(b){return b+1};" * 200)
    assert caught.value.reason == "generated"
