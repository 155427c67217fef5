"""The three stages together, over real files, readers, ledger and store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest

from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.pipeline import Pipeline
from tests.indexer.indexing.rig import Rig, SmallEngine
from tests.waiting import PATIENCE, until

Make = Callable[[], Pipeline]


@pytest.fixture
def failures() -> RepeatedFailures:
    return RepeatedFailures()


@pytest.fixture
def make(rig: Rig, failures: RepeatedFailures) -> Iterator[Make]:
    made: list[Pipeline] = []

    def pipeline() -> Pipeline:
        made.append(
            Pipeline(
                rig.base,
                rig.ledger,
                rig.engine,
                rig.looks,
                rig.extractors,
                rig.settings,
                workers=2,
                throttle=rig.throttle,
                progress=rig.progress,
                failures=failures,
                look=lambda path: None,
                on_damage=lambda error: None,
            )
        )
        return made[-1]

    yield pipeline
    for each in made:
        each.stop()


def test_a_poisoned_file_costs_its_neighbours_nothing(rig: Rig, make: Make) -> None:
    records = rig.notes(*(f"{n}.md" for n in range(6)))
    rig.engine.twice = {records[3].id}
    pipeline = make()
    pipeline.start()
    until(lambda: rig.ledger.counts()["pending"] == 0 and not pipeline.busy)
    assert rig.states_by_name() == {
        **{f"{n}.md": "done" for n in (0, 1, 2, 4, 5)},
        "3.md": "refused",
    }
    assert sorted(rig.engine.encoded) == sorted(record.id for record in records)
    assert pipeline.encoded == 6
    assert rig.engine.store.file_ids() == {r.id for r in records} - {records[3].id}


def test_a_panic_in_every_write_is_said_and_ends_no_thread(
    rig: Rig, make: Make, failures: RepeatedFailures, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Panic(BaseException):
        pass

    monkeypatch.setattr("indexer.indexing.failures.FIRST_SECONDS", 0.01)
    records = rig.notes("a.md", "b.md")
    rig.engine.down = Panic("poisoned lock")
    pipeline = make()
    pipeline.start()
    until(failures.health)
    assert "poisoned lock" in failures.health()[0]["hint"]
    assert {r.state for r in rig.ledger.files()} == {"pending"}
    rig.engine.down = None
    until(lambda: rig.ledger.counts()["done"] == 2)
    until(lambda: not failures.health())
    assert sorted(rig.engine.encoded) == sorted(record.id for record in records)


def test_it_ends_while_everything_fails(rig: Rig, make: Make, failures: RepeatedFailures) -> None:
    rig.notes("a.md", "b.md")
    rig.engine.down = RuntimeError("gone")
    pipeline = make()
    pipeline.start()
    until(lambda: failures._streaks)
    assert pipeline.stop(seconds=PATIENCE)
    assert {(r.state, r.attempts) for r in rig.ledger.files()} == {("pending", 0)}
    assert rig.ledger.in_flight() == []


def test_it_does_not_wait_for_what_hangs(
    rig: Rig, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, let_go = threading.Event(), threading.Event()

    def hang(self: SmallEngine, units: object) -> list[object]:
        hanging.set()
        let_go.wait(PATIENCE)
        return []

    monkeypatch.setattr(SmallEngine, "encode", hang)
    rig.notes("a.md")
    pipeline = make()
    pipeline.start()
    assert hanging.wait(PATIENCE)
    assert not pipeline.stop(seconds=0.2)
    let_go.set()
    assert pipeline.stop(seconds=PATIENCE)


def test_what_was_begun_is_read_by_the_next(rig: Rig, make: Make) -> None:
    rig.notes("a.md", "b.md")
    first = make()
    first.pause()
    first.start()
    assert first.paused
    assert first.stop(seconds=PATIENCE)
    second = make()
    second.start()
    until(lambda: rig.ledger.counts()["done"] == 2)
