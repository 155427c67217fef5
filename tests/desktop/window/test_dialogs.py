"""Every dialog: settings from the table, index panel, first run, palette, shortcuts, explain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMessageBox,
    QPushButton,
    QSpinBox,
    QWidget,
)
from pytestqt.modeltest import ModelTester
from pytestqt.qtbot import QtBot

from desktop import strings as s
from desktop.connection import IndexerConnection
from desktop.index.explanation_dialog import ExplanationDialog
from desktop.index.panel import IndexPanel
from desktop.index.problem_list import ProblemModel
from desktop.settings.dialog import LinesEdit, SettingsDialog
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.window.actions import ACTIONS
from desktop.window.onboarding import Onboarding, Suggestion, suggestions
from desktop.window.shortcut_page import ShortcutPage
from desktop.window.window import Window
from engine.contract.paths import BaseDir
from engine.contract.settings import SETTINGS, Settings
from tests.desktop.scripted_indexer import ScriptedIndexer


@pytest.fixture
def owner(qtbot: QtBot) -> QWidget:
    made = QWidget()
    qtbot.addWidget(made)
    made.resize(900, 600)
    return made


def press(box: QMessageBox) -> None:
    """The button that does it, not the one that cancels."""
    cancel = box.button(QMessageBox.StandardButton.Cancel)
    next(button for button in box.buttons() if button is not cancel).click()


def settings(base: BaseDir) -> SettingsClient:
    """The settings where no indexer is."""
    service = IndexerConnection(base)
    made = SettingsClient(base, Settings.load(base), service)
    service.setParent(made)
    return made


class TestSettings:
    @pytest.fixture
    def dialog(self, qtbot: QtBot, base: BaseDir) -> Iterator[SettingsDialog]:
        made = SettingsDialog(settings(base))
        qtbot.addWidget(made)
        made.show()
        yield made
        made.hide()

    def test_every_setting_has_an_editor_with_name_and_help(self, dialog: SettingsDialog) -> None:
        assert set(dialog.editors) == {key for key, row in SETTINGS.items() if not row.hidden}
        for key, editor in dialog.editors.items():
            assert editor.accessibleName() == SETTINGS[key].title
            assert editor.accessibleDescription() == SETTINGS[key].help

    def test_each_editor_changes_its_setting(self, qtbot: QtBot, dialog: SettingsDialog) -> None:
        settings = dialog._settings.values
        changed: list[str] = []
        dialog._settings.changed.connect(changed.append)
        for key, editor in dialog.editors.items():
            before = settings.get(key)
            if isinstance(editor, QCheckBox):
                editor.click()
            elif isinstance(editor, QComboBox):
                editor.setCurrentIndex((editor.currentIndex() + 1) % editor.count())
            elif isinstance(editor, QSpinBox):
                editor.setValue(editor.value() + 30)
            elif isinstance(editor, LinesEdit):
                editor.insertPlainText("*.log\n\n old/ ")
                assert settings.get(key) == before  # half a pattern must not count
                editor.finish()
            elif isinstance(editor, QLineEdit):
                editor.setText("edit {path}")
                editor.editingFinished.emit()
            if not SETTINGS[key].page:
                assert settings.get(key) != before, key
                assert changed[-1] == key
        assert settings.excluded == ("*.log", "old/")

    def test_the_model_is_chosen_on_its_own_page(
        self, qtbot: QtBot, dialog: SettingsDialog
    ) -> None:
        button = dialog.editors["model"]
        assert isinstance(button, QPushButton)
        with qtbot.waitSignal(dialog.page_wanted) as wanted:
            button.click()
        assert wanted.args == ["models"]

    def test_zero_has_words_and_the_gap_above_it_is_jumped(self, dialog: SettingsDialog) -> None:
        scale = dialog.editors["scale"]
        assert isinstance(scale, QSpinBox)
        assert scale.text() == "Like the desktop"
        scale.setValue(1)
        assert scale.value() == 75
        scale.setValue(74)
        assert scale.value() == 0
        assert dialog._settings.values.scale == 0

    def test_a_restart_is_offered_where_one_is_needed(
        self, qtbot: QtBot, dialog: SettingsDialog
    ) -> None:
        dialog.editors["theme"].setCurrentIndex(2)
        assert not dialog._restart.isVisible()
        dialog.editors["scale"].setValue(200)
        assert dialog._restart.isVisible()
        with qtbot.waitSignal(dialog.restart_wanted):
            dialog._restart.click()

    def test_messages_of_a_bad_file_are_shown(self, qtbot: QtBot, base: BaseDir) -> None:
        base.settings.write_text("workers = 'many'\n")
        dialog = SettingsDialog(settings(base))
        qtbot.addWidget(dialog)
        dialog.show()
        assert "Files read at the same time" in dialog._message.text()


def test_a_changed_setting_is_sent_and_followed(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer, base: BaseDir
) -> None:
    window.commands.run("settings")
    dialog = window.commands._dialogs["settings"]
    assert isinstance(dialog, SettingsDialog)
    with qtbot.waitSignal(window.settings.changed) as changed:
        dialog.editors["ocr"].click()
    assert changed.args == ["ocr"]
    qtbot.waitUntil(lambda: indexer.bodies("PATCH", "/v1/settings") == [{"ocr": False}])
    assert not base.settings.exists()  # the indexer alone writes it


def test_an_open_dialog_shows_what_is_changed_elsewhere(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    window.commands.run("settings")
    dialog = window.commands._dialogs["settings"]
    assert isinstance(dialog, SettingsDialog)
    elsewhere = {
        "theme": "dark", "ocr": False, "scale": 150, "excluded": ["*.log"], "editor_command": "vi",
    }  # fmt: skip
    for key, value in elsewhere.items():
        indexer.change_setting(key, value)
    window.service.refresh()
    editors = dialog.editors
    qtbot.waitUntil(lambda: editors["theme"].currentData() == "dark")
    assert not editors["ocr"].isChecked()
    assert editors["scale"].value() == 150
    assert editors["excluded"].lines() == ["*.log"]
    assert editors["editor_command"].text() == "vi"
    assert dialog._restart.isVisibleTo(dialog)
    dialog.close()
    assert indexer.bodies("PATCH", "/v1/settings") == []  # shown, not set again


def test_lines_being_typed_are_not_overwritten(qtbot: QtBot, owner: QWidget) -> None:
    lines = LinesEdit(["old/"], owner)
    edited: list[list[str]] = []
    lines.edited.connect(edited.append)
    lines.finish()  # nothing was typed: nothing is set
    lines.show_lines(["*.log"])
    assert lines.lines() == ["*.log"]
    lines.insertPlainText("new/\n")
    lines.show_lines(["elsewhere/"])
    assert lines.lines() == ["new/", "*.log"]
    lines.finish()
    assert edited == [["new/", "*.log"]]


class TestIndexPanel:
    FOLDERS = (
        {"path": "/d/A", "online": True, "files": 10, "pending": 4, "eta_s": 120, "failed": 2},
        {"path": "/media/B", "online": False, "files": 3, "pending": 0},
    )

    @pytest.fixture
    def panel(
        self, qtbot: QtBot, service: IndexerConnection, indexer: ScriptedIndexer, owner: QWidget
    ) -> IndexPanel:
        indexer.status.update(folders=list(self.FOLDERS), totals={"files": 13, "failed": 2})
        made = IndexPanel(service, owner)
        made.show()
        with qtbot.waitSignal(service.status_changed):
            service.refresh()
        return made

    def test_folders_show_progress_and_are_removed_only_after_asking(
        self, qtbot: QtBot, panel: IndexPanel, indexer: ScriptedIndexer
    ) -> None:
        rows = panel.folders._rows
        assert set(rows) == {"/d/A", "/media/B"}
        assert rows["/d/A"].bar.value() == 600
        assert "2 minutes left" in rows["/d/A"]._text.text()
        assert rows["/media/B"]._text.text().startswith(s.FOLDER_OFFLINE)
        assert panel.tabs.tabText(1) == "Problems (2)"
        indexer.answers["DELETE", "/v1/folders"] = {"files": 3}
        rows["/media/B"].remove.click()
        box = panel.findChild(QMessageBox)
        assert box is not None
        assert not indexer.bodies("DELETE", "/v1/folders")
        press(box)
        qtbot.waitUntil(lambda: bool(indexer.bodies("DELETE", "/v1/folders")))
        assert indexer.bodies("DELETE", "/v1/folders")[0]["paths"] == ["/media/B"]

    def test_a_long_folder_leaves_room_for_what_can_be_done_with_it(
        self, qtbot: QtBot, panel: IndexPanel
    ) -> None:
        path = "/d/" + "a very long name " * 40
        panel.folders.show_status({"folders": [{"path": path, "files": 1}]})
        panel.show()
        qtbot.waitUntil(lambda: panel.folders._rows[path].remove.isVisible())
        remove = panel.folders._rows[path].remove
        assert remove.mapTo(panel, remove.rect().topRight()).x() < panel.width()
        assert remove.visibleRegion().boundingRect() == remove.rect()

    def test_pause_and_resume(
        self, qtbot: QtBot, panel: IndexPanel, service: IndexerConnection, indexer: ScriptedIndexer
    ) -> None:
        indexer.answers["POST", "/v1/pause"] = {"state": "paused"}
        indexer.answers["POST", "/v1/resume"] = {"state": "idle"}
        panel.folders.pause.click()
        qtbot.waitUntil(lambda: indexer.bodies("POST", "/v1/pause") == [{"seconds": None}])
        indexer.status["state"] = "paused"
        service.refresh()
        qtbot.waitUntil(lambda: panel.folders.pause.text() == s.RESUME)
        panel.folders.pause.click()
        qtbot.waitUntil(lambda: bool(indexer.bodies("POST", "/v1/resume")))

    def test_problems_are_listed_and_tried_again(
        self, qtbot: QtBot, panel: IndexPanel, indexer: ScriptedIndexer
    ) -> None:
        problem = {
            "path": "/d/A/x.pdf", "state": "failed", "reason": "broken",
            "sentence": "The file is damaged.", "detail": "", "retry": True,
        }  # fmt: skip
        hopeless = {**problem, "path": "/d/A/y.pdf", "retry": False}
        indexer.answers["GET", "/v1/problems"] = lambda query: {
            "problems": [problem, hopeless] if query["state"] == "failed" else [], "counts": {},
        }  # fmt: skip
        indexer.answers["POST", "/v1/retry"] = {"files": 1}
        panel.show_tab("problems")
        page = panel.problems
        qtbot.waitUntil(lambda: page.list.model().rowCount() == 2)
        page.list.setCurrentIndex(page.list.model().index(1, 0))
        QTest.keyClick(page.list, Qt.Key.Key_Return)  # nothing to do for this one
        page.list.setCurrentIndex(page.list.model().index(0, 0))
        QTest.keyClick(page.list, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: bool(indexer.bodies("POST", "/v1/retry")))
        assert indexer.bodies("POST", "/v1/retry") == [{"paths": ["/d/A/x.pdf"]}]
        page.all.click()
        qtbot.waitUntil(lambda: len(indexer.bodies("POST", "/v1/retry")) == 2)
        assert indexer.bodies("POST", "/v1/retry")[1] == {"paths": None}

    def test_withheld_files_are_allowed_only_after_asking(
        self, qtbot: QtBot, panel: IndexPanel, indexer: ScriptedIndexer
    ) -> None:
        problem = {
            "path": "/d/A/.env", "state": "withheld", "reason": "secret-name",
            "sentence": "Its name says that it holds secrets.", "retry": False,
        }  # fmt: skip
        indexer.answers["GET", "/v1/problems"] = {"problems": [problem], "counts": {}}
        indexer.answers["POST", "/v1/allow"] = {"files": 1}
        panel.show_tab("withheld")
        view = panel.withheld.list
        qtbot.waitUntil(lambda: view.model().rowCount() == 1)
        rect = view.visualRect(view.model().index(0, 0))
        button = view._delegate.button(rect.toRectF(), view.font()).center().toPoint()
        QTest.mouseClick(view.viewport(), Qt.MouseButton.LeftButton, pos=button)
        box = panel.findChild(QMessageBox)
        assert box is not None
        press(box)
        qtbot.waitUntil(lambda: indexer.bodies("POST", "/v1/allow") == [{"paths": ["/d/A/.env"]}])

    def test_a_model_is_used_only_after_its_licence(
        self, qtbot: QtBot, panel: IndexPanel, indexer: ScriptedIndexer
    ) -> None:
        indexer.answers["GET", "/v1/models"] = {
            "models": [
                {"id": "minilm", "title": "MiniLM", "licence": "Apache-2.0", "download_bytes": 0},
                {"id": "big", "title": "Big", "licence": "NC", "commercial_use": False,
                 "download_bytes": 7_500_000_000},
            ],
            "current": "minilm",
        }  # fmt: skip
        indexer.answers["POST", "/v1/models/use"] = {}
        panel.show_tab("model")

        def buttons() -> list[QPushButton]:
            card = panel.model.encoder
            found = panel.model.findChildren(QPushButton)
            return [b for b in found if b.isVisibleTo(panel.model) and not card.isAncestorOf(b)]

        qtbot.waitUntil(lambda: len(buttons()) == 1)
        texts = [label.text() for label in panel.model.findChildren(QLabel)]
        assert any("Not for commercial use" in t and "7.5 GB" in t for t in texts)
        buttons()[0].click()
        assert not indexer.bodies("POST", "/v1/models/use")
        press(panel.findChild(QMessageBox))
        qtbot.waitUntil(lambda: bool(indexer.bodies("POST", "/v1/models/use")))
        assert indexer.bodies("POST", "/v1/models/use")[0]["id"] == "big"


def test_problem_model(qtmodeltester: ModelTester) -> None:
    model = ProblemModel()
    model.show([{"path": f"/d/{n}", "sentence": "No."} for n in range(3)])
    qtmodeltester.check(model)


class TestOnboarding:
    @pytest.fixture
    def page(
        self,
        qtbot: QtBot,
        service: IndexerConnection,
        indexer: ScriptedIndexer,
        owner: QWidget,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Onboarding:
        home = Path.home()
        for name in ("Documents", "Pictures", "code"):
            (home / name).mkdir(parents=True)
        indexer.answers["POST", "/v1/estimate"] = {
            "files": 1000, "bytes": 5_000_000, "by_kind": {}, "seconds": 600,
        }  # fmt: skip
        made = Onboarding(service, owner)
        made.show()
        return made

    def test_only_folders_that_exist_are_offered_and_never_home(self) -> None:
        home = Path.home()
        (home / "Documents").mkdir()
        (home / "src").mkdir()
        assert {Path(x.path).name for x in suggestions()} == {"Documents", "src"}

    def test_folders_are_counted_chosen_and_added(
        self, qtbot: QtBot, page: Onboarding, indexer: ScriptedIndexer
    ) -> None:
        indexer.answers["POST", "/v1/folders"] = {"folders": []}
        page.begin()
        page.begin()
        assert len(page._rows) == 3
        qtbot.waitUntil(lambda: len(page._estimates) == 3)
        assert "3,000 files" in page._total.text()
        assert "30 minutes" in page._total.text()
        next(iter(page._rows.values()))[0].click()
        assert "2,000 files" in page._total.text()
        with qtbot.waitSignal(page.finished):
            page.start.click()
        assert len(indexer.bodies("POST", "/v1/folders")[0]["paths"]) == 2

    def test_start_needs_a_folder_and_an_error_is_said(
        self, qtbot: QtBot, page: Onboarding, indexer: ScriptedIndexer
    ) -> None:
        page.begin()
        for box, _ in page._rows.values():
            box.setChecked(False)
        assert not page.start.isEnabled()
        page.offer(Suggestion("/nowhere", "Nowhere", True))
        page._sum()
        page.start.click()  # the script has no answer: 404
        qtbot.waitUntil(lambda: page.notice.isVisibleTo(page))
        assert page.start.isEnabled()

    def test_first_run_is_shown_once(
        self, qtbot: QtBot, window: Window, indexer: ScriptedIndexer
    ) -> None:
        window.state.onboarded = False
        indexer.status["folders"] = []
        window.service.refresh()
        qtbot.waitUntil(lambda: window.onboarding.isVisible())
        window.onboarding.later.click()
        assert window.state.onboarded
        assert not window.onboarding.isVisible()
        qtbot.waitUntil(lambda: window.empty.sentence == s.NO_FOLDERS)


def test_shortcut_page_shows_every_key(qtbot: QtBot, owner: QWidget) -> None:
    page = ShortcutPage(owner)
    page.show()
    texts = {label.text() for label in page.findChildren(QLabel)}
    for spec in ACTIONS.values():
        if spec.keys:
            assert s.tr(spec.title).rstrip("…") in texts
    assert "kind:pdf" in texts


def test_explain_shows_the_answer(
    qtbot: QtBot, service: IndexerConnection, indexer: ScriptedIndexer, owner: QWidget
) -> None:
    indexer.answers["GET", "/v1/explain"] = {
        "path": "/d/a", "state": "done", "sentence": "It is indexed.", "rule": None,
        "units": [1, 2],
        "query": {"dense": {"rank": 3, "score": 0.5}, "late": None, "shares": {"dense": 0.4}},
    }  # fmt: skip
    dialog = ExplanationDialog(service, "/d/a", "query", owner)
    dialog.show()
    qtbot.waitUntil(lambda: dialog._sentence.text() == "It is indexed.")
    texts = {label.text() for label in dialog.findChildren(QLabel)}
    assert {"Passages", "2", "Meaning", "place 3, counts much"} <= texts
    numbers = {label.toolTip() for label in dialog.findChildren(QLabel)}
    assert "score 0.500, adds 0.40" in numbers
    assert {"Meaning, word by word", "not found"} <= texts


def test_explain_without_a_question_says_why_it_is_listed(
    qtbot: QtBot, service: IndexerConnection, indexer: ScriptedIndexer, owner: QWidget
) -> None:
    path = "/d/" + "long folder/" * 30 + "a.txt"
    placed = {key: {"rank": 1, "score": 0.5} for key in s.EXPLAINED}
    told = {"path": path, "state": "done", "units": [], "query": placed}
    indexer.answers["GET", "/v1/explain"] = told
    dialog = ExplanationDialog(service, path, "", owner)
    dialog.show()
    qtbot.waitUntil(lambda: s.EXPLAINED_RECENT in dialog._sentence.text())
    (label,) = [one for one in dialog.findChildren(QLabel) if one.text() == path]
    qtbot.waitUntil(lambda: label.height() >= label.heightForWidth(label.width()))  # none of it cut
    (close,) = dialog.findChildren(QPushButton)
    assert close.icon().isNull()


def test_numbers_can_be_stepped_with_the_pointer(
    qtbot: QtBot, base: BaseDir, service: IndexerConnection, indexer: ScriptedIndexer
) -> None:
    settings = SettingsClient(base, Settings.load(base), service)
    dialog = SettingsDialog(settings)
    qtbot.addWidget(dialog)
    dialog.show()
    spin = dialog.editors["result_limit"]
    assert isinstance(spin, QSpinBox)
    dialog._sections.setCurrentRow(1)
    before = spin.value()
    up = QPoint(spin.width() - 8, 6)  # the upper arrow
    qtbot.mouseClick(spin, Qt.MouseButton.LeftButton, pos=up)
    assert spin.value() > before
    rows = {dialog._sections.visualItemRect(dialog._sections.item(n)).height() for n in range(5)}
    assert rows == {32}  # from the first look on
    settings.close()


def test_history_is_cleared_under_privacy(
    qtbot: QtBot, window: Window, indexer: ScriptedIndexer
) -> None:
    window.state.history, window.state.saved = ["secret plans"], ["kept"]
    window.state.note_opened("/d/a.txt")
    window.show_home()
    assert [b.accessibleName() for b in window.searches.buttons] == ["kept", "secret plans"]
    window.commands.run("settings")
    dialog = window.commands._dialogs["settings"]
    assert isinstance(dialog, SettingsDialog)
    buttons = {button.text(): button for button in dialog.findChildren(QPushButton)}
    buttons[s.CLEAR_HISTORY].click()
    assert (window.state.history, window.state.opened, window.state.saved) == ([], {}, ["kept"])
    assert State.load(window.base.root).history == []
    assert [b.accessibleName() for b in window.searches.buttons] == ["kept"]
