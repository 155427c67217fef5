"""Documents of many scanned pages: read a few at a time, none twice, across kills and models."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymupdf  # noqa: TID253 - makes what is read
import pytest
from PIL import Image, ImageDraw, ImageFont

from engine.contract.paths import BaseDir
from engine.contract.types import WITHHELD
from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.pipeline import Pipeline
from indexer.ledger.ledger import Ledger
from indexer.ledger.records import Found
from indexer.reading.extract.base import ExtractOptions, OcrPage
from indexer.reading.extract.picture import extract_picture
from indexer.reading.file_reader import FileReader
from indexer.reading.kept_pages import KeptPages
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import PagesRead, Work
from tests.indexer.indexing.rig import Rig
from tests.waiting import until

WORDS = ("Harbour", "Lantern", "Compass", "Anchor", "Rudder")
#: Reads as many pages as there is time for, which is one, and is killed before anybody is told.
KILLED = """
import os, sys
from pathlib import Path
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from indexer.ledger.ledger import Ledger
from indexer.reading.file_reader import FileReader
from indexer.reading.pool import ExtractorPool
base = BaseDir(Path(sys.argv[1]))
ledger = Ledger(base.ledger)
pool = ExtractorPool(base.scratch, 1, ocr_seconds=0.0)
[record] = ledger.files()
FileReader(base, ledger, pool, Settings.load(base), pixels=False).read(record)
os.kill(os.getpid(), 9)
"""


def page_of(word: str) -> Image.Image:
    image = Image.new("RGB", (420, 120), "white")
    ImageDraw.Draw(image).text((40, 30), word, "black", ImageFont.load_default(40))
    return image


def scan(path: Path) -> None:
    """A PDF of pictures, one word a page."""
    document = pymupdf.open()
    for word in WORDS:
        picture = path.with_suffix(".png")
        page_of(word).save(picture)
        page = document.new_page(width=210, height=60)
        page.insert_image(page.rect, filename=str(picture))
        picture.unlink()
    document.save(path)


class Counting(ExtractorPool):
    """Notes which pages were read by OCR, call by call."""

    calls: list[list[int]]

    def extract(self, path: str, **options: Any) -> Any:
        made = super().extract(path, **options)
        self.calls.append([page.page for page in made[0].ocr_pages])
        return made


@pytest.fixture
def slow(rig: Rig) -> Rig:
    """A rig whose readers have time for one page a call."""
    rig.extractors.close()
    rig.extractors = Counting(rig.base.scratch, 1, ocr_seconds=0.0)
    rig.extractors.calls = []
    scan(rig.folder / "log.pdf")
    rig.scan()
    return rig


def pipeline_of(rig: Rig) -> Pipeline:
    return Pipeline(
        rig.base,
        rig.ledger,
        rig.engine,
        rig.looks,
        rig.extractors,
        rig.settings,
        workers=1,
        throttle=rig.throttle,
        progress=rig.progress,
        failures=RepeatedFailures(),
        look=lambda path: None,
        on_damage=lambda error: None,
    )


def test_all_pages_are_read_none_twice_across_a_kill(slow: Rig) -> None:
    dead = subprocess.run([sys.executable, "-c", KILLED, str(slow.base.root)], check=False)
    assert dead.returncode == -signal.SIGKILL
    assert slow.ledger.recover() == []
    states = [slow.record("log.pdf")]
    told = slow.ledger.read_on

    def read_on(file_id: int, unread: int, detail: str) -> None:
        told(file_id, unread, detail)
        states.append(slow.record("log.pdf"))

    slow.ledger.read_on = read_on  # type: ignore[method-assign]
    pipeline = pipeline_of(slow)
    pipeline.start()
    try:
        until(lambda: slow.ledger.counts()["done"] == 1 and not pipeline.busy)
    finally:
        pipeline.stop()
    assert slow.extractors.calls == [[2], [3], [4], [5]]  # type: ignore[attr-defined]
    assert [(r.state, r.reason, r.detail) for r in states[1:]] == [
        ("pending", "partly-read", "3 of 5 pages read.")
    ]
    record = slow.record("log.pdf")
    assert (record.reason, record.detail, record.unread, record.units) == ("", "", 0, 5)
    assert [row.text for row in slow.engine.store.file_rows(record.id)] == [*WORDS]
    # After pages 2, 4 and 5: what is there is encoded anew only when it has about doubled.
    assert len(slow.engine.encoded) == 2 + 4 + 5


def test_another_model_reads_no_page_again(slow: Rig) -> None:
    reader = FileReader(slow.base, slow.ledger, slow.extractors, slow.settings, pixels=False)
    first = reader.read(slow.record("log.pdf"))
    assert isinstance(first, Work)
    assert (first.unread, first.detail) == (4, "1 of 5 pages read.")
    slow.ledger.finish([first.done], 1)
    # The other space gets it whole, and what was read for it does for the first one, too.
    whole = reader.read_again(slow.record("log.pdf"))
    assert [unit.text for unit in whole.units] == [*WORDS]
    assert reader.read_again(slow.record("log.pdf")).units == whole.units
    last = reader.read(slow.record("log.pdf"))
    assert isinstance(last, Work)
    assert last.unread == 0
    assert slow.extractors.calls == [[1], [2], [3], [4], [5], [], []]  # type: ignore[attr-defined]
    for work in (first, whole, last):
        work.drop_pictures()


def partly_read(ledger: Ledger, rig: Rig, *, units: int = 2) -> int:
    """A file of which two pages are still to be read."""
    [record] = rig.notes("a.md")
    work = rig.encoded(record, units)
    work.unread, work.notes = 2, "2 of 4 pages read."
    ledger.finish([work.done], rig.engine.replace({record.id: work.stored}))
    rig.states.release(record.id)
    return record.id


def test_what_is_left_of_a_file_waits_for_all_others(rig: Rig) -> None:
    partly_read(rig.ledger, rig)
    record = rig.record("a.md")
    assert (record.state, record.reason, record.unread) == ("pending", "partly-read", 2)
    assert rig.ledger.next_pending(9) == []
    assert rig.ledger.next_partly_read(9) == [record]
    assert rig.ledger.next_partly_read(9, {record.id}) == []
    assert rig.ledger.reasons() == {}


def test_a_touched_or_changed_file_does_not_pass_for_whole(rig: Rig) -> None:
    file_id = partly_read(rig.ledger, rig)
    rig.ledger.change_files([(file_id, Found(b"", 1, 2, 3, "note"))])
    record = rig.record("a.md")
    assert (record.unread, record.content_hash, record.reason) == (0, None, "")
    assert rig.ledger.next_pending(9) == [record]
    # And while it was being read.
    rig.ledger.begin([file_id])
    rig.ledger.change_files([(file_id, Found(b"", 1, 2, 3, "note"))])
    rig.ledger.read_on(file_id, 1, "3 of 4 pages read.")
    record = rig.record("a.md")
    assert (record.state, record.unread, record.reason, record.detail) == ("pending", 0, "", "")


def test_pages_that_cannot_be_read_cost_none_of_the_others(rig: Rig) -> None:
    file_id = partly_read(rig.ledger, rig)
    rig.ledger.begin([file_id])
    record = rig.record("a.md")
    assert rig.states.claim(record)
    rig.states.give_up(record, "crashed", "exit status 3")
    record = rig.record("a.md")
    assert (record.state, record.units, record.unread) == ("done", 2, 0)
    assert record.detail.startswith("2 of 4 pages read. The others can't be read: ")
    assert record.detail.endswith("(exit status 3)")


def test_pages_that_end_the_indexer_again_and_again_are_left(rig: Rig) -> None:
    file_id = partly_read(rig.ledger, rig)
    rig.ledger.recover(give_up_after=2)
    for _ in range(2):
        rig.ledger.begin([file_id])
    assert [r.id for r in rig.ledger.recover(give_up_after=2)] == [file_id]
    record = rig.record("a.md")
    assert (record.state, record.units, record.unread) == ("done", 2, 0)
    assert record.detail.startswith("2 of 4 pages read. ")


def test_a_removed_file_takes_its_pages_along(rig: Rig) -> None:
    kept = KeptPages(rig.base)
    kept.save(7, "x", [OcrPage(1, "Harbour")])
    assert kept.load(7, "x") == [OcrPage(1, "Harbour")]
    pipeline = pipeline_of(rig)
    pipeline.start()
    pipeline.apply(removed=[7])
    until(lambda: not pipeline.busy)
    pipeline.stop()
    assert list(rig.base.pages.iterdir()) == []


@pytest.mark.parametrize("damage", [b"", b"nonsense", None])
def test_pages_of_other_contents_or_damaged_ones_are_not_used(
    base: BaseDir, damage: bytes | None
) -> None:
    kept = KeptPages(base)
    kept.save(7, "old contents", [OcrPage(1, "Harbour")])
    if damage is not None:
        (base.pages / "7.pages").write_bytes(damage)
        assert kept.load(7, "old contents") == []
    else:
        assert kept.load(7, "new contents") == []
    assert list(base.pages.iterdir()) == []


def test_secrets_of_a_page_are_not_kept_on_disk(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "AKIAQYLPMN5HFIQR7XYA"
    saved: list[OcrPage] = []
    monkeypatch.setattr(KeptPages, "save", lambda self, i, edition, pages: saved.extend(pages))
    extract = rig.extractors.extract

    def of_one_page(path: str, **options: Any) -> Any:
        extraction, scratch = extract(path, **options)
        extraction.ocr_pages = [OcrPage(1, f"The key is\n{key} and the rest")]
        extraction.unread = 1
        return extraction, scratch

    monkeypatch.setattr(rig.extractors, "extract", of_one_page)
    reader = FileReader(rig.base, rig.ledger, rig.extractors, rig.settings, pixels=False)
    [record] = rig.notes("a.md")
    assert not isinstance(reader.read(record), PagesRead)
    assert saved == [OcrPage(1, f"The key is\n{WITHHELD} and the rest")]


def test_frames_are_read_on_and_shown_once(tmp_path: Path) -> None:
    frames = [page_of(word) for word in WORDS[:3]]
    frames[0].save(tmp_path / "fax.tiff", save_all=True, append_images=frames[1:])
    known: list[OcrPage] = []
    for count in (1, 2, 3):
        (scratch := tmp_path / f"scratch{count}").mkdir()
        options = ExtractOptions(str(scratch), ocr_pages=known, ocr_seconds=0.0)
        read = extract_picture(tmp_path / "fax.tiff", options)
        assert [part.text for part in read.parts] == [*WORDS[:count]]
        assert [page.page for page in read.ocr_pages] == [count]
        assert [part.thumb is not None for part in read.parts] == [False] * (count - 1) + [True]
        assert read.notes == ([f"{count} of 3 pages read."] if count < 3 else [])
        assert read.unread == 3 - count
        known += read.ocr_pages
    shutil.rmtree(scratch)
