"""The encoding stage: files together, and the one that the model can't take by itself."""

from __future__ import annotations

import queue
from collections.abc import Callable, Sequence

import pytest

from engine.contract.errors import InklingError
from engine.contract.types import FileFacts, Unit
from engine.store import StoredUnit
from indexer.indexing.encode_stage import EncodeStage
from indexer.reading.work import Work
from tests.indexer.indexing.rig import Rig


@pytest.fixture
def inbox() -> queue.Queue[Work]:
    return queue.Queue()


@pytest.fixture
def stage(rig: Rig, inbox: queue.Queue[Work]) -> EncodeStage:
    return EncodeStage(
        rig.engine,
        rig.states,
        inbox,
        rig.queue,
        throttle=rig.throttle,
        unable=lambda: rig.engine.encoder_state == "failed",
        stop=rig.stop,
    )


def refusing(rig: Rig, file_id: int | None, error: BaseException) -> Callable[..., object]:
    """The engine's encode, which raises for one file, or for all."""
    encode = rig.engine.encode

    def refuse(units: Sequence[tuple[FileFacts, Unit]]) -> list[StoredUnit]:
        if file_id is None or any(facts.file_id == file_id for facts, _ in units):
            raise error
        return encode(units)

    return refuse


def handed_on(rig: Rig) -> list[Work]:
    found = []
    while (work := rig.queue.get(0.01)) is not None:
        assert isinstance(work, Work)
        found.append(work)
    return found


def test_every_file_gets_its_own_rows(
    rig: Rig, stage: EncodeStage, inbox: queue.Queue[Work]
) -> None:
    for number, record in enumerate(rig.notes("a.md", "b.md", "c.md"), start=1):
        inbox.put(rig.work(record, units=number * 90))
    while not inbox.empty():
        assert stage.step()
    for number, work in enumerate(handed_on(rig), start=1):
        assert len(work.stored) == number * 90
        assert [s.unit for s in work.stored] == work.units
    assert stage.encoded == 540


@pytest.mark.parametrize("error", [InklingError("It is too odd."), KeyError("a bug")])
def test_the_file_the_model_can_not_take_is_found(
    rig: Rig, stage: EncodeStage, inbox: queue.Queue[Work], error: Exception
) -> None:
    records = rig.notes("a.md", "b.md", "c.md")
    rig.engine.encode = refusing(rig, records[1].id, error)  # type: ignore[method-assign,assignment]
    for record in records:
        inbox.put(rig.work(record))
    stage.step()
    assert [work.record.id for work in handed_on(rig)] == [records[0].id, records[2].id]
    # Whoever kills workers at random must not condemn a good file: once more.
    assert rig.record("b.md").state == "pending"
    inbox.put(rig.work(rig.record("b.md")))
    if isinstance(error, KeyError):
        with pytest.raises(KeyError):
            stage.step()
    else:
        stage.step()
    assert (rig.record("b.md").state, rig.record("b.md").reason) == ("failed", "encoder")


def test_without_a_model_no_file_is_to_blame(
    rig: Rig, stage: EncodeStage, inbox: queue.Queue[Work]
) -> None:
    rig.engine.unable = True
    error = InklingError("There is not enough memory.", hint="Close something.")
    rig.engine.encode = refusing(rig, None, error)  # type: ignore[method-assign,assignment]
    for record in rig.notes("a.md", "b.md"):
        inbox.put(rig.work(record))
    stage.step()
    assert {(r.state, r.attempts) for r in rig.ledger.files()} == {("pending", 0)}
    assert rig.throttle.reason_to_wait() == error.message
    assert rig.states.count == 0


def test_a_row_too_few_never_shifts_rows_to_another_file(
    rig: Rig, stage: EncodeStage, inbox: queue.Queue[Work]
) -> None:
    encode = rig.engine.encode
    rig.engine.encode = lambda units: encode(units)[1:]  # type: ignore[method-assign]
    for record in rig.notes("a.md", "b.md"):
        inbox.put(rig.work(record, units=2))
    with pytest.raises(ValueError, match="rows were made"):
        stage.step()
    assert handed_on(rig) == []


def test_its_pictures_are_removed(rig: Rig, stage: EncodeStage, inbox: queue.Queue[Work]) -> None:
    (record,) = rig.notes("a.md")
    work = rig.work(record)
    work.scratch = rig.base.scratch / "pictures"
    work.scratch.mkdir()
    inbox.put(work)
    stage.step()
    assert not work.scratch.exists()


def test_half_a_file_is_not_handed_on_at_the_end(
    rig: Rig, stage: EncodeStage, inbox: queue.Queue[Work]
) -> None:
    (record,) = rig.notes("a.md")
    inbox.put(rig.work(record, units=3))
    rig.stop.set()
    assert not stage.step()
    assert handed_on(rig) == []


def test_what_ends_with_the_process_condemns_no_file(
    rig: Rig, stage: EncodeStage, inbox: queue.Queue[Work]
) -> None:
    """Not even one that was begun before: its worker was ended with it."""
    (record,) = rig.notes("a.md")
    rig.work(record)
    rig.states.release(record.id)

    def ended(units: Sequence[tuple[FileFacts, Unit]]) -> list[StoredUnit]:
        rig.stop.set()
        raise InklingError("Inkling is stopping.")

    rig.engine.encode = ended  # type: ignore[method-assign]
    begun = rig.record("a.md")
    assert begun.attempts == 1
    inbox.put(rig.work(begun))
    stage.step()
    assert rig.states_by_name() == {"a.md": "pending"}
