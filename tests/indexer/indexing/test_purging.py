"""Taken out without a trace: what of folders and files is on the disk before and after."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine import thumb_path
from engine.contract.agent_log import AgentLog
from engine.contract.settings import Settings
from engine.store import Store
from indexer.indexing.purging import Purged, purge
from indexer.ledger.ledger import Ledger
from indexer.reading.extract.base import OcrPage
from indexer.reading.kept_pages import KeptPages
from tests.engine.store.store_units import DIM, facts, unit
from tests.indexer.indexing.rig import Rig
from tests.traces import traces

WORD = "zanzibarquokka"


@pytest.fixture
def filled(rig: Rig) -> Rig:
    """Two folders in one watched folder, both in ledger and store, and what else tells of them."""
    for folder, word in (("secret", WORD), ("other", "lighthouse")):
        (rig.folder / folder).mkdir()
        for number in range(3):
            (rig.folder / folder / f"{word}{number}.md").write_text(f"The {word} sleeps.\n")
    rig.scan()
    log = AgentLog(rig.base)
    with_rows = Store.open(rig.base.store, "model-1", DIM)
    for record in rig.ledger.files():
        word = WORD if WORD in record.path else "lighthouse"
        file = facts(record.id, record.path)
        with_rows.replace_files({record.id: [unit(file, text=f"The {word} sleeps by day")]})
        KeptPages(rig.base).save(record.id, "edition", [OcrPage(1, word)])
        thumb = thumb_path(rig.base, record.id, 1)
        thumb.parent.mkdir(exist_ok=True)
        thumb.write_text(word)
        log.note("read", [record.path], 5)
        with (rig.base.logs / "indexer.log").open("a") as file_log:
            file_log.write(f"read {record.path}\n")
    with_rows.close()
    rig.ledger.close()
    return rig


def texts(rig: Rig) -> list[str]:
    store = Store.open(rig.base.store, "model-1", DIM)
    try:
        return sorted({row.text for f in store.file_ids() for row in store.file_rows(f)})
    finally:
        store.close()


def told(rig: Rig) -> list[str]:
    return [str(path.relative_to(rig.base.root)) for path in traces(rig.base.root, WORD)]


def test_nothing_of_a_folder_is_left(filled: Rig) -> None:
    assert len(told(filled)) > 5
    gone = purge(filled.base, [str(filled.folder / "secret")])
    assert told(filled) == []
    assert gone == Purged(3, 1, gone.searched, [], f"{filled.folder}/secret/")
    assert gone.searched > 5
    assert Settings.load(filled.base).excluded == (f"{filled.folder}/secret/",)
    assert texts(filled) == ["The lighthouse sleeps by day"]
    ledger = Ledger(filled.base.ledger)
    assert [Path(record.path).parent.name for record in ledger.files()] == ["other"] * 3
    assert len(ledger.find_names(["lighthouse"], 9)) == 3
    assert ledger.find_names([WORD], 9) == []
    ledger.close()
    assert len(AgentLog(filled.base).entries()) == 3
    assert (filled.base.logs / "indexer.log").read_text().count("lighthouse") == 3
    assert purge(filled.base, [str(filled.folder / "secret")]).files == 0  # as often as wanted


def test_a_link_means_what_it_leads_to(filled: Rig, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(filled.folder / "secret")
    assert purge(filled.base, [str(tmp_path / "link")]).files == 3
    assert told(filled) == []


def test_a_watched_folder_and_a_file_that_is_no_more(filled: Rig) -> None:
    file = filled.folder / "secret" / f"{WORD}0.md"
    file.unlink()
    gone = purge(filled.base, [str(file)])
    assert (gone.files, gone.rule) == (1, "")
    assert gone.words == 0  # the others have its words
    gone = purge(filled.base, [str(filled.folder)])
    assert (gone.files, gone.rule, gone.left) == (5, "", [])
    assert {WORD, "lighthouse"} & set(told(filled)) == set()
    assert told(filled) == []
    assert texts(filled) == []
    ledger = Ledger(filled.base.ledger)
    assert (ledger.roots(), ledger.files()) == ([], [])
    ledger.close()
    assert os.listdir(filled.base.pages) == []


def test_what_still_tells_of_it_is_named(filled: Rig) -> None:
    (filled.base.root / "window.json").write_text(f'{{"history": ["{WORD}"]}}')
    assert purge(filled.base, [str(filled.folder / "secret")]).left == ["window.json"]
