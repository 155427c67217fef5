"""The tray icon, where the desktop has a tray; it may appear some time after log-in."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QMenu, QSystemTrayIcon

from desktop import icons
from desktop import strings as s
from desktop.wording.language import tr

_LOOK_MS, _LOOKS = 2_000, 15  # a tray that starts after us is taken up within half a minute


class Tray(QObject):
    """Shows itself as soon as there is a tray; knows whether the window may hide there."""

    def __init__(
        self,
        parent: QObject,
        show: Callable[[], None],
        panel: Callable[[], None],
        pause: Callable[[], None],
        quit_all: Callable[[], None],
    ) -> None:
        super().__init__(parent)
        self._show = show
        self._menu = QMenu()
        self._menu.addAction(s.TRAY_SHOW).triggered.connect(lambda _checked=False: show())
        self._menu.addAction(s.TRAY_PANEL).triggered.connect(lambda _checked=False: panel())
        self._pause = self._menu.addAction(s.PAUSE)
        self._pause.triggered.connect(lambda _checked=False: pause())
        self._menu.addSeparator()
        self._menu.addAction(tr("Quit Inkling")).triggered.connect(
            lambda _checked=False: quit_all()
        )
        self._icon: QSystemTrayIcon | None = None
        self._looks = 0
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._look()

    @property
    def available(self) -> bool:
        return self._icon is not None

    def _look(self) -> None:
        self._looks += 1
        if QSystemTrayIcon.isSystemTrayAvailable():
            self._timer.stop()
            self._icon = QSystemTrayIcon(icons.app_icon(), self)
            self._icon.setToolTip(s.APP)
            self._icon.setContextMenu(self._menu)
            self._icon.activated.connect(self._activated)
            self._icon.show()
        elif self._looks < _LOOKS:
            self._timer.start()
        else:
            self._timer.stop()

    def _activated(self, reason: QSystemTrayIcon.ActivationReason) -> None:
        if reason == QSystemTrayIcon.ActivationReason.Trigger:
            self._show()

    def show_paused(self, paused: bool) -> None:
        self._pause.setText(s.RESUME if paused else s.PAUSE)

    def tell(self, text: str) -> None:
        """A message from the tray, once: that closing did not quit."""
        if self._icon is not None:
            self._icon.showMessage(s.APP, text, icons.app_icon())

    def close(self) -> None:
        self._timer.stop()
        if self._icon is not None:
            self._icon.hide()
        self._menu.deleteLater()
