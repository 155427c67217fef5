"""The window: one search field, one list, one preview, one status line."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
)
from PySide6.QtWidgets import (
    QFrame,
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop import icons
from desktop import strings as s
from desktop.connection import Question, Service
from desktop.preview.pane import PreviewPane
from desktop.results.hits import StageOfAnswer
from desktop.results.model import ResultsModel
from desktop.results.thumbnails import Thumbnails
from desktop.results.view import ResultsView
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.theme import GRID
from desktop.widgets.empty_state import EmptyState
from desktop.window import actions, chips
from desktop.window.chip_bar import ChipBar
from desktop.window.commands import Commands
from desktop.window.notice import Notice
from desktop.window.onboarding import Onboarding
from desktop.window.query_picture import picture_in
from desktop.window.search_bar import SearchBar
from desktop.window.search_controller import SearchController
from desktop.window.searches_strip import SearchesStrip
from desktop.window.status_line import StatusLine
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import Hit


class Window(QMainWindow):
    """Puts the parts together and passes what one says to the other."""

    closed = Signal()  # the person closed it; the application decides what that means
    quit_wanted = Signal()
    restart_wanted = Signal()

    def __init__(
        self, base: BaseDir, settings: SettingsClient, state: State, service: Service
    ) -> None:
        super().__init__()
        self.base, self.settings, self.state, self.service = base, settings, state, service
        self._stage: StageOfAnswer | None = None
        self._empty_action: Callable[[], None] = lambda: None
        self.thumbnails = Thumbnails(service.fetch_thumb, self)
        self.model = ResultsModel(self)
        self._build()
        self.ask = SearchController(self.search, service, base, settings, state, self.thumbnails)
        self.commands = Commands(self, self)
        self.actions_by_id = actions.build(self, self.results, self.commands.run)
        self.actions_by_id["toggle_preview"].setChecked(state.preview)
        self._connect()
        self._restore()
        self.setWindowTitle(s.APP)
        self.setWindowIcon(icons.app_icon())
        self.setAcceptDrops(True)
        actions.colour(self.actions_by_id, self.palette())
        self.show_home()

    @property
    def question(self) -> Question:
        """What is being asked."""
        return self.ask.question

    def sizeHint(self) -> QSize:
        return QSize(140 * GRID, 88 * GRID)

    def _build(self) -> None:
        self.search = SearchBar(self)
        self.chips = ChipBar(self)
        self.searches = SearchesStrip(self)
        self.notice = Notice(self)
        self.results = ResultsView(self.model, self.thumbnails, self)
        self.empty = EmptyState(self)
        self.preview = PreviewPane(self.service, self)
        self.status = StatusLine(self)
        self.onboarding = Onboarding(self.service, self)
        self._list_stack = QStackedWidget(self)
        self._list_stack.addWidget(self.results)
        self._list_stack.addWidget(self.empty)
        left = QWidget(self)
        column = _column(left)
        for widget in (self.searches, self.notice):
            column.addWidget(widget)
        column.addWidget(self._list_stack, 1)
        self.splitter = QSplitter(Qt.Orientation.Horizontal, self)
        self.splitter.setHandleWidth(1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.addWidget(left)
        self.splitter.addWidget(self.preview)
        self.splitter.setStretchFactor(0, 5)
        self.splitter.setStretchFactor(1, 6)
        left.setMinimumWidth(40 * GRID)
        main = QWidget(self)
        column = _column(main)
        chip_row = QWidget(main)
        row = _column(chip_row)
        row.setContentsMargins(2 * GRID, 0, 2 * GRID, GRID + GRID // 2)
        row.addWidget(self.chips)
        column.addWidget(self.search)
        column.addWidget(chip_row)
        column.addWidget(_hairline(main))
        column.addWidget(self.splitter, 1)
        column.addWidget(_hairline(main))
        column.addWidget(self.status)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(main)
        self._pages.addWidget(self.onboarding)
        self.setCentralWidget(self._pages)
        QWidget.setTabOrder(self.search.field, self.chips.kind)

    def _connect(self) -> None:
        search, results, service = self.search, self.results, self.service
        self.ask.typed.connect(self.chips.show_query)
        self.ask.asked.connect(self._asked)
        self.ask.emptied.connect(self._emptied)
        self.ask.failed.connect(self.tell)
        search.field.moved.connect(self._move_from_field)
        search.field.opened.connect(lambda: self.commands.run("open"))
        search.field.dismissed.connect(lambda: self.commands.run("dismiss"))
        search.attach_clicked.connect(lambda: self.commands.run("attach_picture"))
        search.menu_clicked.connect(self._show_menu)
        self.empty.clicked.connect(lambda: self._empty_action())
        self.chips.edited.connect(self.ask.search_for)
        self.searches.chosen.connect(self.ask.search_for)
        results.current_changed.connect(self._current_changed)
        results.opened.connect(lambda: self.commands.run("open"))
        results.typed.connect(self._typed_in_list)
        results.left_at_top.connect(lambda: search.focus(select=False))
        results.dismissed.connect(lambda: self.commands.run("dismiss"))
        results.menu_wanted.connect(self._show_result_menu)
        self.preview.region_chosen.connect(
            lambda image: self.ask.search_image(image, s.PICTURE_NAME)
        )
        self.preview.open_wanted.connect(lambda: self.commands.run("open"))
        self.preview.shown.connect(self._enable_actions)
        self.status.index_wanted.connect(lambda: self.commands.run("index_panel"))
        self.status.problems_wanted.connect(lambda: self.commands.run("problems"))
        self.status.pause_wanted.connect(self.commands.pause_for)
        self.status.resume_wanted.connect(self.commands.resume)
        self.onboarding.finished.connect(self._onboarded)
        service.stage_arrived.connect(self._take_stage)
        service.search_finished.connect(self._answered)
        service.search_failed.connect(self._search_failed)
        service.status_changed.connect(self._take_status)
        service.unavailable.connect(self._unavailable)
        service.connected.connect(self._available)
        self.settings.changed.connect(self._setting_changed)
        self.settings.refused.connect(self.tell)

    # Answers

    def _asked(self) -> None:
        self.results.start()
        self.searches.hide()
        self.search.set_busy(True)

    def _emptied(self) -> None:
        self.results.start()
        self.show_home()

    def _answered(self) -> None:
        self.search.set_busy(False)
        self._show_results(final=True)
        if QAccessible.isActive():  # a screen reader says how many there are
            said = s.files(self.model.rowCount()) if self.model.rowCount() else self.empty.sentence
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.results, said))

    def _take_stage(self, stage: StageOfAnswer) -> None:
        first = stage.stage == "names"
        if first and not stage.hits:
            return  # the old rows stay until there is something better
        self._stage = stage
        self.model.take(stage.hits)
        self.results.settle()
        self.chips.set_count(s.files(self.model.rowCount()) if self.model.rowCount() else "")
        self._show_results(final=stage.stage == "rescored")
        # A later stage can bring better evidence for the row that is being looked at.
        self.preview.show_hit(self.results.hit())
        self._enable_actions()

    def _show_results(self, *, final: bool) -> None:
        stage = self._stage
        if self.model.rowCount():
            self._list_stack.setCurrentWidget(self.results)
        elif final:
            filtered = bool(chips.chips(self.question.text))
            sentence = s.NOTHING_FILTERED if filtered else s.NOTHING
            if stage is not None and stage.coverage.message:
                sentence = f"{sentence} {stage.coverage.message}"
            action = s.DROP_FILTERS if filtered else s.SHOW_INDEX
            self._show_empty("search", sentence, action, self._drop_filters if filtered else None)
        if stage is None or not final:
            return
        if stage.loose and self.model.rowCount():
            self.notice.show_notice(s.LOOSE, "info")
        elif stage.weak and self.model.rowCount():
            self.notice.show_notice(s.WEAK, "info")
        elif stage.coverage.message and self.model.rowCount():
            self.notice.show_notice(stage.coverage.message, "index")
        else:
            self.notice.show_notice("")

    def _drop_filters(self) -> None:
        self.ask.search_for(chips.words(self.question.text))

    def _show_empty(
        self, icon: str, sentence: str, action: str, then: Callable[[], None] | None = None
    ) -> None:
        self._empty_action = then or (lambda: self.commands.run("index_panel"))
        self.empty.show_state(icon, sentence, action)
        self._list_stack.setCurrentWidget(self.empty)
        self.preview.show_hit(None)

    def show_home(self) -> None:
        """An empty field: kept and latest searches, the files used last."""
        self.search.set_busy(False)
        self.notice.show_notice("")
        self.chips.set_count("")
        self._stage = None
        history = self.state.history if self.settings.values.remember_searches else []
        self.searches.show_searches(self.state.saved, history)
        self.service.recent(self._take_recent)
        if not self.model.rowCount():
            self._show_empty(
                "search", s.NO_RECENT, s.NO_RECENT_ACTION, lambda: self.commands.run("shortcuts")
            )

    def _take_recent(self, hits: list[Hit]) -> None:
        if not self.question.empty:
            return
        opened = self.state.opened
        hits = sorted(hits, key=lambda hit: -max(opened.get(hit.path, 0.0), hit.mtime))
        self.model.start()
        self.model.take(hits)
        if hits:
            self._list_stack.setCurrentWidget(self.results)
            self.results.settle()
            self.preview.show_hit(self.results.hit())
            self.chips.set_count(s.RECENT)

    def _search_failed(self, error: InklingError) -> None:
        self.search.set_busy(False)
        self.tell(error)
        self.service.refresh()

    def tell(self, error: InklingError) -> None:
        """An error a person can read, above the results."""
        self.notice.show_notice(f"{error.message} {error.hint}".strip(), "warning")

    # Status

    def _take_status(self, status: dict[str, Any]) -> None:
        folders = [str(folder["path"]) for folder in status.get("folders", ())]
        self.chips.set_folders(folders)
        self.status.show_status(status)
        if not folders and not self.state.onboarded:
            self._pages.setCurrentWidget(self.onboarding)
            self.onboarding.begin()
        elif not folders and not self.model.rowCount() and self.question.empty:
            self._show_empty(
                "folder", s.NO_FOLDERS, s.CHOOSE_FOLDERS, lambda: self.commands.run("add_folder")
            )
        elif self.question.empty and not self.model.rowCount():
            self.service.recent(self._take_recent)

    def _unavailable(self, error: InklingError) -> None:
        self.search.set_busy(False)
        self.status.show_unavailable(s.NO_INDEXER)
        self.notice.show_notice(
            f"{error.message} {error.hint}".strip(),
            "warning",
            s.START_INDEXER,
            self.restart_indexer,
        )

    def _available(self) -> None:
        if self.notice.button.text() == s.START_INDEXER:
            self.notice.show_notice("")
        if not self.question.empty:
            self.ask.again()

    def restart_indexer(self) -> None:
        """Start the indexer again and say so."""
        self.notice.show_notice("")
        self.status.show_starting()
        self.service.start()

    def _onboarded(self) -> None:
        self.state.onboarded = True
        self.state.save()
        self._pages.setCurrentIndex(0)
        self.search.focus()
        self.service.refresh()

    # Moving about

    def _move_from_field(self, rows: int) -> None:
        if not self.model.rowCount():
            return
        page = abs(rows) == 1000
        steps = rows // 1000 * self.results.page_rows() if page else rows
        if rows < 0 and self.results.currentIndex().row() <= 0:
            return
        self.results.step(steps)
        if not page:
            self.results.setFocus(Qt.FocusReason.OtherFocusReason)

    def _typed_in_list(self, text: str) -> None:
        field = self.search.field
        self.search.focus(select=False)
        field.end(False)
        if text == "\b":
            field.backspace()
        else:
            field.insert(text)

    def _current_changed(self, hit: Hit | None) -> None:
        self.preview.show_hit(hit)
        self._enable_actions()
        self.commands.follow(hit)

    def _enable_actions(self) -> None:
        hit = self.results.hit()
        there = {
            "": True,
            "hit": hit is not None,
            "picture": self.preview.has_picture,
            "pages": self.preview.page is not None,
            "query": bool(self.question.text.strip()),
        }
        for name, action in self.actions_by_id.items():
            action.setEnabled(there[actions.ACTIONS[name].needs])

    def menu(self) -> QMenu:
        """All actions by menu, from the table."""
        menu = QMenu(self)
        for title in actions.MENUS:
            part = menu.addMenu(s.tr(title))
            for spec in actions.ACTIONS.values():
                if spec.menu == title:
                    part.addAction(self.actions_by_id[spec.id])
        return menu

    def _show_menu(self) -> None:
        menu = self.menu()
        menu.aboutToHide.connect(menu.deleteLater)
        button = self.search.menu
        at = button.mapToGlobal(button.rect().bottomRight())
        menu.popup(QPoint(at.x() - menu.sizeHint().width(), at.y() + 4))

    def _show_result_menu(self, where: QPoint) -> None:
        menu = QMenu(self)
        menu.aboutToHide.connect(menu.deleteLater)
        for spec in actions.ACTIONS.values():
            if spec.menu == "Result" or spec.id in ("similar", "search_region"):
                menu.addAction(self.actions_by_id[spec.id])
        menu.popup(where)

    def _setting_changed(self, key: str) -> None:
        if key == "result_limit" and not self.question.empty:
            self.ask.again()

    # The window itself

    def request_quit(self) -> None:
        self.quit_wanted.emit()

    def request_restart(self) -> None:
        self.restart_wanted.emit()

    def set_preview_shown(self, shown: bool) -> None:
        self.state.preview = shown
        self.preview.setVisible(shown)
        self.actions_by_id["toggle_preview"].setChecked(shown)

    def _restore(self) -> None:
        if self.state.geometry:
            self.restoreGeometry(QByteArray(base64.b64decode(self.state.geometry)))
        else:
            self.resize(self.sizeHint())
        if len(self.state.splitter) == 2:
            self.splitter.setSizes(self.state.splitter)
        else:
            self.splitter.setSizes([62 * GRID, 78 * GRID])
        self.preview.setVisible(self.state.preview)

    def keep_state(self) -> None:
        """Remember place and sizes."""
        self.state.geometry = base64.b64encode(self.saveGeometry().data()).decode()
        if self.preview.isVisibleTo(self):
            self.state.splitter = self.splitter.sizes()
        self.state.save()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.keep_state()
        event.accept()
        self.closed.emit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "actions_by_id"):
            actions.colour(self.actions_by_id, self.palette())

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if event.source() is None and picture_in(event.mimeData()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        if picture_in(event.mimeData()):
            event.acceptProposedAction()
            self.ask.take_picture(event.mimeData())

    def shut_down(self) -> None:
        """Stop all threads; called once before the application ends."""
        self.commands.close()
        self.ask.close()
        self.thumbnails.close()
        self.settings.close()
        self.service.close()


def _column(widget: QWidget) -> QVBoxLayout:
    column = QVBoxLayout(widget)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(0)
    return column


def _hairline(parent: QWidget) -> QFrame:
    line = QFrame(parent)
    line.setFixedHeight(1)
    line.setAutoFillBackground(True)
    line.setBackgroundRole(line.palette().ColorRole.Mid)
    return line
