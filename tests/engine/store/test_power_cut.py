"""What is on disk when: a power cut or a failing disk at any step leaves the old or the new."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.contract.errors import StoreBusyError
from engine.store import Store, StoredUnit, opening
from tests.engine.store.recording_disk import Fails, RecordingDisk, Tree, restore
from tests.engine.store.store_units import DIM, facts, found, unit, word

State = dict[int, tuple[list[str], str]]  # of each file its units' texts in order, and its path


SHORTEN = "shorten"


@dataclass
class Scenario:
    """Replacing, deleting, moving, maintaining; what the store may hold at each moment."""

    disk: RecordingDisk
    #: By what was being done: before it, perhaps between two commits, and after it.
    states: dict[str, tuple[State, ...]]


def of_file(n: int, text: str, units: int) -> dict[int, list[StoredUnit]]:
    return {n: [unit(facts(n), k, text) for k in range(units)]}


def play(root: Path, disk: RecordingDisk) -> Scenario:
    state: State = {}
    scenario = Scenario(disk, {"open": ({}, {})})
    store = Store.open(root, "m", DIM, disk=disk)

    def begin(doing: str, after: State, *between: State) -> None:
        nonlocal state
        scenario.states[doing] = (state, *between, after)
        disk.doing, state = doing, after

    def edit(n: int, doing: str, text: str, units: int) -> None:
        path = facts(n).path
        over = state[n][0][units:] if n in state else []
        shorter = {**state, n: ([text] * units + over, path)}
        begin(f"{doing} {n}", {**state, n: ([text] * units, path)}, *[shorter] * bool(over))
        store.replace_files(of_file(n, text, units))

    for n in range(3):
        edit(n, "new", word(n), 2)
    edit(0, "edit", word(50), 2)
    begin("maintain", state)
    store.maintain(force=True)  # packs the segments
    begin("move", {**state, 1: ([word(1)] * 2, "/elsewhere/zebra.md")})
    store.update_paths({1: facts(1, "/elsewhere/zebra.md")})
    begin("delete", {n: kept for n, kept in state.items() if n != 2})
    store.delete_files([2])
    edit(5, "new", word(5), 3)
    edit(5, SHORTEN, word(55), 1)
    begin("maintain again", state)
    store.maintain(force=True)
    store.meta.set("contents", "7")
    store.close()
    return scenario


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scenario]:
    root = tmp_path_factory.mktemp("disk")
    disk = RecordingDisk(root)
    yield play(root, disk)
    disk.close()


def state_of(store: Store) -> State:
    state: State = {}
    for n in sorted(store.file_ids()):
        rows = store.file_rows(n)
        [path] = {row.file.path for row in rows}
        refs = [row.ref for row in rows if row.ref]
        assert {len(record.tokens) for record in store.tokens(refs)} == {3}, "tokens are lost"
        state[n] = ([row.text for row in rows], path)
    return state


@pytest.mark.slow
def test_a_power_cut_at_any_step(scenario: Scenario, tmp_path: Path) -> None:
    seen: list[Tree] = []
    number = 0
    for step in scenario.disk.steps:
        for loss, tree in step.left.items():
            if tree in seen[-4:]:
                continue  # nothing has changed for the disk
            seen.append(tree)
            number += 1
            folder = tmp_path / str(number)
            restore(tree, folder)
            where = f"{step.doing}: {step.call}, without {loss}"
            store = Store.open(folder, "m", DIM)
            assert store.broken_files == set(), where
            state = state_of(store)
            assert state in scenario.states[step.doing], where
            if step.doing == f"{SHORTEN} 5":  # as the ledger has it done again, from anywhere
                store.replace_files(of_file(5, word(55), 1))
                assert state_of(store) == scenario.states[step.doing][-1], where
                assert found(store, word(5)) == []
            store.close()
    assert number > 60
    last = Store.open(tmp_path / str(number), "m", DIM)
    assert last.meta.get("contents") == "7"
    last.close()


def test_between_the_two_commits_of_a_file_that_became_shorter(tmp_path: Path) -> None:
    """Of two manifests that no sync has reached the system may have written the first: then the
    end of the file is still there, and whoever was not told that it is done does it again."""
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files(of_file(1, word(1), 4))
    store.replace_files(of_file(2, word(2), 2))
    first = store.version
    assert store.replace_files(of_file(1, word(10), 1)) == first + 2
    store.close()
    newest = min((tmp_path / "m.lance" / "_versions").glob("*.manifest"))
    newest.write_bytes(bytes(newest.stat().st_size))
    store = Store.open(tmp_path, "m", DIM)
    assert store.found_version == first + 1  # so that the ledger sees what is missing
    path, other = facts(1).path, ([word(2)] * 2, facts(2).path)
    assert state_of(store) == {1: ([word(10), *[word(1)] * 3], path), 2: other}
    store.replace_files(of_file(1, word(10), 1))
    assert state_of(store) == {1: ([word(10)], path), 2: other}
    assert found(store, word(1)) == []
    store.close()


def test_everything_is_on_disk_when_a_call_returns(scenario: Scenario, tmp_path: Path) -> None:
    ends = {step.doing: step for step in scenario.disk.steps}  # the last one of each
    for doing, step in ends.items():
        for loss, tree in step.left.items():
            folder = tmp_path / f"{doing} {loss}"
            restore(tree, folder)
            store = Store.open(folder, "m", DIM)
            assert state_of(store) == scenario.states[doing][-1], f"{doing}, without {loss}"
            store.close()


def test_the_order_of_a_commit(tmp_path: Path) -> None:
    disk = RecordingDisk(tmp_path)
    store = Store.open(tmp_path, "m", DIM, disk=disk)
    store.replace_files({1: [unit(facts(1))]})
    for n in range(2, 5):
        disk.calls.clear()
        store.replace_files({n: [unit(facts(n))]})
        short = [(call, Path(path).parent.name, Path(path).suffix) for call, path in disk.calls]
        segment = short.index(("sync_open", "m.segments", ".seg"))
        data = short.index(("sync", "data", ".lance"))
        data_names = short.index(("sync_directory", "m.lance", ""))
        manifest = short.index(("sync", "_versions", ".manifest"))
        assert segment < data < data_names < manifest
        call, path = disk.calls[-1]
        assert (call, Path(path).name) == ("sync_directory", "_versions")
    disk.close()
    store.close()


@pytest.mark.parametrize("code", [errno.EIO, errno.ENOSPC])
def test_a_disk_that_fails_once_is_waited_for(tmp_path: Path, code: int) -> None:
    """At each call of a replacement and of maintenance: said as passing, and then it goes on."""
    disk = RecordingDisk(tmp_path)
    store = Store.open(tmp_path, "m", DIM, disk=disk)
    done, failed = 0, 0
    for doing in ("replace", "maintain"):
        number = 0
        while True:
            disk.before = Fails(len(disk.calls) + number, code)
            try:
                if doing == "replace":
                    store.replace_files({done: [unit(facts(done), 0, word(done))]})
                    done += 1
                else:
                    store.replace_files({0: [unit(facts(0), 0, word(0))]})
                    disk.before = Fails(len(disk.calls) + number, code)
                    store.maintain(force=True)
            except StoreBusyError:
                failed += 1
            else:
                break
            finally:
                disk.before = lambda number: None
            if doing == "replace":
                store.replace_files({done: [unit(facts(done), 0, word(done))]})
                done += 1
            number += 1
            if doing == "maintain" and number > 12:
                break
    assert failed > 12
    store.close()
    disk.close()
    store = Store.open(tmp_path, "m", DIM)
    assert store.file_ids() == set(range(done))
    assert store.broken_files == set()
    for n in range(done):
        [row] = store.file_rows(n)
        assert row.ref is not None
        assert len(store.tokens([row.ref])[0].tokens) == 3
    store.close()


def test_a_failed_sync_is_made_up_for(tmp_path: Path) -> None:
    """The commit is in LanceDB already; the next one puts both on disk."""
    disk = RecordingDisk(tmp_path)
    store = Store.open(tmp_path, "m", DIM, disk=disk)
    disk.before = lambda number: Fails(number)(number) if disk.calls[-1][0] == "sync" else None
    with pytest.raises(StoreBusyError):
        store.replace_files({1: [unit(facts(1), k) for k in range(2)]})
    disk.before = lambda number: None
    store.replace_files({2: [unit(facts(2), k) for k in range(2)]})
    store.close()
    restore(disk.steps[-1].left["names and contents"], tmp_path / "after")
    disk.close()
    left = Store.open(tmp_path / "after", "m", DIM)
    assert left.file_ids() == {1, 2}
    left.close()


def test_what_a_process_left_unsynced_is_synced_by_the_next(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({1: [unit(facts(1), k) for k in range(2)]})
    store.close()
    disk = RecordingDisk(tmp_path)
    opening.open_table(tmp_path, "m", DIM, read_only=False, disk=disk)
    synced = {path for call, path in disk.calls if call == "sync"}
    table = tmp_path / "m.lance"
    for part in ("data", "_versions", "_indices"):
        files = [path for path in (table / part).rglob("*.*") if path.suffix != ".json"]
        assert files
        assert {str(path) for path in files} <= synced
    disk.close()
