"""The window's process: builds everything, connects it, and ends cleanly."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QProcess, Qt, QTimer
from PySide6.QtWidgets import QApplication

from desktop import icons, theme
from desktop import strings as s
from desktop.connection import IndexerConnection, Question
from desktop.jobs import JOB_THREAD
from desktop.settings.settings_client import SettingsClient
from desktop.state import State
from desktop.system import autostart
from desktop.system.global_key import GlobalKey
from desktop.system.launch import window_command
from desktop.system.single_instance import SingleInstance
from desktop.system.tray import Tray
from desktop.widgets.on_screen import keep_on_screen
from desktop.window.actions import ACTIONS, keys_text
from desktop.wording import language
from engine.contract import log
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Hit
from engine.contract.version import APPLICATION_ID

if TYPE_CHECKING:
    from desktop.window.panel import Panel
    from desktop.window.window import Window


def main(base: BaseDir, *, hidden: bool = False, wanted: tuple[str, str] = ("show", "")) -> int:
    """Open the window or the panel, or only the tray where there is one; the exit status.

    `wanted`: one of window_socket.COMMANDS and its words.
    """
    log.set_up(base.logs, "window")
    # Threads that colour code are pure Python: the interface gets its turn sooner (default 5 ms).
    sys.setswitchinterval(0.001)
    settings = Settings.load(base)
    app = application(settings)
    whole = Application(app, base, settings)
    if not hidden or not whole.tray.available:
        whole.do(*wanted)
    status = int(app.exec())
    whole.shut_down()
    if any(thread.name.startswith(JOB_THREAD) for thread in threading.enumerate()):
        # A call hangs at an indexer that does not answer; nobody waits for it any more.
        logging.shutdown()
        os._exit(status)
    return status


_QUIET_MS = 1_500  # after which what starts with the session has become quiet
_M_MMAP_THRESHOLD, _M_ARENA_MAX = -3, -8  # of <malloc.h>


def _share_heaps() -> None:
    """Two for all threads, and pictures in none: glibc gives each thread its own, which keeps what
    was shown there. After 24 questions 147 MB resident, 181 without."""
    with contextlib.suppress(OSError, AttributeError):  # another C library
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, 256 * 1024)


def application(settings: Settings) -> QApplication:
    """The one QApplication, scaled and coloured as the person set it."""
    _share_heaps()
    if settings.scale:
        # Read when the application is made, hence: takes hold on the next start.
        os.environ["QT_SCALE_FACTOR"] = str(settings.scale / 100)
    QApplication.setHighDpiScaleFactorRoundingPolicy(
        Qt.HighDpiScaleFactorRoundingPolicy.PassThrough
    )
    existing = QApplication.instance()
    app = existing if isinstance(existing, QApplication) else QApplication(["inkling"])
    app.setApplicationName("inkling")
    app.setApplicationDisplayName(s.APP)
    app.setDesktopFileName(APPLICATION_ID)
    app.setWindowIcon(icons.app_icon())
    app.setQuitOnLastWindowClosed(False)
    language.install(app)
    app.setStyle("Fusion")  # one look that the palette fully decides, on every desktop
    theme.apply(app, settings.theme)
    return app


class Application(QObject):
    """Window, panel, tray, single instance and the line to the indexer, as one.

    Window and panel are made when they are first wanted: what waits for a key is small.
    """

    def __init__(self, app: QApplication, base: BaseDir, settings: Settings) -> None:
        super().__init__()
        self._app, self._base = app, base
        self._restart = self._ended = False
        self.state = State.load(base.root)
        self.service = IndexerConnection(base, self)
        self.settings = SettingsClient(base, settings, self.service, self)
        self._window: Window | None = None
        self._panel: Panel | None = None
        self.tray = Tray(
            self, self.show, self.toggle_panel, lambda: self.window.commands.run("pause"), self.quit
        )
        self.key = GlobalKey(s.PANEL_KEY, self)
        self.key.pressed.connect(self._key_pressed)
        self.key.failed.connect(self._key_failed)
        self._bind_key()
        self.instance = SingleInstance(base.root, self)
        self.instance.asked.connect(self.do)
        self.settings.changed.connect(self._setting_changed)
        self.service.status_changed.connect(
            lambda status: self.tray.show_paused(status.get("state") == "paused")
        )
        app.styleHints().colorSchemeChanged.connect(self._scheme_changed)
        self._follow_signals()
        # After the first paint: connecting reads files and may start a process.
        QTimer.singleShot(0, self.service.start)

    @property
    def window(self) -> Window:
        """The one window."""
        if self._window is None:
            from desktop.window.window import Window

            made = Window(self._base, self.settings, self.state, self.service)
            made.closed.connect(self._closed)
            made.hide_wanted.connect(self._hide)
            made.quit_wanted.connect(self.quit)
            made.restart_wanted.connect(self.restart)
            self._window = made
            if self.service.status:
                self.service.refresh()  # what was told before it was there
        return self._window

    @property
    def panel(self) -> Panel:
        """The one panel. Its line to the indexer is its own: the window's answers are not its."""
        if self._panel is None:
            from desktop.window.panel import Panel

            service = IndexerConnection(self._base, self)
            self._panel = Panel(self._base, self.settings, self.state, service)
            self._panel.grown.connect(self._grow)
            self._panel.asked.connect(self._answer)
        return self._panel

    def toggle_panel(self) -> None:
        self.panel.toggle()

    def _bind_key(self) -> None:
        keys = self.settings.values.panel_key
        self.key.bind(keys)
        if keys:  # made before it is wanted: the first press is answered like all others
            QTimer.singleShot(_QUIET_MS, self, self._make_panel)

    def _make_panel(self) -> None:
        if not self._ended:
            _ = self.panel

    def _key_pressed(self, token: str) -> None:
        if token:
            os.environ["XDG_ACTIVATION_TOKEN"] = token  # Qt takes the focus with it, once
        self.toggle_panel()

    def _key_failed(self, error: InklingError) -> None:
        """Said where it was asked for; the log knows of what fails at the session's start."""
        logging.getLogger(__name__).warning("no key for the panel: %s", error.message)
        if self._window is not None:
            self._window.tell(error)

    def _grow(self, question: Question) -> None:
        """The window with what was asked in the panel."""
        self.show()
        self.window.ask.search_for(question.text)
        if question.image is not None:
            self.window.ask.search_picture_file(question.image)

    def _answer(self, question: Question) -> None:
        """The window with the answer to what was asked in the panel."""
        self._grow(question)
        self.window.ask.send()
        self.window.ask.remember()
        self.window.answering.ask(question)  # with its picture, which the window still reads

    def show(self) -> None:
        """Bring the window to the front, ready to type."""
        window = self.window
        if not window.isVisible():
            keep_on_screen(window)
        window.setWindowState(window.windowState() & ~Qt.WindowState.WindowMinimized)
        window.show()
        window.raise_()
        window.activateWindow()
        window.search.focus()

    def do(self, command: str, words: str = "") -> None:
        """One of window_socket.COMMANDS."""
        if command == "panel":
            self.toggle_panel()
            return
        if command == "toggle" and self._in_sight:
            self._hide()
            return
        self.show()
        if command == "ask":
            self.window.ask.search_for(words)
        elif command == "similar":
            self.window.ask.more_like(Hit(words))

    @property
    def _in_sight(self) -> bool:
        window = self._window
        shown = window is not None and window.isVisible() and window.isActiveWindow()
        return window is not None and shown and not window.isMinimized()

    def _hide(self) -> None:
        """Out of the way; never the end, which nobody expects of Escape."""
        if self._stays_in_tray:
            self.window.close()
        else:
            self.window.showMinimized()

    @property
    def _stays_in_tray(self) -> bool:
        return bool(self.settings.values.close_to_tray and self.tray.available)

    def _closed(self) -> None:
        """Into the tray if there is one and the person wants it so; else the window ends."""
        if not self._stays_in_tray:
            self.quit()
        elif not self.state.tray_notice_shown:
            self.state.tray_notice_shown = True
            self.state.save()
            self.tray.tell(s.TRAY_NOTICE.format(keys=keys_text(ACTIONS["quit"])))

    def quit(self) -> None:
        """End the window; the indexer goes on if the person wants it so."""
        if self._window is not None:
            self._window.keep_state()
        self._app.quit()

    def restart(self) -> None:
        """Open again, for settings that need it."""
        self._restart = True
        self.quit()

    def shut_down(self) -> None:
        """After the event loop: no thread and no socket stays behind."""
        self._ended = True
        self._app.styleHints().colorSchemeChanged.disconnect(self._scheme_changed)
        for shown in filter(None, (self._window, self._panel)):
            shown.hide()
        self.instance.close()
        self.key.close()
        self.tray.close()
        self.settings.close()  # while the indexer is still there to take what waits
        if not self.settings.values.keep_indexing and not self._restart:
            self.service.stop_indexer()
        if self._panel is not None:
            self._panel.shut_down()
        if self._window is not None:
            self._window.shut_down()
            self._window.deleteLater()
        else:
            self.service.close()
        if self._restart:
            program, *arguments = window_command(self._base.root)
            os.environ.pop("QT_SCALE_FACTOR", None)
            QProcess.startDetached(program, arguments, str(self._base.root))

    def _setting_changed(self, key: str) -> None:
        if key == "theme":
            theme.apply(self._app, self.settings.values.theme)
        elif key == "panel_key":
            self._bind_key()
        elif key == "start_with_session":
            wanted = self.settings.values.start_with_session
            try:
                autostart.set_enabled(wanted, self._base.root)
            except InklingError as error:
                self.window.tell(error)
                if wanted:  # the setting must not claim what is not so
                    self.settings.set(key, False)

    def _scheme_changed(self) -> None:
        theme.apply(self._app, self.settings.values.theme)

    def _follow_signals(self) -> None:
        """Ctrl+C in a terminal and a session's end quit as the menu does."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda _number, _frame: self.quit())
        # Python runs signal handlers only between byte codes: let it have some now and then.
        self._pulse = QTimer(self)
        self._pulse.timeout.connect(lambda: None)
        self._pulse.start(500)
