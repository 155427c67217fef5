"""The writing stage: order, what the store refuses, what waits, what is tidied."""

from __future__ import annotations

import errno
from typing import Any

import pytest

from engine import thumb_path
from engine.contract.errors import InklingError, StoreBusyError, StoreDamagedError
from indexer.indexing import write_stage
from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.write_stage import WRITING, WriteStage
from indexer.reading.work import facts_of
from tests.indexer.indexing.rig import Rig
from tests.waiting import until


class Panic(BaseException):
    """As a library written in Rust raises them."""


@pytest.fixture
def failures() -> RepeatedFailures:
    return RepeatedFailures()


@pytest.fixture
def heard() -> list[BaseException]:
    return []


@pytest.fixture
def stage(rig: Rig, failures: RepeatedFailures, heard: list[BaseException]) -> WriteStage:
    return WriteStage(
        rig.base,
        rig.engine,
        rig.ledger,
        rig.states,
        rig.queue,
        failures=failures,
        reword=lambda context, old, new: f"{context} from {new.rpartition('/')[2]}",
        on_error=heard.append,
        stop=rig.stop,
    )


def drain(stage: WriteStage, rig: Rig) -> None:
    for _ in range(50):
        stage.step()
        if not rig.queue.unsettled:
            return
    raise AssertionError("the queue does not empty")


def test_a_file_is_done_when_the_store_has_it(rig: Rig, stage: WriteStage) -> None:
    (record,) = rig.notes("a.md")
    rig.queue.put(rig.encoded(record, units=3))
    assert stage.step()
    kept = rig.record("a.md")
    assert (kept.state, kept.units, kept.extractor, kept.attempts) == ("done", 3, "markup", 0)
    assert kept.store_version == rig.engine.store.version
    assert len(rig.engine.store.file_rows(record.id)) == 3
    assert (rig.states.count, rig.queue.unsettled) == (0, 0)


