"""The writing stage: order, what the store refuses, what waits, what is tidied."""

from __future__ import annotations

import pytest

from engine.contract.errors import InklingError
from indexer.indexing import write_stage
from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.write_stage import WRITING, WriteStage
from tests.indexer.indexing.rig import Rig


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


def test_the_one_that_is_refused_gets_its_reason_and_the_others_are_done(
    rig: Rig, stage: WriteStage, failures: RepeatedFailures
) -> None:
    records = rig.notes(*(f"{n}.md" for n in range(6)))
    rig.engine.twice = {records[3].id}
    for record in records:
        rig.queue.put(rig.encoded(record))
    drain(stage, rig)
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
