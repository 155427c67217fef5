"""Answers in sentences, in the window: their panel above the list, their sources as its rows."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QApplication, QMenu, QWidget

from desktop.asking import strings as asking
from desktop.asking.answering import Answering
from desktop.asking.conversation import Exchange
from desktop.results.model import Role
from desktop.settings.settings_client import SettingsClient
from desktop.window.results_column import ResultsColumn
from desktop.window.search_bar import SearchBar
from desktop.window.status_line import StatusLine
from engine.contract.settings import Settings


class AnswerMode(QObject):
    """Passes on what an answer and the parts of the window say to each other."""

    changed = Signal()  # an answer came or went

    def __init__(
        self,
        answering: Answering,
        column: ResultsColumn,
        search: SearchBar,
        status: StatusLine,
        settings: SettingsClient,
    ) -> None:
        super().__init__(column)
        self._answering, self._column, self._search = answering, column, search
        self._status, self._settings = status, settings
        self._before: QWidget | None = None  # where the keys were before an answer came
        answering.shown_changed.connect(self._show)
        answering.sources_changed.connect(self._list)
        answering.source_wanted.connect(column.show_source)
        answering.panel.appeared.connect(column.make_room)
        answering.weak.connect(lambda: column.notice.show_notice(asking.WEAK))
        answering.panel.left_below.connect(lambda: column.shown.setFocus())
        answering.panel.stops_changed.connect(self.changed)
        status.elsewhere_clicked.connect(self._offer_way_back)
        answering.said.connect(status.flash)
        column.sources.current_changed.connect(self._mark)
        settings.changed.connect(self._follow)
        self._follow("ask_server")

    def _show(self, shown: bool) -> None:
        if shown:
            self._before = QApplication.focusWidget()
        else:
            self._column.show_results()
            self._give_back_focus()
        self.changed.emit()

    def _give_back_focus(self) -> None:
        """The keys go to where they were, unless somebody is typing."""
        if self._search.field.hasFocus():
            return
        known = self._before is not None and self._column.isAncestorOf(self._before)
        if known and self._before is not None and self._before.isVisible():
            self._before.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self._search.focus(select=False)

    def _list(self, exchange: Exchange | None) -> None:
        if exchange is None or not exchange.sources:
            self._column.show_results()
        else:
            notices = exchange.found.notices if exchange.found is not None else ()
            self._column.show_sources(exchange.sources, exchange.cited, notices)
        self.changed.emit()

    def _mark(self, _hit: object) -> None:
        number = self._column.sources.currentIndex().data(Role.NUMBER)
        if number is not None:
            self._answering.mark(number)

    def _follow(self, key: str) -> None:
        """Which other computer answers is said for as long as one does."""
        if key in ("ask_server", "ask_confirmed"):
            self._status.show_elsewhere(elsewhere(self._settings.values))

    def _offer_way_back(self) -> None:
        """From another computer to this one."""
        menu, button = QMenu(self._status), self._status.elsewhere
        menu.aboutToHide.connect(menu.deleteLater)
        menu.addAction(asking.ONLY_HERE).triggered.connect(
            lambda _checked=False: self._answering.only_here()
        )
        menu.popup(button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))


def elsewhere(settings: Settings) -> str:
    """The host of another machine that is asked for answers, confirmed; "" where none is."""
    try:
        host = urlsplit(settings.ask_server).hostname or ""
    except ValueError:
        return ""
    if host.casefold() != settings.ask_confirmed.casefold() or _is_here(host):
        return ""
    return host


def _is_here(host: str) -> bool:
    if host.casefold() in ("", "localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