class RemovesNothing:
    """LanceDB's table, whose disk fails whenever rows are removed from it."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        if name == "delete":
            raise OSError(errno.EIO, "Input/output error")
        return getattr(self._table, name)


def test_a_file_that_became_shorter_is_done_only_when_its_old_end_is_gone(
    rig: Rig, stage: WriteStage, heard: list[BaseException]
) -> None:
    (record,) = rig.notes("a.md")
    rig.queue.put(rig.encoded(record, units=3))
    drain(stage, rig)
    rig.ledger.requeue([record.id])
    table = rig.engine.store._table
    raw, table._raw = table._raw, RemovesNothing(table._raw)
    seen: list[tuple[str, int]] = []

    def mend(error: BaseException) -> None:
        heard.append(error)
        table._raw = raw
        seen.append((rig.record("a.md").state, len(rig.engine.store.file_rows(record.id))))

    stage._on_error = mend
    rig.queue.put(rig.encoded(rig.record("a.md"), units=1))
    drain(stage, rig)
    assert [type(error) for error in heard] == [StoreBusyError]
    assert seen == [("pending", 3)]
    assert rig.record("a.md").state == "done"
    assert len(rig.engine.store.file_rows(record.id)) == 1


def test_the_one_that_is_refused_gets_its_reason_and_the_others_are_done(
    rig: Rig, stage: WriteStage, failures: RepeatedFailures
) -> None:
    records = rig.notes(*(f"{n}.md" for n in range(6)))
    rig.engine.twice = {records[3].id}
    for record in records:
        rig.queue.put(rig.encoded(record))
    for _ in records:
        stage.step()
    assert rig.queue.unsettled == 0  # in one go
    assert rig.states_by_name() == {
        **{f"{n}.md": "done" for n in (0, 1, 2, 4, 5)},
        "3.md": "refused",
    }
    assert "different ordinals" in rig.record("3.md").detail
    assert sorted(rig.engine.encoded) == sorted(record.id for record in records)
    assert rig.engine.store.file_ids() == {r.id for r in records} - {records[3].id}
    assert rig.states.count == 0
    assert failures.health() == []


def test_a_refused_file_alone_is_found_out_by_writing_something_else(
    rig: Rig, stage: WriteStage
) -> None:
    good, bad = rig.notes("good.md", "bad.md")
    rig.queue.put(rig.encoded(good))
    drain(stage, rig)
    rig.engine.twice = {bad.id}
    rig.queue.put(rig.encoded(bad))
    drain(stage, rig)
    assert rig.states_by_name() == {"good.md": "done", "bad.md": "refused"}


@pytest.mark.parametrize("error", [RuntimeError("lance is away"), Panic("poisoned lock")])
def test_a_store_that_takes_nothing_condemns_no_file(
    rig: Rig, stage: WriteStage, error: BaseException
) -> None:
    records = rig.notes("a.md", "b.md", "c.md")
    rig.engine.down = error
    for record in records:
        rig.queue.put(rig.encoded(record))
    for _ in range(4):
        with pytest.raises(type(error)):
            drain(stage, rig)
    assert set(rig.states_by_name().values()) == {"pending"}
    assert rig.states.count == 3
    rig.engine.down = None
    drain(stage, rig)
    assert set(rig.states_by_name().values()) == {"done"}
    assert len(rig.engine.encoded) == 3


def test_what_passes_is_waited_for(
    rig: Rig,
    stage: WriteStage,
    failures: RepeatedFailures,
    heard: list[BaseException],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(write_stage, "WRITE_AGAIN_SECONDS", 0.01)
    (record,) = rig.notes("a.md")
    full = InklingError("The disk is full.", hint="Free some space.")
    rig.engine.down = full
    said = []

    def hear(error: BaseException) -> None:
        heard.append(error)
        said.extend(failures.health())
        if len(heard) == 5:
            rig.engine.down = None

    stage._on_error = hear
    rig.queue.put(rig.encoded(record))
    drain(stage, rig)
    assert heard == [full] * 5
    assert said[-1] == {"level": "warning", "title": full.message, "hint": full.hint}
    assert rig.record("a.md").state == "done"
    assert failures.health() == []


def test_a_file_written_and_then_removed_does_not_come_back(rig: Rig, stage: WriteStage) -> None:
    first, second = rig.notes("a.md", "b.md")
    called = []
    rig.queue.put(rig.encoded(first))
    rig.queue.put(rig.encoded(second))
    rig.ledger.mark_removed([first.id])
    rig.queue.apply(removed=[first.id], then=lambda: called.append(rig.engine.store.file_ids()))
    drain(stage, rig)
    assert called == [{second.id}]


def test_rows_of_a_file_removed_while_it_was_read_leave_again(rig: Rig, stage: WriteStage) -> None:
    first, second = rig.notes("a.md", "b.md")
    works = [rig.encoded(first), rig.encoded(second)]
    done = rig.states.done

    def removed_meanwhile(*arguments: object) -> list[int]:
        rig.ledger.mark_removed([first.id])
        return done(*arguments)  # type: ignore[arg-type]

    rig.states.done = removed_meanwhile  # type: ignore[method-assign]
    for work in works:
        rig.queue.put(work)
    drain(stage, rig)
    assert rig.engine.store.file_ids() == {second.id}


def test_a_file_moved_while_it_was_read_is_stored_where_it_is(rig: Rig, stage: WriteStage) -> None:
    (record,) = rig.notes("a.md")
    rig.queue.put(rig.encoded(record))
    (rig.folder / "a.md").rename(rig.folder / "b.md")
    rig.scan()
    drain(stage, rig)
    assert rig.engine.store.places()[record.id][0] == str(rig.folder / "b.md")
    (row,) = rig.engine.store.file_rows(record.id)
    assert row.context == "old words from b.md"


def test_tidying_that_fails_stops_no_writing_and_is_said(
    rig: Rig, stage: WriteStage, failures: RepeatedFailures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_stage, "MAINTAIN_COMMITS", 1)
    monkeypatch.setattr("indexer.indexing.failures.FIRST_SECONDS", 0.0)
    rig.engine.untidy = Panic("a manifest of zeros")
    for record in rig.notes("a.md", "b.md", "c.md", "d.md"):
        rig.queue.put(rig.encoded(record))
        drain(stage, rig)
    assert set(rig.states_by_name().values()) == {"done"}
    (said,) = failures.health()
    assert said["title"].startswith(write_stage.MAINTENANCE)
    assert "a manifest of zeros" in said["hint"]


def test_a_change_that_always_fails_holds_up_nothing(
    rig: Rig, stage: WriteStage, failures: RepeatedFailures
) -> None:
    first, second = rig.notes("a.md", "b.md")
    rig.engine.down = ValueError("no such thing")
    called = []
    rig.queue.apply(removed=[first.id], then=lambda: called.append(1))
    for _ in range(write_stage.CHANGE_TRIES - 1):
        with pytest.raises(ValueError, match="no such thing"):
            stage.step()
    stage.step()
    assert called == [1]
    rig.engine.down = None
    rig.queue.put(rig.encoded(second))
    drain(stage, rig)
    assert rig.record("b.md").state == "done"
    assert WRITING


def test_files_are_gathered_until_there_are_rows_enough(
    rig: Rig, stage: WriteStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_stage, "COMMIT_SECONDS", 1e9)
    monkeypatch.setattr(write_stage, "COMMIT_ROWS", 4)
    first, second, third, unread = rig.notes("a.md", "b.md", "c.md", "d.md")
    rig.work(unread)  # another is on its way: it is waited for
    rig.queue.put(rig.encoded(first, units=2))
    assert not stage.step()
    assert not stage.step()
    rig.queue.put(rig.encoded(second, units=2))
    assert stage.step()
    assert rig.ledger.counts()["done"] == 2
    rig.queue.put(rig.encoded(third))
    assert not stage.step()
    rig.states.release(unread.id)  # nothing else comes: no reason to wait
    assert stage.step()
    versions = {rig.record(name).store_version for name in ("a.md", "b.md")}
    assert len(versions) == 1
    assert rig.record("c.md").store_version not in versions


def test_what_waits_to_be_taken_is_taken_before_a_commit(rig: Rig, stage: WriteStage) -> None:
    for record in rig.notes("a.md", "b.md"):
        rig.queue.put(rig.encoded(record))
    rig.states.release(*rig.states.in_flight)
    assert not stage.step()
    assert stage.step()
    assert len({record.store_version for record in rig.ledger.files()}) == 1


def test_a_file_waits_only_so_long_for_others(
    rig: Rig, stage: WriteStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long the stage had nothing to do before."""
    monkeypatch.setattr(write_stage, "COMMIT_SECONDS", 30.0)
    first, unread = rig.notes("a.md", "b.md")
    rig.work(unread)
    stage._since -= 1_000.0
    rig.queue.put(rig.encoded(first))
    assert not stage.step()
    stage._since -= 30.0
    assert stage.step()
    assert rig.record("a.md").state == "done"


