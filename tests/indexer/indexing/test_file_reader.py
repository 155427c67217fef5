"""The file reader over real readers: what it tells of a file, and what keeps one out."""

from __future__ import annotations

import os

import pytest

from engine.contract.types import WITHHELD
from indexer.ledger.ledger import FileRecord
from indexer.ledger.records import Done
from indexer.reading import context
from indexer.reading.extract import pick
from indexer.reading.extract.base import ExtractError, tells_of_a_part
from indexer.reading.file_reader import FileReader
from indexer.reading.versions import reading_version
from indexer.reading.work import Work
from indexer.sources.contents import content_hash
from tests.indexer.indexing.rig import Rig

KEY = "AKIAQYLPMN5HFIQR7XYA"


@pytest.fixture
def reader(rig: Rig) -> FileReader:
    return FileReader(rig.base, rig.ledger, rig.extractors, rig.settings, pixels=False)


def written(rig: Rig, name: str, text: str) -> FileRecord:
    (rig.folder / name).write_text(text)
    rig.scan()
    return rig.record(name)


def test_a_file_is_read_with_its_units_and_who_read_it(rig: Rig, reader: FileReader) -> None:
    record = written(rig, "a.md", "# Harbour\n\nThe keeper counted ships.\n")
    work = reader.read(record)
    assert work is not None
    assert work.units[0].context.startswith("Harbour")
    row = pick(rig.folder / "a.md", b"")
    assert row is not None
    assert (work.extractor, work.reading_version) == (row.name, reading_version(row))
    assert work.content_hash == content_hash(record.path)
    assert work.facts.kind == "note"
    kept = rig.record("a.md")
    assert kept.attempts == 1
    assert [r.id for r in rig.ledger.in_flight()] == [record.id]


def test_a_file_read_in_part_says_so(rig: Rig, reader: FileReader) -> None:
    rig.settings.max_text = 1
    long = reader.read(written(rig, "long.txt", "The keeper counted ships. \n" * 40_000))
    short = reader.read(written(rig, "short.txt", "The keeper counted ships.\n"))
    assert isinstance(long, Work)
    assert isinstance(short, Work)
    assert "Only the first" in long.detail
    assert (long.done.partly, short.done.partly) == (True, False)


def test_a_picture_without_words_is_no_part() -> None:
    assert not tells_of_a_part("No text was found in the picture.")
    assert tells_of_a_part("Hebrew text (2 lines): no OCR model here reads it.")


def test_what_is_indexed_already_is_not_read_again_unless_better(
    rig: Rig, reader: FileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = written(rig, "a.md", "The keeper counted ships.\n")
    work = reader.read(record)
    assert work is not None
    rig.ledger.finish([Done(record.id, 1, work.content_hash, work.reading_version, "note")], 1)
    assert reader.read(rig.record("a.md")) is None
    assert rig.ledger.in_flight() == []
    monkeypatch.setattr(context, "VERSION", context.VERSION + 1)
    better = reader.read(rig.record("a.md"))
    assert better is not None
    assert better.reading_version > work.reading_version


def test_a_file_that_changes_while_it_is_read_does_not_pass_for_what_was_read(
    rig: Rig, reader: FileReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = written(rig, "a.md", "The keeper counted ships.\n")
    extract = rig.extractors.extract

    def changed_meanwhile(path: str, **options: bool) -> object:
        made = extract(path, **options)
        (rig.folder / "a.md").write_text("Something else altogether.\n")
        return made

    monkeypatch.setattr(rig.extractors, "extract", changed_meanwhile)
    work = reader.read(record)
    assert work is not None
    assert work.content_hash == ""


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("empty.md", "", "empty"),
        ("blank.md", " \n\n", "no-text"),
        ("key.md", f"{KEY}\n", "secret-content"),
        ("font.ttf", "not a font", "unsupported"),
    ],
)
def test_what_keeps_a_file_out(
    rig: Rig, reader: FileReader, name: str, text: str, reason: str
) -> None:
    with pytest.raises(ExtractError) as raised:
        reader.read(written(rig, name, text))
    assert raised.value.reason == reason
    assert os.listdir(rig.extractors.scratch) == []


@pytest.mark.parametrize(
    ("name", "text", "withheld"),
    [
        ("shadow", "The Shadow, a story about the Kiveton park\n", False),
        ("monkey.key", "Keynote? no: piano key notes for Harthill\n", False),
        ("shadow", "root:$6$abcdefgh$Qx1WvR7:19000:0:99999:7:::\nbin:*:19000::::::\n", True),
        ("api.key", "c2Vjcm V0c2VjcmV0 c2VjcmV0c2VjcmV0c2Vj cmV0c2VjcmV0\n", True),
        ("site.key", f"these are the words beside a key {KEY}\n", True),
    ],
)
def test_what_is_in_it_decides_where_a_name_is_doubtful(
    name: str, text: str, withheld: bool, rig: Rig, reader: FileReader
) -> None:
    record = written(rig, name, text)
    if not withheld:
        work = reader.read(record)
        assert work is not None
        assert work.units[0].text == text.strip()
        return
    with pytest.raises(ExtractError) as caught:
        reader.read(record)
    assert caught.value.reason == "secret-name"


def test_the_limits_of_the_settings(rig: Rig, reader: FileReader) -> None:
    record = written(rig, "a.md", "The keeper counted ships. " * 50_000)
    rig.settings.max_file_mb = 1
    with pytest.raises(ExtractError, match="too-large"):
        reader.read(record)
    rig.settings.max_file_mb = 2
    assert reader.read(record) is not None


def test_only_the_secret_is_withheld_and_a_person_may_allow_it(
    rig: Rig, reader: FileReader
) -> None:
    sentences = "\n\n".join(f"Paragraph {n} tells of the lighthouse." * 30 for n in range(4))
    record = written(rig, "a.md", f"{sentences}\n\n# Keys\n\n{KEY} opens the boathouse.\n")
    work = reader.read(record)
    assert isinstance(work, Work)
    assert not any(KEY in unit.text or KEY in unit.context for unit in work.units)
    assert f"{WITHHELD} opens the boathouse." in work.units[-1].text
    assert work.detail == "1 secret withheld: AWS Access Key"
    assert work.done.partly
    rig.ledger.allow([record.id])
    allowed = reader.read(rig.record("a.md"))
    assert isinstance(allowed, Work)
    assert any(KEY in unit.text for unit in allowed.units)
