"""Documents of older programs: what a library reads, what LibreOffice carries over, what is said
where neither does."""

from __future__ import annotations

import io
import shutil
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.reading.extract import kind_of, libreoffice, pick
from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions
from indexer.reading.pool import ExtractorPool
from indexer.reading.versions import reading_version
from indexer.reading.worker import read_file
from tests.indexer.reading.compound import Folder, compound

OLDER = Path(__file__).parent / "older"
RULES = "Bonfires are only allowed in Öctober after dusk."


def read(path: Path, data: bytes) -> Extraction:
    path.write_bytes(data)
    return read_file(path, ExtractOptions(str(path.parent), inner=read_file, ocr=False))


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ExtractorPool]:
    """LibreOffice is loaded by workers alone."""
    made = ExtractorPool(tmp_path_factory.mktemp("scratch"), 1)
    yield made
    made.close()


def texts(pool: ExtractorPool, path: Path) -> str:
    extraction, scratch = pool.extract(str(path), thumbs=False)
    shutil.rmtree(scratch)
    return "\n".join((*extraction.notes, *(part.text for part in extraction.parts)))


def reads_letters() -> bool:
    found = libreoffice._library()
    return found is not None and any(found.parent.glob("*swlo*"))


def test_a_workbook_from_before_2007(tmp_path: Path) -> None:
    [part] = read(tmp_path / "fees.xls", (OLDER / "fees.xls").read_bytes()).parts
    assert part.heading == ("Fees", "Lot, Keeper, Fee, Paid")
    assert part.text.split("\n")[1:] == [
        "Lot | Keeper | Fee | Paid",
        "12 | Ullock | 34.5 | 2024-05-06",
        "13 | Filey | 30 | 2",
    ]


def test_what_only_goes_by_the_name_of_a_workbook(tmp_path: Path) -> None:
    page = b"<html><body><table><tr><td>Lot</td><td>Ullock</td></tr></table></body></html>"
    assert "Ullock" in read(tmp_path / "page.xls", page).parts[0].text
    table = read(tmp_path / "table.xls", b"Lot\tKeeper\n12\tUllock\n").parts[0]
    assert table.text == "Lot | Keeper\n12 | Ullock"
    for damaged in ((OLDER / "fees.xls").read_bytes()[:3000], b"\xd0\xcf\x11\xe0" + bytes(600)):
        with pytest.raises(ExtractError) as error:
            read(tmp_path / "a.xls", damaged)
        assert error.value.reason == "broken"


def test_a_letter_of_word_by_libreoffice(pool: ExtractorPool, tmp_path: Path) -> None:
    letter = tmp_path / "rules.doc"
    shutil.copy(OLDER / "rules.doc", letter)
    together = tmp_path / "all.zip"
    with zipfile.ZipFile(together, "w") as archive:
        archive.write(letter, "old/rules.doc")
    if reads_letters():
        assert RULES in texts(pool, letter)
        assert "Gate | 4711" in texts(pool, letter)
        assert RULES in texts(pool, together)
        assert list(pool.scratch.glob("office-*"))
        pool.release()
        assert list(pool.scratch.iterdir()) == []
    else:
        with pytest.raises(ExtractError) as error:
            pool.extract(str(letter))
        assert error.value.reason == "needs-program"
        assert "LibreOffice" in error.value.detail
        assert "LibreOffice" in texts(pool, together)


def test_without_libreoffice_the_reason_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(libreoffice, "_library", lambda: None)
    for name in ("a.doc", "a.ppt", "a.wps"):
        with pytest.raises(ExtractError) as error:
            read(tmp_path / name, compound({"Contents": b"x"}))
        assert (error.value.reason, error.value.detail) == ("needs-program", "LibreOffice")
    mixed = io.BytesIO()
    with zipfile.ZipFile(mixed, "w") as archive:
        archive.writestr("a.doc", b"\xd0\xcf\x11\xe0 and more")
    [note] = read(tmp_path / "a.zip", mixed.getvalue()).notes
    assert note == "a.doc: Reading it takes a program that is not installed here (LibreOffice)."


def test_one_that_does_not_start_is_named_at_every_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "TMPDIR", "SAL_USE_VCLPLUGIN"):  # it sets them
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    library = tmp_path / "libmergedlo.so"
    library.write_bytes(b"no library")
    monkeypatch.setattr(libreoffice, "_library", lambda: library)
    libreoffice._started.cache_clear()
    for _ in range(2):
        with pytest.raises(ExtractError) as failed:
            libreoffice.converted(tmp_path / "a.doc", "docx", tmp_path)
        assert failed.value.reason == "needs-program"


def test_once_it_is_installed_its_files_are_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    row = pick(Path("a.doc"), b"")
    assert row is not None
    monkeypatch.setattr(libreoffice, "_library", lambda: None)
    before = reading_version(row)
    monkeypatch.setattr(libreoffice, "_library", lambda: Path("/usr/lib/libmergedlo.so"))
    assert reading_version(row) == before + 1