def test_the_wait_is_that_of_the_first_file(
    rig: Rig, stage: WriteStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_stage, "COMMIT_SECONDS", 30.0)
    first, second, unread = rig.notes("a.md", "b.md", "c.md")
    rig.work(unread)
    rig.queue.put(rig.encoded(first))
    assert not stage.step()
    stage._since -= 30.0
    rig.queue.put(rig.encoded(second))
    assert stage.step()


def test_what_was_written_before_a_removal_is_removed(rig: Rig, stage: WriteStage) -> None:
    """Also where the ledger keeps the file: as one that is withheld."""
    first, unread = rig.notes("a.md", "b.md")
    rig.work(unread)
    rig.queue.put(rig.encoded(first))
    assert not stage.step()
    rig.queue.apply(removed=[first.id])
    assert stage.step()
    rig.states.release(unread.id)
    stage.step()
    assert rig.engine.store.file_ids() == set()


def test_damage_is_no_files_fault_and_keeps_what_waits(rig: Rig, stage: WriteStage) -> None:
    good, first, second = rig.notes("good.md", "a.md", "b.md")
    rig.queue.put(rig.encoded(good))
    drain(stage, rig)
    written = rig.engine.replace
    calls = []

    def damaged(files: dict[int, object]) -> int:
        calls.append(files)
        raise StoreDamagedError("The search index is damaged.")

    rig.engine.replace = damaged  # type: ignore[method-assign,assignment]
    for record in (first, second):
        rig.queue.put(rig.encoded(record))
    with pytest.raises(StoreDamagedError):
        drain(stage, rig)
    assert [len(files) for files in calls] == [2]  # it is not looked for by halves
    assert rig.states_by_name() == {"good.md": "done", "a.md": "pending", "b.md": "pending"}
    rig.engine.replace = written  # type: ignore[method-assign]
    drain(stage, rig)
    assert set(rig.states_by_name().values()) == {"done"}


