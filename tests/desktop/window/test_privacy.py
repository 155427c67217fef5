"""The page of privacy: what it says, what agents were given, and taking a folder out."""

from __future__ import annotations

import shutil

import pytest
from PySide6.QtWidgets import QMessageBox
from pytestqt.qtbot import QtBot

from desktop.index.panel import IndexPanel
from desktop.index.privacy_page import PrivacyPage
from desktop.presentation.privacy_strings import NO_AGENTS
from desktop.system.purging import Purged, purge
from desktop.window.window import Window
from engine.contract.agent_log import AgentLog
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from indexer.ledger.ledger import Found, Ledger
from tests.desktop.scripted_indexer import ScriptedIndexer
from tests.desktop.window.test_dialogs import press


@pytest.fixture
def page(qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> PrivacyPage:
    """Opened by its action, with what it asks for answered."""
    indexer.status["totals"] = {"files": 1203, "withheld": 2}
    indexer.status["folders"] = [{"path": "/home/ada/Documents"}]
    partly = [{"path": "/a", "detail": "1 secret withheld: AWS Access Key"}, {"path": "/b"}]
    indexer.answers["GET", "/v1/problems"] = {"problems": partly, "counts": {}}
    indexer.answers["GET", "/v1/values"] = {"values": {"kind": {"pdf": 1200, "code": 1}}}
    log = AgentLog(window.base)
    log.note("search", ["/home/ada/a.md", "/home/ada/b.md"], 300)
    log.note("read", ["/home/ada/a.md"], 1)
    window.commands.run("privacy")
    panel = window.commands._dialogs["index"]
    assert isinstance(panel, IndexPanel)
    qtbot.waitUntil(lambda: bool(panel.privacy.indexed.text()))
    return panel.privacy


def test_it_says_what_is_known(page: PrivacyPage, window: Window) -> None:
    assert page.indexed.text() == "1,203 files in 1 folder are known."
    assert "PDFs 1,200 · Code 1" in page.kept_back.text()
    assert "Withheld as secret: 2 files. With a secret taken out: 1 file." in page.kept_back.text()
    assert window.base.root.name in page.place.text()


def test_what_agents_were_given_is_seen_and_forgotten(page: PrivacyPage, window: Window) -> None:
    rows = [page.agents.item(n).text() for n in range(page.agents.count())]
    assert [row.split(" · ", 1)[1] for row in rows] == [
        "read · /home/ada/a.md · 1 character",
        "search · /home/ada/a.md and 1 more · 300 characters",
    ]
    page.forget.click()
    assert page.agents.item(0).text() == NO_AGENTS
    assert AgentLog(window.base).entries() == []


def test_a_folder_is_taken_out(
    qtbot: QtBot, page: PrivacyPage, window: Window, indexer: ScriptedIndexer
) -> None:
    """By the real process over the window's base directory."""
    indexer.answers["POST", "/v1/stop"] = {}
    kept = window.base.endpoint.read_bytes()
    folder = window.base.root.parent / "zanzibarquokkas"
    folder.mkdir()
    ledger = Ledger(window.base.ledger)
    root = ledger.add_root(folder)
    ledger.add_files(root, [Found(str(folder / "a.md").encode(), 1, 1, 1, "note")])
    ledger.close()
    page.ask(str(folder))
    (box,) = page.findChildren(QMessageBox)
    press(box)
    assert not page.take_out.isEnabled()
    qtbot.waitUntil(page.take_out.isEnabled)
    said = page.told.text()
    assert "Taken out: 1 file. In none of " in said
    assert window.base.endpoint.read_bytes() == kept
    ledger = Ledger(window.base.ledger)
    assert (ledger.roots(), ledger.files()) == ([], [])
    ledger.close()


def test_what_is_still_there_is_named(page: PrivacyPage) -> None:
    page._purged(Purged(3, 9, 20, ["window.json"], "/home/ada/x/"))
    assert "Taken out: 3 files. These still hold something of it: window.json." in page.told.text()
    assert page.told.text().endswith("the rule /home/ada/x/ leaves it out.")


def test_what_goes_wrong_is_said(tmp_path_factory: pytest.TempPathFactory) -> None:
    base = BaseDir(tmp_path_factory.mktemp("base")).create()
    base.ledger.mkdir()
    try:
        with pytest.raises(InklingError, match="could not be taken out without a trace: "):
            purge(base, ["/x"])
    finally:
        shutil.rmtree(base.root)