def test_documents_that_only_go_by_an_old_name(tmp_path: Path) -> None:
    rich = read(tmp_path / "a.doc", b"{\\rtf1\\ansi Boathouse key\\par}")
    assert rich.parts[0].text.strip() == "Boathouse key"
    page = read(tmp_path / "b.doc", b"<html><body><p>Ferry rota</p></body></html>")
    assert page.parts[0].text == "Ferry rota"
    locked = {"WordDocument": bytes(11) + b"\x01" + bytes(5000)}
    with pytest.raises(ExtractError) as error:
        read(tmp_path / "c.doc", compound(locked))
    assert error.value.reason == "encrypted"


def test_the_preview_in_documents_of_apple(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pymupdf

    monkeypatch.setattr(libreoffice, "_library", lambda: None)
    with pymupdf.open() as document:
        document.new_page().insert_text((72, 72), "Minutes of the harbour board")
        preview = document.tobytes()
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("Index/Document.iwa", b"x")
        archive.writestr("QuickLook/Preview.pdf", preview)
    extraction = read(tmp_path / "minutes.pages", data.getvalue())
    assert extraction.parts[0].text == "Minutes of the harbour board"
    assert extraction.notes == ["Only the preview in it is read. LibreOffice is not installed."]
    empty = io.BytesIO()
    with zipfile.ZipFile(empty, "w") as archive:
        archive.writestr("Index/Document.iwa", b"x")
    with pytest.raises(ExtractError) as error:
        read(tmp_path / "empty.numbers", empty.getvalue())
    assert error.value.reason == "needs-program"


def test_tables_of_numbers(tmp_path: Path) -> None:
    from numbers_parser import Document

    document = Document()
    sheet = document.sheets[0]
    sheet.name = "Fees"
    for row, cells in enumerate((("Keeper", "Fee"), ("Ullock orchard", 34))):
        for column, value in enumerate(cells):
            sheet.tables[0].write(row, column, value)
    path = tmp_path / "fees.numbers"
    document.save(str(path))
    [part] = read(path, path.read_bytes()).parts
    assert part.heading == ("Fees › Table 1", "Keeper, Fee")
    assert part.text.split("\n")[1:3] == ["Keeper | Fee", "Ullock orchard | 34"]


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def properties(head: int, **values: int) -> bytes:
    rows = (struct.pack("<IIq", int(tag[1:], 16), 6, value) for tag, value in values.items())
    return bytes(head) + b"".join(rows)


def message() -> Folder:
    sent = (1_772_445_600 + 11_644_473_600) * 10_000_000
    inner = {
        "__properties_version1.0": properties(24, p3FFD0003=1252),
        "__substg1.0_0037001E": b"Boathouse key",
        "__substg1.0_1000001E": "It hangs in the Küche.".encode("cp1252"),
    }
    return {
        "__properties_version1.0": properties(32, p00390040=sent),
        "__substg1.0_0037001F": wide("Ferry rota"),
        "__substg1.0_0C1A001F": wide("Jana Öhm"),
        "__substg1.0_5D01001F": wide("jana@example.org"),
        "__substg1.0_0E04001F": wide("Crew; Pilot"),
        "__substg1.0_1000001F": wide("Dear all,\r\nthe first ferry leaves at 6.\r\n"),
        "__attach_version1.0_#00000000": {
            "__properties_version1.0": properties(8),
            "__substg1.0_37010102": b"# Tides\nhigh water at noon" + bytes([10]) * 5000,
            "__substg1.0_3707001F": wide("tides.md"),
        },
        "__attach_version1.0_#00000001": {
            "__properties_version1.0": properties(8),
            "__substg1.0_3701000D": inner,
        },
    }


def test_a_message_of_outlook(tmp_path: Path) -> None:
    extraction = read(tmp_path / "a.msg", compound(message()))
    found = {part.symbol: part.text for part in extraction.parts}
    assert extraction.title == "Ferry rota"
    assert found[None].split("\n") == [
        "Subject: Ferry rota",
        "From: Jana Öhm <jana@example.org>",
        "To: Crew, Pilot",
        "Date: Mon, 02 Mar 2026 10:00:00 +0000",
        "Attached: tides.md",
        "",
        "Dear all,",
        "the first ferry leaves at 6.",
    ]
    assert found["tides.md"].startswith("# Tides\nhigh water at noon")
    assert found["Boathouse key"].endswith("It hangs in the Küche.")
    with pytest.raises(ExtractError) as error:
        read(tmp_path / "b.msg", compound(message())[:700])
    assert error.value.reason == "broken"


def test_a_message_of_outlook_in_markup_alone(tmp_path: Path) -> None:
    page = "<html><body>High water at <b>noon</b> in Å</body></html>".encode()
    only: Folder = {
        "__properties_version1.0": properties(32, p3FFD0003=65001),
        "__substg1.0_10130102": page,
    }
    [part] = read(tmp_path / "a.msg", compound(only)).parts
    assert part.text.strip() == "High water at noon in Å"


def test_a_key_that_is_none_of_apples(tmp_path: Path) -> None:
    note = read(tmp_path / "x.key", b"An essay on the key of C, without sharps or flats.")
    assert note.parts[0].text.startswith("An essay")


def test_names_tell_what_they_are() -> None:
    for name in ("a.doc", "a.xls", "a.ppt", "a.msg", "a.pages", "a.numbers", "a.wps"):
        assert kind_of(Path(name)) == "note"
    assert kind_of(Path("a.7z")) == kind_of(Path("a.rar")) == "archive"
