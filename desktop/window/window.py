"""The window: one search field, one list, one preview, one status line."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QByteArray, QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtGui import QCloseEvent, QResizeEvent
from PySide6.QtWidgets import QMainWindow, QMenu, QStackedWidget

from desktop import icons
from desktop import strings as s
from desktop.asking.answering import Answering
from desktop.connection import IndexerConnection, Question
from desktop.presentation.thumbnails import Thumbnails
from desktop.preview.pane import PreviewPane
from desktop.results.merging import ORDERS
from desktop.results.model import ResultsModel
from desktop.results.view import ResultsView
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.theme import GRID
from desktop.window import actions
from desktop.window.answer_mode import AnswerMode
from desktop.window.chip_bar import ChipBar
from desktop.window.commands import Commands
from desktop.window.drop_hint import DropHint
from desktop.window.entering import Entering
from desktop.window.layout import main_page, set_tab_order, side_by_side
from desktop.window.menus import below_right, orders_menu, places_menu
from desktop.window.onboarding import Onboarding
from desktop.window.results_column import ResultsColumn
from desktop.window.search_bar import SearchBar
from desktop.window.search_controller import SearchController
from desktop.window.sight_offer import SightOffer
from desktop.window.status_line import StatusLine
from desktop.wording import telling
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import Answer, Hit, Location

#: Pixels below which the preview yields to the list, and chips get a line of their own.
_ROOM_FOR_PREVIEW, _ROOM_FOR_CHIPS = 760, 900


class Window(QMainWindow):
    """Puts the parts together and passes what one says to the other."""

    closed = Signal()  # the person closed it; the application decides what that means
    hide_wanted = Signal()
    quit_wanted = Signal()
    restart_wanted = Signal()

    def __init__(
        self, base: BaseDir, settings: SettingsClient, state: State, service: IndexerConnection
    ) -> None:
        super().__init__()
        self.base, self.settings, self.state, self.service = base, settings, state, service
        self.thumbnails = Thumbnails(service.fetch_thumb, self)
        self.model = ResultsModel(self)
        self._layout_chosen = False  # grid or rows, by the person, for this question
        self._forced = False  # the preview was asked for though there is little room
        self._revision: object = None  # of what is known of files, as the status said last
        self._build()
        self.ask = SearchController(self.search, service, base, settings, state, self.thumbnails)
        self.commands = Commands(self, self)
        self.entering = Entering(self.ask, self.answers.results, lambda: self.commands.run("open"))
        self.actions_by_id = actions.build(self, self.results, self.commands.run)
        self.answers.sources.addActions(self.results.actions())
        self.actions_by_id["toggle_preview"].setChecked(state.preview)
        self._connect()
        self._restore()
        self.setWindowTitle(s.APP)
        self.setWindowIcon(icons.app_icon())
        actions.colour(self.actions_by_id, self.palette())
        self.show_home()
        if not state.onboarded and not base.ledger.exists():
            self._welcome()  # nothing was ever indexed: no need to wait for who says so

    @property
    def results(self) -> ResultsView:
        """The list that is shown: of results, or of an answer's sources."""
        return self.answers.shown

    @property
    def question(self) -> Question:
        """What is being asked."""
        return self.ask.question

    def sizeHint(self) -> QSize:
        return QSize(140 * GRID, 88 * GRID)

    def _build(self) -> None:
        self.search = SearchBar(self)
        self.chips = ChipBar(self)
        self.answering = Answering(self.service, self)
        panel = self.answering.panel
        self.answers = ResultsColumn(self.model, self.thumbnails, panel, self)
        self.notice = self.answers.notice
        self.searches, self.empty = self.answers.searches, self.answers.empty
        self.preview = PreviewPane(self.service, self, self.thumbnails)
        self.sight_offer = SightOffer(self.answers, self.service, self.state)
        self.status = StatusLine(self)
        self.answer_mode = AnswerMode(
            self.answering, self.answers, self.search, self.status, self.settings
        )
        self.onboarding = Onboarding(self.service, self)
        self.splitter = side_by_side(self.answers, self.preview, self)
        main = main_page(self.search, self.chips, self.splitter, self.status, self)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(main)
        self._pages.addWidget(self.onboarding)
        self.setCentralWidget(self._pages)
        self.drop_hint = DropHint(lambda data: self.ask.take_picture(data), self)

    def _connect(self) -> None:
        search, service = self.search, self.service
        self.ask.typed.connect(self._typed)
        self.ask.asked.connect(self._asked)
        self.ask.emptied.connect(self._emptied)
        self.ask.failed.connect(self.tell)
        search.field.moved.connect(self._move_from_field)
        search.field.opened.connect(self.entering.pressed)
        search.field.dismissed.connect(lambda: self.commands.run("dismiss"))
        search.attach_clicked.connect(lambda: self.commands.run("attach_picture"))
        search.menu_clicked.connect(self._show_menu)
        search.ask_clicked.connect(lambda: self.commands.run("ask"))
        self.answers.query_wanted.connect(self.ask.search_for)
        self.answers.action_wanted.connect(self.commands.run)
        self.answers.count_changed.connect(self.status.show_count)
        self.answers.rows_changed.connect(self._rows_changed)
        self.chips.edited.connect(self.ask.search_for)
        self.chips.declined.connect(self.ask.decline)
        self.chips.folders_wanted.connect(self.ask.held.refresh)
        self.ask.held.changed.connect(lambda: self.chips.set_held_folders(self.ask.held.folders))
        self._connect_list(self.answers.results)
        self._connect_list(self.answers.sources)
        self.answers.results.left_at_top.connect(lambda: search.focus(select=False))
        self.answers.results.end_neared.connect(self._go_deeper)
        self.answers.sources.left_at_top.connect(self.answering.panel.focus_field)
        self.answer_mode.changed.connect(self._rows_changed)
        self.answer_mode.changed.connect(self._show_order)
        self.answer_mode.changed.connect(self._order_tabs)
        self.answering.failed.connect(self.tell)
        self.answering.panel.action_wanted.connect(self.commands.run)
        self.answering.panel.dismissed.connect(lambda: self.commands.run("dismiss"))
        self.preview.region_chosen.connect(
            lambda image: self.ask.search_image(image, s.PICTURE_NAME)
        )
        self.preview.open_wanted.connect(lambda: self.commands.run("open"))
        self.preview.shown.connect(self._enable_actions)
        self.status.sort_wanted.connect(self._show_orders)
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

    def _connect_list(self, view: ResultsView) -> None:
        view.current_changed.connect(lambda hit: self._current_changed(view, hit))
        view.selection_changed.connect(self._selection_changed)
        view.opened.connect(self.entering.pressed)
        view.typed.connect(self._typed_in_list)
        view.places_wanted.connect(self._show_places)
        view.copies_toggled.connect(self._enable_actions)
        view.dismissed.connect(lambda: self.commands.run("dismiss"))
        view.menu_wanted.connect(self._show_result_menu)

    # Answers

    def _typed(self, text: str, plain: tuple[str, ...]) -> None:
        self.chips.show_query(text, plain)
        self._order_tabs()  # chips come and go

    def _asked(self, new: bool) -> None:
        if new and not self.answering.asks(self.question):
            self.answering.leave()
        results = self.answers.results
        if new:
            self._layout_chosen = False
            results.start()
            self.answers.forget_count()
            self._enable_actions()
        else:
            results.again()
        self.searches.hide()
        self.search.set_busy(True)

    def _emptied(self) -> None:
        self._layout_chosen = False
        self.answering.leave()
        self._set_grid(False)
        self.results.start()
        self.show_home()
        self._show_order()

    def _answered(self) -> None:
        self.ask.ended()
        self.entering.forget()
        self.search.set_busy(False)
        self.answers.finish(self.question.text)
        self.answers.results.look_on()

    def _take_stage(self, stage: Answer) -> None:
        if self.ask.goes_on(stage):
            self.chips.show_given_up(bool(stage.given_up))
            self.answers.take_stage(stage, self.question.text)
            if stage.stage != "names":
                self._lay_out_answer()
            self._show_order()
            self.entering.took(stage)

    def _go_deeper(self) -> None:
        if self.ask.deeper():
            self.model.frozen = True  # what is seen stays, and what is new comes below

    def _rows_changed(self) -> None:
        # A later stage can bring better evidence for the row that is being looked at.
        self.preview.show_hit(self.results.hit())
        self._enable_actions()

    def show_home(self) -> None:
        """An empty field: kept and latest searches, the files used last."""
        self.search.set_busy(False)
        history = self.state.history if self.settings.values.remember_searches else []
        new = not (self.state.history or self.state.saved or self.state.opened)
        self.answers.show_home(self.state.saved, history, s.EXAMPLES if new else ())
        self._order_tabs()
        self.service.recent(self._take_recent)

    def _take_recent(self, hits: list[Hit]) -> None:
        if self.question.empty:
            opened = self.state.opened
            newest = sorted(hits, key=lambda hit: -max(opened.get(hit.path, 0.0), hit.mtime))
            self.answers.show_recent(newest)

    def _search_failed(self, error: InklingError) -> None:
        self.ask.ended()
        self.entering.forget()
        self.search.set_busy(False)
        self.tell(error)
        self.service.refresh()

    def tell(self, error: InklingError) -> None:
        """An error a person can read, above the results."""
        self.notice.show_notice(telling.said(error), "warning")

    def offer(self, text: str, icon: str, action: str, then: Callable[[], None] | None) -> None:
        """What was done, above the results, with a button that takes it back."""
        self.notice.show_notice(text, icon or "info", action, then)

    def sort(self, order: str) -> None:
        """Another order of the results, of this question and the next ones."""
        if order in ORDERS:
            results = self.answers.results
            self.model.set_order(order)
            results.settle()
            results.scrollTo(results.currentIndex())
            self._show_order()

    def _show_order(self) -> None:
        asked = not self.question.empty and self.model.rowCount() > 0
        asked = asked and self.results is self.answers.results
        self.status.show_order(s.ORDERS[self.model.order] if asked else "")

    def show_grid(self, on: bool) -> None:
        """Grid or rows, for this question."""
        self._layout_chosen = True
        self._set_grid(on)

    def _set_grid(self, on: bool) -> None:
        self.answers.results.set_grid(on)
        self.actions_by_id["grid"].setChecked(on)

    def _lay_out_answer(self) -> None:
        """Pictures are looked at beside each other, unless the person wants rows."""
        if not self._layout_chosen and not self.model.frozen:
            self._set_grid(self.model.mostly_pictures)

    # Status

    def _take_status(self, status: dict[str, Any]) -> None:
        folders = [str(folder["path"]) for folder in status.get("folders", ())]
        self.chips.set_folders(folders)
        self.status.show_status(status)
        revision = status.get("files_revision")
        changed, self._revision = revision != self._revision, revision
        answered = self.results is not self.answers.results
        if folders and self._pages.currentWidget() is self.onboarding:
            self._onboarded()  # chosen in another face
        if not folders and not self.state.onboarded:
            self._welcome()
        elif not folders and not self.model.rowCount() and self.question.empty:
            self.answers.show_empty("folder", s.NO_FOLDERS, s.CHOOSE_FOLDERS, "add_folder")
        elif self.question.empty and (changed or not self.model.rowCount()):
            self.service.recent(self._take_recent)
        elif self.isVisible() and not answered:
            ended = status.get("state") == "idle"
            self.ask.renew(grown=changed, at_once=ended or not self.model.rowCount())

    def _welcome(self) -> None:
        """The first run: folders are chosen."""
        self._pages.setCurrentWidget(self.onboarding)
        self.onboarding.begin()

    def _unavailable(self, error: InklingError) -> None:
        self.entering.forget()
        self.search.set_busy(False)
        self.status.show_unavailable(s.NO_INDEXER)
        said = telling.said(error)
        self.notice.show_notice(said, "warning", s.START_INDEXER, self.restart_indexer)

    def _available(self) -> None:
        self._revision = None  # another indexer counts anew
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
        if not self.results.model().rowCount():
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

    def _current_changed(self, view: ResultsView, hit: Hit | None) -> None:
        if view is not self.results:
            return  # an answer's sources are shown, or are shown no more
        if (
            not self.model.stale or view is not self.answers.results
        ):  # the preview stays until there is something to show
            self.preview.show_hit(hit)
        self._enable_actions()
        self.commands.follow(hit)

    def _enable_actions(self) -> None:
        hit = self.results.hit()
        there = {
            "": True,
            "hit": hit is not None,
            "copies": self.results.has_copies(),
            "picture": self.preview.has_picture,
            "pages": self.preview.page is not None,
            "folds": self.preview.text.isVisible() and self.preview.text.has_parts,
            "query": bool(self.search.text().strip()),
            "judged": hit is not None and bool(self.question.text.strip()),
            "answer": self.answering.shown,
        }
        for name, action in self.actions_by_id.items():
            action.setEnabled(there[actions.ACTIONS[name].needs])

    def menu(self) -> QMenu:
        """All actions by menu, from the table."""
        return actions.main_menu(self.actions_by_id, self)

    def _show_menu(self) -> None:
        below_right(self.menu(), self.search.menu)

    def _show_orders(self) -> None:
        menu = orders_menu(self, self.model.order, self.sort)
        menu.popup(self.status.sort.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    def _selection_changed(self) -> None:
        self.answers.show_selected(len(self.results.hits()))

    def _show_places(self, where: QPoint) -> None:
        if (hit := self.results.hit()) is not None:
            places_menu(self, hit, self._go_to).popup(where)

    def _go_to(self, location: Location) -> None:
        self.set_preview_shown(True)
        self.preview.go_to(location)

    def _show_result_menu(self, where: QPoint) -> None:
        menu = actions.result_menu(self.actions_by_id, self)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(where)

    def _setting_changed(self, key: str) -> None:
        if key == "result_limit" and not self.question.empty:
            self.ask.again()

    # The window itself

    def request_hide(self) -> None:
        """Ask the application to get the window out of the way."""
        self.hide_wanted.emit()

    def request_quit(self) -> None:
        self.quit_wanted.emit()

    def request_restart(self) -> None:
        self.restart_wanted.emit()

    def set_preview_shown(self, shown: bool) -> None:
        self.state.preview = shown
        self._forced = shown and self.width() < _ROOM_FOR_PREVIEW
        self._arrange()

    def _arrange(self) -> None:
        """By the room there is: the preview yields to the list, chips get a line of their own."""
        wide = self.width() >= _ROOM_FOR_PREVIEW
        self._forced &= not wide
        shown = self.state.preview and (wide or self._forced)
        self.preview.setVisible(shown)
        self.actions_by_id["toggle_preview"].setChecked(shown)
        roomy = self.width() >= _ROOM_FOR_CHIPS
        line = self.search.line
        self.chips.stand_in(line if roomy else None, line.indexOf(self.search.field) + 1)
        self._order_tabs()

    def _order_tabs(self) -> None:
        search, chips, status = self.search, self.chips, self.status
        set_tab_order(
            search.field, chips.kind, chips.folder, chips.date, search.ask, search.clear,
            search.attach, search.menu, search.picture, *chips.removable, *self.searches.buttons,
            *self.answering.panel.stops, self.notice.button, self.answers.results,
            self.answers.sources, self.empty.button, self.preview, status.sort,
            status.elsewhere, status.encoder, status.problems, status.pause, status.index,
        )  # fmt: skip

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if hasattr(self, "actions_by_id"):
            self._arrange()

    def _restore(self) -> None:
        if self.state.geometry:
            self.restoreGeometry(QByteArray(base64.b64decode(self.state.geometry)))
        else:
            self.resize(self.sizeHint())
        if len(self.state.splitter) == 2:
            self.splitter.setSizes(self.state.splitter)
        else:
            self.splitter.setSizes([62 * GRID, 78 * GRID])
        self._arrange()

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

    def shut_down(self) -> None:
        """Stop all threads; called once before the application ends."""
        self.commands.close()
        self.ask.close()
        self.thumbnails.close()
        self.settings.close()
        self.service.close()
