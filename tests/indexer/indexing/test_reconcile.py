"""After a crash, a power cut or damage: the ledger decides, the store follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.contract.errors import StoreDamagedError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Unit
from engine.models.registry import ModelSpec
from indexer.indexing.index import Index
from indexer.ledger.ledger import Done, FileRecord, LedgerDamagedError
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import facts_of
from indexer.sources.contents import content_hash
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import scan_root
from tests.indexer.indexing.rig import SmallEngine, spoil_newest_commit

NAMES = ("a.md", "b.md", "c.md")
Open = Callable[[], Index]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    for name in NAMES:
        (folder / name).write_text(f"# {name}\n\nThe keeper counted ships.\n")
    return folder


@pytest.fixture
def ended() -> list[int]:
    """How often the index said that the process is to start anew."""
    return []


@pytest.fixture
def reopen(base: BaseDir, monkeypatch: pytest.MonkeyPatch, ended: list[int]) -> Iterator[Open]:
    """Opens the index as the next process would; nothing is read."""
    opened: list[Index] = []

    def small(self: Index, spec: ModelSpec) -> SmallEngine:
        return SmallEngine(self.base, spec)

    monkeypatch.setattr(Index, "make_engine", small)

    def opens() -> Index:
        while opened:
            opened.pop().stop()
        settings, extractors = Settings.load(base), ExtractorPool(base.scratch, 1)
        index = Index(base, settings, extractors, on_damage=lambda: ended.append(1))
        opened.append(index.open())
        return index

    yield opens
    for index in opened:
        index.stop()


@pytest.fixture
def index(reopen: Open, folder: Path) -> Index:
    """Three files, read, stored and noted."""
    made = reopen()
    made.ledger.add_root(folder)
    made.reconcile()
    scan(made)
    for record in made.ledger.files():
        version = store(made, record)
        digest = content_hash(record.path)
        made.ledger.finish([Done(record.id, 1, digest, 1, "note", extractor="x")], version)
    return made


def scan(index: Index) -> None:
    scan_root(index.ledger, index.ledger.roots()[0], IgnoreRules())


def store(index: Index, record: FileRecord) -> int:
    unit = Unit(record.id, 0, "note", "The keeper counted ships.")
    return index.engine.replace({record.id: index.engine.encode([(facts_of(record), unit)])})


def named(index: Index, name: str) -> FileRecord:
    return next(r for r in index.ledger.files() if r.path.endswith(f"/{name}"))


def states(index: Index) -> set[str]:
    return {record.state for record in index.ledger.files()}


def test_what_agrees_is_left_alone(index: Index) -> None:
    version = index.engine.version
    index.reconcile()
    assert states(index) == {"done"}
    assert index.engine.store.file_ids() == {r.id for r in index.ledger.files()}
    assert index.engine.version >= version
    assert index.health() == []


def test_rows_of_files_that_the_ledger_does_not_have_leave_the_store(index: Index) -> None:
    withheld, gone, kept = index.ledger.files()
    index.ledger.set_state(withheld.id, "withheld", "secret-content")
    index.ledger.mark_removed([gone.id])  # and the process ended before the store heard of it
    index.reconcile()
    assert index.engine.store.file_ids() == {kept.id}


def test_rows_of_a_file_to_be_read_again_answer_until_then(index: Index) -> None:
    record = named(index, "a.md")
    index.ledger.requeue([record.id])
    index.reconcile()
    assert record.id in index.engine.store.file_ids()


def test_what_the_store_has_lost_is_read_again_and_said(index: Index) -> None:
    lost = named(index, "a.md")
    index.engine.delete([lost.id])
    index.reconcile()
    assert named(index, "a.md").state == "pending"
    assert {named(index, name).state for name in ("b.md", "c.md")} == {"done"}
    assert [entry["hint"] for entry in index.health()] == ["1 files are read again."]


def test_what_was_in_a_commit_that_was_given_up_is_read_again(
    index: Index, reopen: Open, base: BaseDir
) -> None:
    """Its rows are there, but those of an earlier commit; tidying must not hide that."""
    record = named(index, "b.md")
    version = store(index, record)  # it was edited
    index.ledger.finish([Done(record.id, 1, "edited", 1, "note", extractor="x")], version)
    index.stop()
    spoil_newest_commit(base.store, index.engine.spec)
    again = reopen()
    again.reconcile()
    assert again.engine.store.file_ids() == {r.id for r in again.ledger.files()}
    assert {r.path.rpartition("/")[2]: r.state for r in again.ledger.files()} == {
        "a.md": "done",
        "b.md": "pending",
        "c.md": "done",
    }
    assert [entry["hint"] for entry in again.health()] == ["1 files are read again."]


def test_a_move_the_store_has_not_heard_of_is_made_up_for(index: Index, folder: Path) -> None:
    record = named(index, "a.md")
    (folder / "a.md").rename(folder / "moved.md")
    scan(index)
    assert named(index, "moved.md").id == record.id
    index.reconcile()
    assert index.engine.store.places()[record.id][0] == str(folder / "moved.md")
    assert states(index) == {"done"}


def test_rows_of_another_ledger_mean_nothing(index: Index, base: BaseDir) -> None:
    (base.store / "ledger-id").write_text("another")
    index.reconcile()
    assert index.engine.store.file_ids() == set()
    assert states(index) == {"pending"}
    record = named(index, "a.md")
    version = store(index, record)
    index.ledger.finish([Done(record.id, 1, content_hash(record.path), 1, "note")], version)
    index.reconcile()  # from now on they are its own
    assert index.engine.store.file_ids() == {record.id}


def test_damage_met_twice_has_the_space_made_anew(
    index: Index, reopen: Open, ended: list[int]
) -> None:
    damage = StoreDamagedError("The search index is damaged.")
    for _ in range(3):
        index.on_damage(damage)  # each thread meets it
    assert ended == [1]
    again = reopen()
    assert len(again.engine.store.file_ids()) == len(NAMES)  # opening may have mended it
    again.reconcile()
    assert states(again) == {"done"}
    again.on_damage(damage)
    assert ended == [1, 1]
    anew = reopen()
    assert anew.engine.store.file_ids() == set()
    assert any("rebuilt" in entry["hint"] for entry in anew.health())
    anew.reconcile()
    assert states(anew) == {"pending"}
    record = anew.ledger.files()[0]
    store(anew, record)
    last = reopen()  # the marks are gone
    assert last.engine.store.file_ids() == {record.id}
    assert last.health() == []


def test_damage_of_the_ledger_says_nothing_of_the_store(
    index: Index, base: BaseDir, ended: list[int]
) -> None:
    index.on_damage(LedgerDamagedError("The list of files can't be read."))
    assert ended == [1]
    assert not (base.store / "suspect").exists()


def test_a_forgotten_file_gives_no_answer_until_its_rows_are_gone(index: Index) -> None:
    record = named(index, "a.md")
    index.forget([record.id])
    assert index._removing == {record.id}
    index.pipeline.start()
    index.pipeline._changes._items.join()
    assert index._removing == set()
    assert record.id not in index.engine.store.file_ids()
