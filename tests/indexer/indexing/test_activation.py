"""Going over to another model inside a running indexer: failures, pauses, second thoughts."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import DEFAULT_MODEL
from engine.models.registry import model_spec
from indexer.reading.extract.base import ExtractError
from indexer.reading.file_reader import FileReader
from indexer.server.lifecycle import Indexer
from tests.conftest import copy_base, own_home
from tests.engine.encoders.embedded import OTHER_MODEL
from tests.waiting import until

FILES = 12


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> tuple[BaseDir, Path]:
    """A base directory whose index knows a folder, and that folder."""
    place = tmp_path_factory.mktemp("prepared")
    folder = place / "files"
    folder.mkdir()
    for n in range(FILES):
        (folder / f"{n}.md").write_text(f"# Note {n}\n\nThe keeper counted {n} ships.\n")
    base = BaseDir(place / "base").create()
    with pytest.MonkeyPatch.context() as monkeypatch:
        own_home(monkeypatch, place / "home")
        made = Indexer(base).open()
        made.start()
        made.ports.library.add_folders([str(folder)])
        until(lambda: made.index.ledger.counts()["done"] == FILES)
        made.close()
    return base, folder


@pytest.fixture
def folder(prepared: tuple[BaseDir, Path]) -> Iterator[Path]:
    """The folder; what a test adds is taken away again."""
    folder = prepared[1]
    before = set(folder.iterdir())
    yield folder
    for path in set(folder.iterdir()) - before:
        path.unlink()


@pytest.fixture
def indexer(base: BaseDir, prepared: tuple[BaseDir, Path], folder: Path) -> Iterator[Indexer]:
    """A running indexer on a copy of what was prepared."""
    copy_base(prepared[0].root, base.root)
    made = Indexer(base).open()
    made.start()
    until(lambda: made.state() == "idle" and made.index.ledger.counts()["done"] == FILES)
    yield made
    made.close()


def finds(indexer: Indexer, text: str, name: str) -> bool:
    *_, last = indexer.ports.search.search(text)
    return any(Path(hit.path).name == name for hit in last.hits)


def test_where_going_over_fails_the_old_model_goes_on(
    indexer: Indexer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise InklingError("The disk is full; Inkling can't note what it has indexed.")

    with monkeypatch.context() as patch:
        patch.setattr("indexer.ledger.spaces.Spaces.switch", fail)
        indexer.ports.settings.change({"model": OTHER_MODEL})
        until(lambda: indexer.activation.error is not None)
        assert indexer.index.engine.spec.id == DEFAULT_MODEL
        progress = indexer.ports.library.status()["model"]["next"]
        assert (progress["done"], progress["total"]) == (12, 12)
        assert "disk is full" in progress["error"]["message"]
        (folder / "later.md").write_text("A zeppelin went by.\n")
        until(lambda: finds(indexer, "zeppelin", "later.md"))
    until(lambda: indexer.index.engine.spec.id == OTHER_MODEL)
    until(lambda: indexer.index.ledger.counts()["done"] == 13)
    assert indexer.index.engine.store.file_ids() == {r.id for r in indexer.index.ledger.files()}


def test_pausing_holds_and_calling_off_ends_it(indexer: Indexer) -> None:
    indexer.pause()
    indexer.ports.settings.change({"model": OTHER_MODEL})
    until(lambda: indexer.ports.library.status()["model"]["next"])
    time.sleep(3)
    assert indexer.ports.library.status()["model"]["next"]["done"] == 0
    indexer.ports.settings.change({"model": DEFAULT_MODEL})
    assert indexer.ports.library.status()["model"]["next"] is None
    indexer.resume()
    time.sleep(2)
    assert indexer.index.engine.spec.id == DEFAULT_MODEL
    assert indexer.activation.encoded == 0


def test_a_file_the_model_can_not_take_does_not_stop_it(
    indexer: Indexer, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = FileReader.read_again

    def refuse(self: FileReader, record: object) -> object:
        if str(getattr(record, "path", "")).endswith("/3.md"):
            raise ExtractError("broken")
        return read(self, record)  # type: ignore[arg-type]

    monkeypatch.setattr(FileReader, "read_again", refuse)
    monkeypatch.setattr("indexer.indexing.activation.AGAIN_SECONDS", 0.5)
    indexer.ports.settings.change({"model": OTHER_MODEL})
    until(lambda: indexer.index.engine.spec.id == OTHER_MODEL)
    until(lambda: indexer.index.ledger.counts()["done"] == 12)  # the pipeline could read it


def test_what_an_earlier_version_embedded_is_made_again_and_taken_away(
    base: BaseDir, folder: Path
) -> None:
    first = Indexer(base).open()
    first.start()
    first.ports.library.add_folders([str(folder)])
    until(lambda: first.index.ledger.counts()["done"] == 12)
    first.close()
    space = model_spec(DEFAULT_MODEL).space
    for part in base.store.glob(f"{space}.*"):
        part.rename(part.with_name(part.name.replace(space, f"{DEFAULT_MODEL}-l0-256")))
    second = Indexer(base).open()
    second.start()
    try:
        until(lambda: finds(second, "the keeper counted 7 ships", "7.md"))
        until(lambda: second.index.ledger.counts()["done"] == 12)
        assert not list(base.store.glob(f"{DEFAULT_MODEL}-l0*"))
        assert len(list(base.store.glob(f"{space}.*"))) == 2
    finally:
        second.close()
