"""Parts of an index that break: found at the start or while it runs, and mended from the files.

All start from a copy of one index, as from a backup; the outcome must equal one made in one go.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models.registry import model_spec
from engine.store import table_name
from tests.conftest import copy_base, own_home
from tests.end_to_end.conftest import Inkling
from tests.end_to_end.truth import Index, Unrest, assert_same, end, fresh_index, settle
from tests.light_model import LIGHT_MODEL, light
from tests.waiting import until

pytestmark = pytest.mark.slow

#: Files of the folder at first, and those that come later.
FILES, LATER = 25, 5


@dataclass
class Kept:
    """A folder, its index, and what an index of it says; `later` holds files that may be added."""

    base: BaseDir
    folder: Path
    later: Path
    index: Index
    index_with_later: Index

    def add_later(self) -> None:
        for file in self.later.iterdir():
            shutil.copy(file, self.folder)

    def remove_later(self) -> None:
        for file in self.later.iterdir():
            (self.folder / file.name).unlink(missing_ok=True)


@pytest.fixture(scope="module")
def kept_index(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Made once; `kept` hands it out."""
    place = tmp_path_factory.mktemp("kept")
    unrest = Unrest(place / "notes", seed=10)
    unrest.create(FILES)
    later = place / "later"
    later.mkdir()
    for number in range(LATER):
        (later / f"later{number}.txt").write_text(unrest.text())
    inkling = Inkling(light(BaseDir(place / "base").create()))
    with pytest.MonkeyPatch.context() as monkeypatch:
        own_home(monkeypatch, place / "home")
        try:
            inkling.ok("add", str(unrest.folder), "--wait")
            settle(inkling)
        finally:
            end(inkling)
        index = Index.read(inkling.base)
        kept = Kept(inkling.base, unrest.folder, later, index, index)
        kept.add_later()
        kept.index_with_later = fresh_index(place, unrest.folder)
        kept.remove_later()
    assert len(index.units) == FILES
    assert len(kept.index_with_later.units) == FILES + LATER
    return kept


@pytest.fixture
def kept(kept_index: Kept, base: BaseDir) -> Iterator[Kept]:
    """The folder as it was at first, and its index in this test's base directory."""
    copy_base(kept_index.base.root, base.root)
    yield kept_index
    kept_index.remove_later()


def damage(base: BaseDir, what: str) -> None:
    """Break a part of the index."""
    space = base.store / table_name(model_spec(LIGHT_MODEL).space)  # of passages, not of looks
    table = space.with_name(f"{space.name}.lance")
    if what == "ledger":
        for suffix in ("-wal", "-shm"):
            base.ledger.with_name(base.ledger.name + suffix).unlink(missing_ok=True)
        size = base.ledger.stat().st_size
        with base.ledger.open("r+b") as file:
            file.write(os.urandom(size))
    elif what == "manifest":
        newest = min((table / "_versions").glob("*.manifest"))
        os.truncate(newest, newest.stat().st_size // 2)
    elif what == "data":
        for path in (table / "data").iterdir():
            size = path.stat().st_size
            path.write_bytes(b"\0" * size)
    elif what == "segment":
        for path in space.with_name(f"{space.name}.segments").iterdir():
            path.unlink()
    else:
        (base.store / "ledger-id").write_bytes(os.urandom(32))


@pytest.mark.parametrize("what", ["ledger", "manifest", "data", "segment", "owner"])
def test_damage_found_at_the_start(kept: Kept, inkling: Inkling, what: str) -> None:
    damage(inkling.base, what)
    inkling.client()
    health = settle(inkling)["health"]
    assert what in ("owner", "manifest") or any("damaged" in item["title"] for item in health)
    assert inkling.paths("river stone lamp")
    end(inkling)
    assert_same(Index.read(inkling.base), kept.index)


@pytest.mark.parametrize("what", ["ledger", "data", "manifest"])
def test_damage_while_running(kept: Kept, inkling: Inkling, what: str) -> None:
    inkling.client()
    settle(inkling)
    damage(inkling.base, what)
    done = inkling.run("search", "violin orchard")
    assert "Traceback" not in done.stderr
    assert "Something went wrong" not in done.stderr
    kept.add_later()
    until(lambda: found_again(inkling), lambda: inkling.client().status())
    end(inkling)
    inkling.client()  # what nobody met, the start finds
    settle(inkling)
    end(inkling)
    assert_same(Index.read(inkling.base), kept.index_with_later)


def found_again(inkling: Inkling) -> bool:
    """Whether the index answers, after whatever starts anew has started."""
    settle(inkling)
    try:
        [*_, last] = inkling.client().search("river stone lamp")
    except InklingError:
        return False
    return bool(last["hits"]) and last["coverage"]["complete"]
