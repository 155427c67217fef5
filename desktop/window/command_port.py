"""What commands need of the window: a port, so that they know no window and run without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtGui import QAction

from desktop.asking.answering import Answering
from desktop.connection import IndexerConnection, Question
from desktop.presentation.thumbnails import Thumbnails
from desktop.preview.pane import PreviewPane
from desktop.results.view import ResultsView
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.window.search_bar import SearchBar
from desktop.window.search_controller import SearchController
from desktop.window.status_line import StatusLine
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir


class CommandPort(Protocol):
    """The parts that commands act on, and what only the window itself can do."""

    actions_by_id: dict[str, QAction]
    answering: Answering
    base: BaseDir
    ask: SearchController
    preview: PreviewPane
    search: SearchBar
    service: IndexerConnection
    settings: SettingsClient
    state: State
    status: StatusLine
    thumbnails: Thumbnails

    @property
    def results(self) -> ResultsView:
        """The list that is shown: of results, or of an answer's sources."""
        ...

    @property
    def question(self) -> Question:
        """What is being asked."""
        ...

    def tell(self, error: InklingError) -> None:
        """Show an error to the person."""
        ...

    def offer(self, text: str, icon: str, action: str, then: Callable[[], None] | None) -> None:
        """Say what was done, with a button; nothing with an empty text."""
        ...

    def sort(self, order: str) -> None:
        """Put the results into another order, a key of strings.ORDERS."""
        ...

    def show_grid(self, on: bool) -> None:
        """Show the results of this question as a grid, or as rows."""
        ...

    def show_home(self) -> None:
        """What stands on an empty field, anew."""
        ...

    def set_preview_shown(self, shown: bool) -> None:
        """Show or hide the preview, and remember it."""
        ...

    def request_hide(self) -> None:
        """Ask the application to get the window out of the way."""
        ...

    def request_quit(self) -> None:
        """Ask the application to end."""
        ...

    def request_restart(self) -> None:
        """Ask the application to open again."""
        ...
