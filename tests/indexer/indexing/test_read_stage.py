"""The reading stage: what comes next, and what becomes of a file that can't be read."""

from __future__ import annotations

import os
import queue
from pathlib import Path

import pytest

from indexer.indexing import read_stage
from indexer.indexing.read_stage import ReadStage
from indexer.ledger.ledger import FileRecord
from indexer.ledger.records import Done
from indexer.reading.extract import pick
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader
from indexer.reading.versions import reading_version
from indexer.reading.work import Work
from indexer.sources.contents import content_hash
from tests.indexer.indexing.rig import Rig


@pytest.fixture
def out() -> queue.Queue[Work]:
    return queue.Queue()


@pytest.fixture
def looked() -> list[str]:
    return []


@pytest.fixture
def stage(rig: Rig, out: queue.Queue[Work], looked: list[str]) -> ReadStage:
    reader = FileReader(rig.base, rig.ledger, rig.extractors, rig.settings, pixels=False)
    return ReadStage(
        reader,
        rig.ledger,
        rig.states,
        rig.extractors,
        out,
        throttle=rig.throttle,
        progress=rig.progress,
        store_version=lambda: rig.engine.store.version,
        look=looked.append,
        stop=rig.stop,
        running=rig.running,
    )


def names(out: queue.Queue[Work]) -> list[str]:
    found = []
    while not out.empty():
        found.append(os.path.basename(out.get().record.path))
    return found


def test_the_newest_file_comes_first_and_is_read_whole(
    rig: Rig, stage: ReadStage, out: queue.Queue[Work]
) -> None:
    rig.notes("old.md", "new.md")
    assert stage.step(quick_first=False)
    assert stage.step(quick_first=False)
    work = out.get()
    assert work.record.id == rig.record("new.md").id
    assert "counted ships" in work.units[0].text
    assert (work.extractor, work.content_hash) == (
        "markdown", content_hash(str(rig.folder / "new.md")),
    )  # fmt: skip
    assert names(out) == ["old.md"]
    assert not stage.step(quick_first=False)
    assert rig.states.count == 2


def test_one_worker_leaves_the_slow_kinds_for_last(rig: Rig, stage: ReadStage) -> None:
    rig.notes("quick.md")
    rig.notes("slow.png", kind="image")
    assert os.path.basename(stage._look_ahead(quick_first=True)[-1].path) == "quick.md"
    newest = stage._look_ahead(quick_first=False)[-1]
    assert newest.kind in ("image", "note")
    rig.ledger.set_state(rig.record("quick.md").id, "skipped", "no-text")
    assert os.path.basename(stage._look_ahead(quick_first=True)[-1].path) == "slow.png"


def test_a_file_that_is_not_there_is_looked_for_and_not_blamed(
    rig: Rig, stage: ReadStage, looked: list[str]
) -> None:
    (record,) = rig.notes("a.md")
    (rig.folder / "a.md").unlink()
    assert stage.step(quick_first=False)
    assert looked == [record.path]
    kept = rig.record("a.md")
    assert (kept.state, kept.attempts) == ("pending", 0)
    assert not stage.step(quick_first=False)  # and left alone for a while
    assert looked == [record.path]


def test_a_drive_that_goes_while_its_file_is_read_costs_no_row(
    rig: Rig, stage: ReadStage, looked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.notes("a.md")

    def read(self: FileReader, record: FileRecord) -> Work:
        rig.folder.rename(rig.folder.with_name("unplugged"))
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(FileReader, "read", read)
    stage.step(quick_first=False)
    assert rig.states_by_name() == {"a.md": "pending"}
    assert len(looked) == 1


def test_a_bug_sets_its_file_aside_at_the_second_time(
    rig: Rig, stage: ReadStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.notes("a.md")

    def read(self: FileReader, record: FileRecord) -> Work:
        raise KeyError("a bug")

    monkeypatch.setattr(FileReader, "read", read)
    with pytest.raises(KeyError):
        stage.step(quick_first=False)
    assert rig.states_by_name() == {"a.md": "pending"}
    with pytest.raises(KeyError):
        stage.step(quick_first=False)
    kept = rig.record("a.md")
    assert (kept.state, kept.reason, rig.states.count) == ("failed", "crashed", 0)
    assert "a bug" in kept.detail


def finish(rig: Rig, *names: str, version: int | None = None) -> None:
    row = pick(Path("a.md"), b"")
    assert row is not None
    version = reading_version(row) if version is None else version
    for name in names:
        record = rig.record(name)
        digest = content_hash(record.path)
        rig.ledger.finish([Done(record.id, 1, digest, version, "note", extractor="markdown")], 1)


def test_what_could_be_read_better_waits_for_all_that_is_pending(
    rig: Rig, stage: ReadStage, out: queue.Queue[Work]
) -> None:
    rig.notes("pending.md", "better.md", "better still.md")
    finish(rig, "better.md", "better still.md", version=0)
    with rig.ledger.database.write() as connection:
        connection.execute("UPDATE files SET stale = 1 WHERE state = 'done'")
    for _ in range(3):
        assert stage.step(quick_first=False)
    assert names(out) == ["pending.md", "better still.md", "better.md"]
    assert rig.ledger.stale_count() == 2  # until they are written


@pytest.mark.parametrize(
    ("reason", "left"),
    [("broken", "done"), ("placeholder", "done"), ("secret-content", "secret-content")],
)
def test_a_file_that_can_not_be_read_better_stays_as_it_is_unless_it_must_go(
    rig: Rig, stage: ReadStage, monkeypatch: pytest.MonkeyPatch, reason: str, left: str
) -> None:
    rig.notes("a.md")
    finish(rig, "a.md")
    with rig.ledger.database.write() as connection:
        connection.execute("UPDATE files SET stale = 1")

    def read(self: FileReader, record: FileRecord) -> Work:
        raise ExtractError(reason)

    monkeypatch.setattr(FileReader, "read", read)
    assert stage.step(quick_first=False)
    assert rig.states_by_name() == {"a.md": left}
    assert rig.record("a.md").units == (1 if left == "done" else 0)
    assert rig.ledger.next_stale(1) == []
    assert rig.queue.unsettled == (0 if left == "done" else 1)


def test_a_touched_file_is_not_encoded(rig: Rig, stage: ReadStage, out: queue.Queue[Work]) -> None:
    rig.notes("a.md")
    finish(rig, "a.md")
    os.utime(rig.folder / "a.md")
    rig.scan()
    assert rig.record("a.md").state == "pending"
    assert stage.step(quick_first=False)
    assert (rig.record("a.md").state, out.empty(), rig.queue.unsettled) == ("done", True, 1)
    assert rig.states.count == 0


def test_a_pause_holds(rig: Rig, stage: ReadStage, out: queue.Queue[Work]) -> None:
    rig.notes("a.md")
    rig.running.clear()
    assert not stage.step(quick_first=False)
    rig.running.set()
    rig.settings.min_free_disk_gb = 1_000_000
    rig.throttle._looked = 0.0
    assert not stage.step(quick_first=False)
    assert out.empty()
    assert read_stage.AHEAD
    assert Path(rig.base.scratch).exists()
