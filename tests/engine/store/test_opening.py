"""Opening under a passing error loses nothing; what is damaged is set aside, not deleted."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.contract.errors import StoreBusyError, StoreDamagedError
from engine.store import Store, drop_space, lance_table, list_spaces, opening, set_space_aside
from engine.store.disk import Disk
from engine.store.manifests import Manifests, fault_of
from tests.engine.store.store_units import DIM, facts, found, unit, word

UNITS = 8


def fill(folder: Path, space: str = "m", files: int = UNITS) -> int:
    store = Store.open(folder, space, DIM)
    for n in range(files):
        store.replace_files({n: [unit(facts(n), text=word(n))]})
    version = store.version
    store.close()
    return version


def contents(folder: Path, but: str = "-") -> dict[str, bytes]:
    """Every file by its path, without those whose path holds `but`."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and but not in str(path)
    }


def manifests(folder: Path) -> list[Path]:
    return sorted((folder / "m.lance" / "_versions").glob("*.manifest"))


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "WAITS", (0.001, 0.001, 0.001))


_STARVED = """
import os, resource, sys
from pathlib import Path
from engine.contract.errors import StoreBusyError
from engine.store import Store, opening
from tests.engine.store.store_units import DIM
opening.WAITS = (0.001,)
folder = Path(sys.argv[1])
soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
outcomes = set()
for extra in range(2, 60, 3):
    limit = len(os.listdir("/dev/fd")) + extra
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))
    try:
        store = Store.open(folder, "m", DIM)
        assert store.count() == 8, "it opened with fewer units"
        store.close()
        store = None
        outcomes.add("opened")
    except StoreBusyError:
        outcomes.add("busy")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(*sorted(outcomes))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of descriptors to lower")
def test_without_descriptors_nothing_is_lost(tmp_path: Path) -> None:
    version = fill(tmp_path)
    command = [sys.executable, "-c", _STARVED, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["busy", "opened"]
    store = Store.open(tmp_path, "m", DIM)
    assert (store.count(), store.version, store.broken_files) == (UNITS, version, set())
    assert not (tmp_path / "m.lance" / "_damaged").exists()
    store.close()


class FailingConnection:
    """LanceDB whose opening fails some times."""

    def __init__(self, times: int, error: Exception) -> None:
        self.left, self._error = times, error

    def __call__(self, directory: Path) -> Any:
        self._real = REAL_CONNECT(directory)
        return self

    def open_table(self, name: str) -> Any:
        if self.left:
            self.left -= 1
            raise self._error
        return self._real.open_table(name)


REAL_CONNECT = lance_table._connect
PASSING = [
    OSError(errno.EIO, "Input/output error"),
    RuntimeError("lance error: LanceError(IO): Input/output error (os error 5)"),
    PermissionError(errno.EACCES, "Permission denied"),
    MemoryError(),
]


@pytest.mark.parametrize("error", PASSING, ids=repr)
def test_a_passing_error_is_waited_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    fill(tmp_path)
    before = contents(tmp_path)
    failing = FailingConnection(3, error)
    monkeypatch.setattr(lance_table, "_connect", failing)
    store = Store.open(tmp_path, "m", DIM)
    assert (store.count(), failing.left) == (UNITS, 0)
    store.close()
    failing.left = 10**6
    with pytest.raises(StoreBusyError) as busy:
        Store.open(tmp_path, "m", DIM)
    assert busy.value.hint
    assert failing.left == 10**6 - 4  # four tries, and no more
    assert contents(tmp_path) == before


def test_an_error_met_once_gives_up_no_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks like damage, and is not: the second look finds the commit whole."""
    fill(tmp_path)
    error = RuntimeError("lance error: LanceError(IO): file size is too small")
    monkeypatch.setattr(lance_table, "_connect", FailingConnection(1, error))
    store = Store.open(tmp_path, "m", DIM)
    assert store.count() == UNITS
    store.close()


class FailingDisk(Disk):
    """Renames fail from the given one on."""

    def __init__(self, first: int) -> None:
        self.left = first

    def rename(self, source: Path, target: Path) -> None:
        if self.left == 0:
            raise OSError(errno.EIO, "Input/output error")
        self.left -= 1
        super().rename(source, target)


@pytest.mark.parametrize("first", [0, 1])
def test_a_repair_that_is_cut_short_is_begun_again(tmp_path: Path, first: int) -> None:
    fill(tmp_path)
    newest = manifests(tmp_path)[0]
    newest.write_bytes(bytes(newest.stat().st_size))
    with pytest.raises(StoreBusyError):
        Store.open(tmp_path, "m", DIM, disk=FailingDisk(first))
    kept = {path.name for path in (tmp_path / "m.lance").rglob("*.manifest")}
    assert newest.name in kept
    store = Store.open(tmp_path, "m", DIM)
    assert store.file_ids() == set(range(UNITS - 1))
    store.close()


