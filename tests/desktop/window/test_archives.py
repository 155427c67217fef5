"""What archives have, in the window: where it lives, that nothing moves for it, what can't be done
with it, and the settings' page."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from desktop.presentation import archive_strings as a
from desktop.results.model import spoken
from desktop.settings.archives_page import ArchivesPage, health
from desktop.window.completions import Known, completions
from desktop.window.result_commands import check_here
from desktop.window.window import Window
from desktop.wording import telling
from engine.contract.archives import FAULTS, ArchiveTold
from engine.contract.errors import InklingError
from engine.contract.types import Coverage, Hit
from tests.desktop.scripted_indexer import COVERED, ScriptedIndexer, hit
from tests.waiting import PATIENCE

LAB = {"name": "Lab", "url": "https://lab.example", "title": "The laboratory", "fault": ""}


def rows(window: Window) -> list[str]:
    return [window.model.index(r, 0).data() for r in range(window.model.rowCount())]


def stage(name: str, *hits: dict[str, Any], **covered: Any) -> dict[str, Any]:
    return {"hits": list(hits), "stage": name, "coverage": {**COVERED, **covered}}


HERE = hit("/d/here.md", snippet="words")
THERE = hit("/srv/there.md", snippet="words", archive="Lab", size=4)


class Later:
    """An answer whose archive comes when it is let."""

    def __init__(self, indexer: ScriptedIndexer, *merged: dict[str, Any]) -> None:
        self.come = threading.Event()
        self._merged = merged
        indexer.stages = self._stages

    def _stages(self, _body: dict[str, Any]) -> Iterable[dict[str, Any]]:
        yield stage("rescored", HERE)
        assert self.come.wait(PATIENCE)
        yield stage("merged", *self._merged)


@pytest.fixture
def later(indexer: ScriptedIndexer) -> Iterator[Later]:
    made = Later(indexer, THERE, HERE)
    yield made
    made.come.set()


def test_what_comes_later_is_sorted_in_while_nobody_looks(
    qtbot: QtBot, window: Window, later: Later
) -> None:
    window.search.set_text("words")
    qtbot.waitUntil(lambda: rows(window) == ["here.md"])
    later.come.set()
    qtbot.waitUntil(lambda: rows(window) == ["there.md", "here.md"])
    assert window.answers.notice.isHidden()


def test_what_is_pointed_at_stays_and_a_line_offers_the_rest(
    qtbot: QtBot, window: Window, later: Later
) -> None:
    window.search.set_text("words")
    qtbot.waitUntil(lambda: rows(window) == ["here.md"])
    QTest.keyClick(window.results, Qt.Key.Key_Home)
    assert window.model.frozen
    later.come.set()
    qtbot.waitUntil(lambda: rows(window) == ["here.md", "there.md"])
    assert window.results.hit().path == "/d/here.md"
    said = a.MORE_ARCHIVED.format(names="Lab")
    qtbot.waitUntil(lambda: said in _texts(window.answers.notice))
    (button,) = [
        b for b in window.answers.notice.findChildren(QPushButton) if b.text() == a.SORT_IN
    ]
    button.click()
    assert rows(window) == ["there.md", "here.md"]
    assert said not in _texts(window.answers.notice)


def _texts(widget: Any) -> list[str]:
    return [label.text() for label in widget.findChildren(QLabel)]


def test_two_machines_may_have_the_same_path(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    other = hit("/srv/there.md", archive="Other", snippet="words")
    indexer.stages = lambda _body: [stage("merged", THERE, other)]
    window.search.set_text("words")
    qtbot.waitUntil(lambda: rows(window) == ["there.md", "there.md"])


def test_an_archive_that_is_away_is_said(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    said = FAULTS["away"].format(name="Lab")
    away = stage("merged", HERE, complete=False, message=said, away={"Lab": "away"})
    indexer.stages = lambda _body: [stage("rescored", HERE), away]
    window.search.set_text("words")
    qtbot.waitUntil(lambda: said in _texts(window.answers.notice))


def test_it_is_heard_where_a_file_lives() -> None:
    assert a.IN_ARCHIVE.format(name="Lab") in spoken(Hit("/srv/a.md", archive="Lab"))
    assert telling.covered(Coverage(message="x", away={"Lab": "of a newer Inkling"})) == "x"


def test_only_the_same_file_is_opened_here(tmp_path: Path) -> None:
    file = tmp_path / "there.md"
    with pytest.raises(InklingError, match="in the archive Lab"):
        check_here(Hit(str(file), archive="Lab", size=4))
    file.write_text("1234")
    check_here(Hit(str(file), archive="Lab", size=4))
    with pytest.raises(InklingError, match="in the archive Lab"):
        check_here(Hit(str(file), archive="Lab", size=5))
    check_here(Hit("/nowhere.md"))


def test_its_path_is_copied_and_its_file_never_changed(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, tmp_path: Path
) -> None:
    file = tmp_path / "there.md"
    file.write_text("1234")
    indexer.stages = lambda _body: [stage("merged", hit(str(file), archive="Lab", size=4))]
    window.search.set_text("words")
    qtbot.waitUntil(lambda: rows(window) == ["there.md"])
    window.results.step(0)
    window.actions_by_id["copy_path"].trigger()
    assert QGuiApplication.clipboard().text() == str(file)
    for action in ("trash", "rename", "explain", "similar", "leave_out"):
        window.actions_by_id[action].trigger()
    assert file.read_text() == "1234"
    assert rows(window) == ["there.md"]
    assert indexer.bodies("POST", "/v1/similar") == []
    assert window.model.mimeData([window.model.index(0, 0)]).urls() == []


def test_the_preview_gets_its_text_from_the_archive(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    asked: list[dict[str, Any]] = []

    def text(body: dict[str, Any]) -> dict[str, str]:
        asked.append(body)
        return {"text": "all of it"}

    indexer.answers["GET", "/v1/text"] = text
    indexer.stages = lambda _body: [stage("merged", THERE)]
    window.search.set_text("words")
    qtbot.waitUntil(lambda: "all of it" in window.preview.shown_text())
    assert asked[0]["archive"] == "Lab"


class TestPage:
    @pytest.fixture
    def page(self, qtbot: QtBot, window: Window, indexer: ScriptedIndexer) -> ArchivesPage:
        indexer.answers["GET", "/v1/archives"] = {"archives": [LAB]}
        made = ArchivesPage(window.service, window)
        qtbot.addWidget(made)
        qtbot.waitUntil(lambda: window.service.ready)
        made.show()
        qtbot.waitUntil(lambda: "Lab" in _texts(made))
        return made

    def test_one_is_added_and_removed(
        self, qtbot: QtBot, page: ArchivesPage, indexer: ScriptedIndexer
    ) -> None:
        added = {**LAB, "name": "Two"}
        indexer.answers["POST", "/v1/archives"] = {"archives": [LAB, added]}
        indexer.answers["DELETE", "/v1/archives"] = {"archives": [added]}
        page.name.setText("Two")
        page.address.setText(" https://two.example ")
        page.token.setText("secret")
        page.add.click()
        qtbot.waitUntil(lambda: "Two" in _texts(page))
        sent = {"name": "Two", "url": "https://two.example", "token": "secret", "authority": ""}
        assert indexer.bodies("POST", "/v1/archives") == [sent]
        assert page.token.text() == ""
        named = a.REMOVE_ONE.format(name="Lab")
        (remove,) = [b for b in page.findChildren(QPushButton) if b.accessibleName() == named]
        remove.click()
        qtbot.waitUntil(lambda: "Lab" not in _texts(page))
        assert indexer.bodies("DELETE", "/v1/archives") == [{"name": "Lab"}]

    def test_what_goes_there_is_said(self, page: ArchivesPage) -> None:
        assert a.HELP in _texts(page)

    def test_how_each_is(self) -> None:
        told = ArchiveTold("Lab", "https://lab")
        assert health(told) == a.ANSWERS
        assert "refuses the token" in health(ArchiveTold("Lab", "https://lab", fault="token"))
        other = ArchiveTold("Lab", "https://lab", model="x", judged=False)
        assert "another model (x)" in health(other)


def test_the_status_line_says_which_is_away(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    said = FAULTS["away"].format(name="Lab")
    folder = {"path": "/d", "online": True, "files": 3, "done": 3}
    indexer.status |= {"folders": [folder], "archives_away": {"Lab": "away"}}
    window.service.refresh()
    qtbot.waitUntil(lambda: said in window.status.label.text())


def test_names_are_offered_where_the_filter_is_typed() -> None:
    today = dt.date(2026, 1, 1)
    some = Known(archives=("Lab",))
    assert [c.text for c in completions("archive:", 8, some, today)] == ["here", "Lab"]
    assert "archive:" in [c.text for c in completions(":", 1, some, today)]
    assert "archive:" not in [c.text for c in completions(":", 1, Known(), today)]


def test_asked_once_more_what_archives_have_does_not_go_and_come(
    qtbot: QtBot, window: Window, later: Later
) -> None:
    window.search.set_text("words")
    later.come.set()
    with qtbot.waitSignal(window.service.search_finished):
        pass
    assert rows(window) == ["there.md", "here.md"]
    later.come.clear()
    came: list[str] = []
    window.service.stage_arrived.connect(lambda stage: came.append(stage.stage))
    window.ask.renew(grown=True, at_once=True)
    qtbot.waitUntil(lambda: came == ["rescored"])
    assert rows(window) == ["there.md", "here.md"]
    with qtbot.waitSignal(window.service.search_finished):
        later.come.set()
    assert rows(window) == ["there.md", "here.md"]
