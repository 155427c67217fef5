"""The scanner: one scan after another, what it found told, failures said and repeated."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from indexer.ledger.ledger import Root
from indexer.sources import scanner as module
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import ScanResult
from indexer.sources.scanner import Scanner
from tests.indexer.sources.place import Place
from tests.waiting import PATIENCE, until


class Counted:
    """Counts failures, as the index does."""

    def __init__(self) -> None:
        self.errors: list[BaseException] = []
        self.successes = 0

    def failed(self, task: str, error: BaseException) -> float:
        self.errors.append(error)
        return 0.01

    def succeeded(self, task: str) -> None:
        self.successes += 1


class Rig:
    """A scanner over a place, and what it told."""

    def __init__(self, place: Place) -> None:
        self.place, self.counted = place, Counted()
        self.told: list[tuple[Root, ScanResult]] = []
        self.heard: list[BaseException] = []
        self.rules: Callable[[], IgnoreRules] = IgnoreRules
        self.scanner = Scanner(
            place.ledger,
            lambda: self.rules(),
            lambda root, result: self.told.append((root, result)),
            self.heard.append,
            failures=self.counted,
            kinds={"md": "note"},
        )


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig(Place(tmp_path))
    yield made
    made.scanner.stop()
    made.place.ledger.close()


def test_roots_and_paths_are_looked_at_and_the_result_is_told(rig: Rig) -> None:
    first = rig.place.write("a.md")
    rig.scanner.scan_all()
    root = rig.place.ledger.roots()[0]
    assert rig.scanner.scanning == {root.id}
    rig.scanner.scan(root.id)  # one that waits is enough
    rig.scanner.start()
    until(lambda: not rig.scanner.scanning)
    assert [len(result.added) for _, result in rig.told] == [1]
    assert rig.place.record(first).kind == "note"
    second, third = rig.place.write("b.md"), rig.place.write("c.md")
    rig.scanner.scan(root.id, [str(second)])
    until(lambda: len(rig.told) == 2)
    assert rig.place.names() == {"a.md", "b.md"}
    rig.scanner.scan(root.id)
    until(lambda: rig.place.record(third) if "c.md" in rig.place.names() else None)


def test_a_root_removed_meanwhile_is_not_scanned(rig: Rig) -> None:
    rig.scanner.scan(77)
    rig.scanner.start()
    until(lambda: not rig.scanner.scanning)
    assert (rig.told, rig.counted.errors) == ([], [])


def test_a_scan_that_fails_is_said_and_repeated_as_a_whole(rig: Rig) -> None:
    class Panic(BaseException):
        pass

    rig.place.write("a.md")
    path = rig.place.write("b.md")
    calls = []

    def rules() -> IgnoreRules:
        calls.append(1)
        if len(calls) <= 3:
            raise Panic("no rules")
        return IgnoreRules()

    rig.rules = rules
    rig.scanner.start()
    rig.scanner.scan(rig.place.ledger.roots()[0].id, [str(path)])
    until(lambda: rig.told)
    assert [str(error) for error in rig.counted.errors] == ["no rules"] * 3
    assert rig.heard == rig.counted.errors
    assert rig.place.names() == {"a.md", "b.md"}
    until(lambda: rig.counted.successes == 1)


def test_everything_is_looked_at_again_after_a_while(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESCAN_SECONDS", 0.2)
    rig.scanner.start()
    until(lambda: len(rig.told) >= 2)
    assert {root.path for root, _ in rig.told} == {str(rig.place.folder)}


def test_it_ends_while_it_waits_after_a_failure(rig: Rig) -> None:
    failed = threading.Event()

    def long_wait(task: str, error: BaseException) -> float:
        failed.set()
        return 3_600.0

    def rules() -> IgnoreRules:
        raise ValueError("a bug")

    rig.rules = rules
    rig.counted.failed = long_wait  # type: ignore[method-assign]
    rig.scanner.start()
    rig.scanner.scan_all()
    assert failed.wait(PATIENCE)
    rig.scanner.stop()
    assert not rig.scanner._thread.is_alive()