def test_what_is_given_up_is_set_aside(tmp_path: Path) -> None:
    fill(tmp_path)
    newest = manifests(tmp_path)[0]
    damaged = newest.read_bytes()[:-100]
    newest.write_bytes(damaged)
    Store.open(tmp_path, "m", DIM).close()
    assert (tmp_path / "m.lance" / "_damaged" / newest.name).read_bytes() == damaged
    assert not newest.exists()


def test_a_store_of_which_nothing_answers_is_left_as_it_is(tmp_path: Path) -> None:
    fill(tmp_path)
    for path in (tmp_path / "m.lance" / "data").iterdir():
        path.write_bytes(bytes(path.stat().st_size))
    before = contents(tmp_path)
    with pytest.raises(StoreDamagedError, match="rebuilds it"):
        Store.open(tmp_path, "m", DIM)
    assert contents(tmp_path) == before


def test_set_aside_manifests_do_not_pile_up(tmp_path: Path) -> None:
    fill(tmp_path, files=1)
    for n in range(10, 22):
        store = Store.open(tmp_path, "m", DIM)
        store.replace_files({n: [unit(facts(n))]})
        store.close()
        newest = manifests(tmp_path)[0]
        newest.write_bytes(b"")
        Store.open(tmp_path, "m", DIM).close()
    assert len(list((tmp_path / "m.lance" / "_damaged").glob("*.manifest"))) == 1  # of one number
    assert Store.open(tmp_path, "m", DIM).file_ids() == {0}


def test_the_making_of_a_table_is_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(table: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(opening, "create_indexes", fail)
        with pytest.raises(OSError):
            Store.open(tmp_path, "m", DIM)
    assert list_spaces(tmp_path) == []
    assert not (tmp_path / "m.lance").exists()
    fill(tmp_path)
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["m.lance", "m.segments"]


def test_indexes_that_are_missing_are_made(tmp_path: Path) -> None:
    fill(tmp_path)
    store = Store.open(tmp_path, "m", DIM)
    store._table.write(lambda t: t.drop_index("path_idx"))
    store.close()
    store = Store.open(tmp_path, "m", DIM)
    assert "path_idx" in store._table.read(lambda t: {i.name for i in t.list_indices()})
    assert found(store, word(3)) == ["3:0"]
    store.close()


def test_one_space_is_set_aside_and_no_other(tmp_path: Path) -> None:
    fill(tmp_path, "a/1", 2)
    fill(tmp_path, "b", 3)
    (tmp_path / "ledger-id").write_text("1")
    b = contents(tmp_path, "a_1")
    aside = set_space_aside(tmp_path, "a/1")
    again = set_space_aside(tmp_path, "a/1")
    assert sorted(path.name for path in aside.iterdir()) == ["a_1.lance", "a_1.segments"]
    assert list(again.iterdir()) == []
    assert again != aside
    assert list_spaces(tmp_path) == ["b"]
    assert contents(tmp_path, "a_1") == b
    assert Store.open(tmp_path, "a/1", DIM).count() == 0
    drop_space(tmp_path, "a/1")
    assert list_spaces(tmp_path) == ["b"]


def spoil(data: bytes) -> list[bytes]:
    size = len(data)
    place = int.from_bytes(data[-16:-8], "little")
    return [
        b"", data[:10], data[:-1], data[: size // 2], bytes(size), data[:-4] + b"LANX",
        data[:100] + bytes(size - 140) + data[-40:],
        data[:-16] + size.to_bytes(8, "little") + data[-8:],
        data[: place + 4] + bytes(size - place - 20) + data[-16:],
        data[: place + 4] + b"\xff" * (size - place - 20) + data[-16:],
    ]  # fmt: skip


def test_manifests_are_told_from_damaged_ones(tmp_path: Path) -> None:
    version = fill(tmp_path)
    paths = manifests(tmp_path)
    assert len(paths) == version
    for number, path in enumerate(reversed(paths), 1):
        data = path.read_bytes()
        assert fault_of(data, number) is None
        assert fault_of(data, number + 1) == "a manifest is another commit's"
        for broken in spoil(data):
            assert fault_of(broken, number), broken
    every: Callable[[], str | None] = Manifests(tmp_path / "m.lance").fault
    assert every() is None
    assert Manifests(tmp_path / "nothing.lance").fault() == "there is no manifest"


@pytest.mark.skipif(sys.platform == "win32", reason="other permissions")
def test_a_table_that_can_not_be_listed_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, files=2)
    before = contents(tmp_path)
    for path in manifests(tmp_path):
        path.unlink()
    real = os.listdir

    def refuse(path: Path) -> list[str]:
        if str(path).endswith("data"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(StoreBusyError, match="permission"):
        Store.open(tmp_path, "m", DIM)
    monkeypatch.undo()
    kept = {name for name in before if not name.endswith(".manifest")}
    assert contents(tmp_path).keys() == kept
