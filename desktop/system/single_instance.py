"""One window per base directory: a second start shows, toggles or passes on to the first."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtNetwork import QLocalServer, QLocalSocket

from desktop.system.window_socket import address, heard


class SingleInstance(QObject):
    """Listens for later starts."""

    #: One of window_socket.COMMANDS and its words, a str: Qt would lose bytes that are no text.
    asked = Signal(str, object)

    def __init__(self, folder: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._open: list[QLocalSocket] = []
        self._server = QLocalServer(self)
        self._server.setSocketOptions(QLocalServer.SocketOption.UserAccessOption)
        self._server.newConnection.connect(self._accept)
        name = address(folder)
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
                line = bytes(connection.readLine().data()).decode("ascii", "replace")
                if (said := heard(line)) is not None:
                    self.asked.emit(*said)
            if connection.state() == QLocalSocket.LocalSocketState.UnconnectedState:
                self._open.remove(connection)
                connection.deleteLater()
