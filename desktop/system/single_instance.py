"""One window per base directory: a second start shows, toggles or passes on to the first."""

from __future__ import annotations

import hashlib
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

_VERSION = 1  # of the message; an unknown one is ignored
_WAIT_MS = 500


def server_name(folder: Path) -> str:
    """The socket of a base directory; short, since socket paths end at about 100 bytes."""
    return "inkling-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]


def send(folder: Path, command: str) -> bool:
    """Tell a running window `show` or `toggle`; whether there was one."""
    socket = QLocalSocket()
    socket.connectToServer(server_name(folder))
    if not socket.waitForConnected(_WAIT_MS):
        return False
    socket.write(f"{_VERSION} {command}\n".encode())
    socket.waitForBytesWritten(_WAIT_MS)
    socket.disconnectFromServer()
    if socket.state() != QLocalSocket.LocalSocketState.UnconnectedState:
        socket.waitForDisconnected(_WAIT_MS)
    return True


class SingleInstance(QObject):
    """Listens for later starts."""

    asked = Signal(str)  # "show" | "toggle"

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        name = server_name(folder)
        # After a kill -9 the socket file stays. Nobody answered `send`, so it is nobody's.
        if not self._server.listen(name):
            QLocalServer.removeServer(name)
            self._server.listen(name)

    @property
    def listening(self) -> bool:
        return self._server.isListening()

    def close(self) -> None:
        self._server.close()

    def _accept(self) -> None:
        while self._server.hasPendingConnections():
            connection = self._server.nextPendingConnection()
            self._open.append(connection)
            connection.readyRead.connect(self._read)
            connection.disconnected.connect(self._read)
        self._read()

    def _read(self) -> None:
        """Take what came over any of the connections; ended ones are let go."""
        for connection in list(self._open):
            while connection.canReadLine():
                line = bytes(connection.readLine().data()).decode("ascii", "replace").split()
                if len(line) == 2 and line[0] == str(_VERSION) and line[1] in ("show", "toggle"):
                    self.asked.emit(line[1])
            if connection.state() == QLocalSocket.LocalSocketState.UnconnectedState:
                self._open.remove(connection)
                connection.deleteLater()
