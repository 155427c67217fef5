"""No failure of the library leaves the store as anything but one of its four errors."""

from __future__ import annotations

import ast
import contextlib
import errno
import inspect
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.contract.errors import (
    InklingError,
    RefusedQueryError,
    RefusedRowsError,
    StoreBusyError,
    StoreDamagedError,
)
from engine.store import Store
from engine.store.condition import Condition
from engine.store.guard import guarded, starved
from engine.store.lance_table import LanceTable
from engine.store.segments import TokenRef
from tests.engine.store.store_units import DIM, facts, unit, vector

STORE = Path(inspect.getfile(Store)).parent

Use = Callable[[Store], object]
#: One use of everything public that asks the table something.
READS: dict[str, Use] = {
    "version": lambda s: s.version,
    "file_ids": lambda s: s.file_ids(),
    "places": lambda s: s.places(),
    "count": lambda s: s.count(),
    "sampled_terms": lambda s: s.sampled_terms(1),
    "search_vector": lambda s: s.search_vector(vector(1), None, 5),
    "search_text": lambda s: s.search_text(["word"], None, 5),
    "unit_terms": lambda s: s.unit_terms(["1:0"]),
    "text_within": lambda s: s.text_within(["word"], [1], 5),
    "holding": lambda s: s.holding("some words"),
    "ask_words": lambda s: s.ask_words(lambda words: words.held(["word"])),
    "terms_for": lambda s: s.terms_for(["word"], 1, 5),
    "rows_for": lambda s: s.rows_for("word", 5),
    "exists": lambda s: s.exists(None),
    "rows": lambda s: s.rows(["1:0"]),
    "file_rows": lambda s: s.file_rows(1),
    "symbols": lambda s: s.symbols(),
    "files_with": lambda s: s.files_with(Condition(kinds=("note",)), [1]),
    "vectors": lambda s: s.vectors(["1:0"]),
    "each_text": lambda s: s.each_text(lambda *_: None),
}
WRITES: dict[str, Use] = {
    "replace_files": lambda s: s.replace_files({9: [unit(facts(9))]}),
    "delete_files": lambda s: s.delete_files([1]),
    "update_paths": lambda s: s.update_paths({1: facts(1, "/elsewhere/a.md")}),
    "maintain": lambda s: s.maintain(force=True),
    "purge": lambda s: s.purge(),
}
#: These ask no table: they read segments, or only the file system.
OTHERS = {"open", "tokens", "size_bytes", "close"}
USES = READS | WRITES


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Making a table takes longer than any test of one."""
    folder = tmp_path_factory.mktemp("template")
    made = Store.open(folder, "m", DIM)
    for n in range(3):
        made.replace_files({n: [unit(facts(n))]})
    made.close()
    return folder


@pytest.fixture
def store(tmp_path: Path, template: Path) -> Iterator[Store]:
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    opened = Store.open(tmp_path, "m", DIM)
    yield opened
    opened.close()


def test_every_public_use_is_tried_here() -> None:
    public = {name for name, _ in inspect.getmembers(Store) if not name.startswith("_")}
    assert public == USES.keys() | OTHERS


def test_the_library_is_called_behind_the_guard_only() -> None:
    """Its handle is known to one class, and stands there only inside `with guarded(...)`."""
    loose: list[str] = []
    for path in STORE.glob("*.py"):
        tree = ast.parse(path.read_text())
        inside = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.With)
            and any("guarded(" in ast.unparse(item.context_expr) for item in node.items)
            for inner in (n for statement in node.body for n in ast.walk(statement))
        }
        declared = {id(n.target) for n in ast.walk(tree) if isinstance(n, ast.AnnAssign)}
        for node in ast.walk(tree):
            name = ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""
            called = name == "_connect" and isinstance(getattr(node, "ctx", None), ast.Load)
            raw = name == "self._raw" and id(node) not in declared
            unguarded = path.name != "lance_table.py" or id(node) not in inside
            if (raw or called) and unguarded:
                loose.append(f"{path.name}: {name}")
            foreign = name.startswith("lancedb.") and path.name != "lance_table.py"
            if foreign or (name.endswith("._raw") and name != "self._raw"):
                loose.append(f"{path.name}: {name}")
    assert loose == []


class Failing:
    """A table that raises the same whatever it is asked, but for what is `spared`."""

    def __init__(self, error: BaseException, **spared: Any) -> None:
        self._error, self._spared = error, spared

    def __getattr__(self, name: str) -> Any:
        if name in self._spared:
            return self._spared[name]
        raise self._error


RustPanic = type("RustPanic", (Exception,), {})
PanicException = type("PanicException", (BaseException,), {})
FAILURES: list[tuple[BaseException, type[InklingError] | None]] = [
    (RustPanic("rust future panicked: unknown error"), StoreDamagedError),
    (PanicException("range end index 4 out of range"), StoreDamagedError),
    (PanicException("called unwrap() on an Err: Os { code: 24, kind: X }"), StoreBusyError),
    (RuntimeError("lance error: LanceError(IO): file size is too small"), StoreDamagedError),
    (RuntimeError("lance error: Encountered corrupt file x"), StoreDamagedError),
    (RuntimeError("LanceError(IO): Too many open files (os error 24)"), StoreBusyError),
    (RuntimeError("LanceError(IO): No space left on device (os error 28)"), StoreBusyError),
    (RuntimeError("Commit conflict for version 7"), StoreBusyError),
    (RuntimeError("something never seen"), StoreDamagedError),
    (OSError(errno.EIO, "Input/output error"), StoreBusyError),
    (OSError(errno.ENOMEM, "Cannot allocate memory"), StoreBusyError),
    (OSError(errno.EACCES, "Permission denied"), StoreBusyError),
    (OSError(errno.EROFS, "Read-only file system"), StoreBusyError),
    (FileNotFoundError(errno.ENOENT, "No such file"), StoreDamagedError),
    (MemoryError(), StoreBusyError),
    (ValueError("Invalid input"), None),
    (TypeError("an odd type"), None),
    (pa.ArrowInvalid("offset overflow"), None),
    (pa.ArrowNotImplementedError("Unsupported cast"), None),
]  # fmt: skip


@pytest.mark.parametrize(("error", "expected"), FAILURES, ids=lambda x: repr(x)[:60])
def test_each_failure_becomes_one_of_ours(
    store: Store, error: BaseException, expected: type[InklingError] | None
) -> None:
    raw, store._arrays = store._table._raw, None
    for name, use in USES.items():
        writes = name in ("replace_files", "delete_files", "purge")
        # A replacement first looks what there is.
        store._table._raw = Failing(error, **({"search": raw.search} if writes else {}))
        refused = RefusedRowsError if writes else RefusedQueryError
        if isinstance(error, pa.ArrowException) and not writes:
            refused = StoreDamagedError  # type: ignore[assignment]  # of what was read
        with pytest.raises(InklingError) as raised:
            use(store)
        assert type(raised.value) is (expected or refused), name
        assert raised.value.message.endswith(".")
        assert raised.value.hint.endswith(".")
        assert raised.value.__cause__ is error
    store._table._raw = raw
    assert store.count() == 3


def test_ctrl_c_is_nobodys_failure(store: Store) -> None:
    store._table._raw = Failing(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        store.file_ids()


def newest_manifest(folder: Path) -> Path:
    return min((folder / "m.lance" / "_versions").glob("*.manifest"))


def zeros(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def truncate(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def hollow(path: Path) -> None:
    """The footer is whole and points to nothing: the library panics."""
    data = bytearray(path.read_bytes())
    data[-16:-8] = (len(data)).to_bytes(8, "little")
    path.write_bytes(data)


SPOILS = [zeros, truncate, hollow, Path.unlink]


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("name", USES)
def test_a_manifest_damaged_while_open_is_noticed(
    tmp_path: Path, store: Store, name: str, spoil: Callable[[Path], None]
) -> None:
    before = sorted(path.name for path in (tmp_path / "m.lance" / "_versions").iterdir())
    spoil(newest_manifest(tmp_path))
    with pytest.raises(StoreDamagedError):
        USES[name](store)
    after = {path.name for path in (tmp_path / "m.lance" / "_versions").iterdir()}
    assert after <= set(before)  # nothing was committed on top of it
    store.close()
    again = Store.open(tmp_path, "m", DIM)
    assert again.file_ids() == {0, 1}
    USES[name](again)
    again.close()


@pytest.mark.parametrize("name", USES)
def test_a_data_file_cut_while_open_is_noticed(tmp_path: Path, store: Store, name: str) -> None:
    for path in (tmp_path / "m.lance" / "data").iterdir():
        truncate(path)
    store._table.reopen()  # nothing is cached
    store._arrays = None  # which would answer on
    with contextlib.suppress(StoreDamagedError):  # some need no data
        USES[name](store)
    with pytest.raises(StoreDamagedError):
        store.rows(["1:0"])


def test_refused_rows_leave_the_store_as_it_was(store: Store) -> None:
    before = store.version
    wrong = replace(unit(facts(7)), vector=vector(1)[:-1])
    with pytest.raises(RefusedRowsError) as refused:
        store.replace_files({7: [wrong], 8: [unit(facts(8))]})
    assert isinstance(refused.value.__cause__, ValueError)
    assert (store.version, store.file_ids()) == (before, {0, 1, 2})
    store.replace_files({8: [unit(facts(8))]})
    assert store.file_ids() == {0, 1, 2, 8}


def test_lost_token_files_are_lost_tokens(tmp_path: Path, store: Store) -> None:
    for path in (tmp_path / "m.segments").iterdir():
        path.unlink()
    assert len(store.tokens([TokenRef(0, 10**6, 5)])[0].tokens) == 0


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of descriptors to lower")
def test_starvation_is_told_from_damage() -> None:
    code = """
import os, resource
from engine.store.guard import starved
assert not starved()
held = len(os.listdir("/dev/fd"))
resource.setrlimit(resource.RLIMIT_NOFILE, (held + 3, resource.getrlimit(7)[1]))
assert starved()
assert len(os.listdir("/dev/fd")) == held
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not starved()


def test_a_write_asks_before_it_begins() -> None:
    touched: list[int] = []
    with pytest.raises(StoreDamagedError), guarded("write", lambda: "it is broken"):
        touched.append(1)
    assert touched == []


def test_the_table_is_made_by_the_guarded_class(store: Store) -> None:
    assert type(store._table) is LanceTable
