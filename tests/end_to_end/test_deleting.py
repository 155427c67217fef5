"""The index deleted, or a folder purged: nothing of what was read is on the disk any more, at
once."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.client import read_endpoint
from desktop.system.deleting import delete_index
from engine.contract.paths import BaseDir
from tests.end_to_end.conftest import Inkling
from tests.traces import traces

WORD = "zanzibarquokka"


def told(base: BaseDir) -> list[str]:
    """The files in the base directory that say something of what was read."""
    return [str(file.relative_to(base.root)) for file in traces(base.root, WORD)]


@pytest.mark.usefixtures("light_model")
def test_of_a_deleted_index_nothing_is_left_on_the_disk(
    inkling: Inkling, base: BaseDir, tmp_path: Path
) -> None:
    folder = tmp_path / f"{WORD}s"
    folder.mkdir()
    (folder / f"{WORD}.md").write_text(f"# Animals\n\nThe {WORD} sleeps by day.\n")
    inkling.ok("add", str(folder), "--wait")
    assert {Path(name).parts[0] for name in told(base)} >= {"store", "roots.json"}
    settings = base.settings.read_bytes()
    delete_index(base)
    assert told(base) == []
    assert read_endpoint(base) is None
    assert not any(base.store.iterdir())
    assert not list(base.root.glob("ledger*"))
    assert base.settings.read_bytes() == settings
    status = inkling.client().status()
    assert (status["folders"], status["totals"]["files"]) == ([], 0)
    assert told(base) == []
    assert (folder / f"{WORD}.md").exists()


@pytest.mark.usefixtures("light_model")
def test_of_a_purged_folder_nothing_is_left_on_the_disk(
    inkling: Inkling, base: BaseDir, tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    (folder / "animals").mkdir(parents=True)
    (folder / "animals" / "marsupials.md").write_text(f"# Animals\n\nThe {WORD} sleeps by day.\n")
    (folder / "tower.md").write_text("The keeper of the lighthouse counted ships.\n")
    inkling.ok("add", str(folder), "--wait")
    assert told(base)
    said = inkling.ok("purge", str(folder / "animals"))
    assert told(base) == []
    assert "1 file is out of the index." in said
    assert f"rule {folder}/animals/" in said
    assert "words that only it had" in said
    assert inkling.paths("the keeper of the lighthouse") == [str(folder / "tower.md")]
    inkling.ok("add", str(folder), "--wait")  # looked through again: the rule holds
    assert told(base) == []
    assert inkling.ok("purge", str(folder)).startswith("1 file is out")
    assert inkling.json("status")["folders"] == []
    assert [name for name in told(base) if WORD in name] == []