def test_a_change_is_never_given_up_for_damage(rig: Rig, stage: WriteStage) -> None:
    (record,) = rig.notes("a.md")
    rig.queue.put(rig.encoded(record))
    drain(stage, rig)
    rig.engine.down = StoreDamagedError("The search index is damaged.")
    rig.queue.apply(removed=[record.id])
    for _ in range(write_stage.CHANGE_TRIES + 2):
        with pytest.raises(StoreDamagedError):
            stage.step()
    rig.engine.down = None
    drain(stage, rig)
    assert rig.engine.store.file_ids() == set()


def test_a_file_that_is_refused_when_it_is_read_again_keeps_the_rows_it_has(
    rig: Rig, stage: WriteStage
) -> None:
    rig.queue.put(rig.encoded(rig.notes("a.md")[0], units=2))
    drain(stage, rig)
    again = rig.record("a.md")
    rig.engine.twice = {again.id}
    rig.queue.put(rig.encoded(again))
    drain(stage, rig)
    assert rig.states_by_name() == {"a.md": "done"}
    assert len(rig.engine.store.file_rows(again.id)) == 2


def test_a_removed_file_leaves_no_pictures(rig: Rig, stage: WriteStage) -> None:
    gone, kept = rig.notes("a.md", "b.md")
    thumbs = [thumb_path(rig.base, gone.id, page) for page in (None, 3)]
    other = thumb_path(rig.base, kept.id, None)
    for thumb in (*thumbs, other):
        thumb.parent.mkdir(parents=True, exist_ok=True)
        thumb.write_bytes(b"webp")
    rig.queue.apply(removed=[gone.id])
    drain(stage, rig)
    assert [thumb.exists() for thumb in (*thumbs, other)] == [False, False, True]


def test_a_moved_file_that_moved_again_is_put_where_it_is_now(rig: Rig, stage: WriteStage) -> None:
    rig.queue.put(rig.encoded(rig.notes("a.md")[0]))
    drain(stage, rig)
    old = facts_of(rig.record("a.md"))
    (rig.folder / "a.md").rename(rig.folder / "b.md")
    rig.scan()
    rig.queue.apply(moved=[old])
    drain(stage, rig)
    assert rig.engine.store.places()[old.file_id][0] == str(rig.folder / "b.md")


def test_what_can_not_be_moved_is_read_again_and_the_others_are_moved(
    rig: Rig, stage: WriteStage
) -> None:
    for record in rig.notes("a.md", "b.md", "c.md"):
        rig.queue.put(rig.encoded(record))
    drain(stage, rig)
    for name in ("a.md", "b.md", "c.md"):
        (rig.folder / name).rename(rig.folder / f"moved {name}")
    rig.scan()
    rig.engine.immovable = {rig.record("moved b.md").id}
    rig.queue.apply(moved=[facts_of(record) for record in rig.ledger.files()])
    drain(stage, rig)
    assert rig.states_by_name() == {
        "moved a.md": "done",
        "moved b.md": "pending",
        "moved c.md": "done",
    }
    names = sorted(path.rpartition("/")[2] for path, _ in rig.engine.store.places().values())
    assert names == ["b.md", "moved a.md", "moved c.md"]


def test_tidying_rests_after_a_failure_and_is_due_after_enough_commits(
    rig: Rig, stage: WriteStage, failures: RepeatedFailures, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_stage, "MAINTAIN_COMMITS", 2)
    monkeypatch.setattr(write_stage, "REST_SECONDS", 1e9)
    tidied = list[int]()

    def maintain(*, force: bool = False) -> None:
        tidied.append(rig.ledger.counts()["done"])
        if len(tidied) == 1:
            raise OSError("the disk is full")

    rig.engine.maintain = maintain  # type: ignore[method-assign]
    records = rig.notes(*(f"{n}.md" for n in range(6)))
    for record in records[:4]:
        rig.queue.put(rig.encoded(record))
        drain(stage, rig)
    assert tidied == [2]  # and at the fourth it rests
    stage._maintain_after = 0.0
    for record in records[4:]:
        rig.queue.put(rig.encoded(record))
        drain(stage, rig)
    assert tidied == [2, 5]


def test_tidying_waits_until_nothing_is_in_work(
    rig: Rig, stage: WriteStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_stage, "REST_SECONDS", 0.0)
    tidied = []
    rig.engine.maintain = lambda *, force=False: tidied.append(force)  # type: ignore[method-assign]
    (record,) = rig.notes("a.md")
    assert rig.states.claim(record)
    stage.step()
    assert tidied == []
    rig.states.release(record.id)
    until(lambda: stage.step() or tidied)
