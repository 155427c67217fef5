"""The window's view of the settings, which the indexer owns: sends keys, follows changes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import QObject, Signal

from desktop.client import Client
from desktop.connection import IndexerConnection
from desktop.jobs import JOB_THREAD
from desktop.settings.changing import change_settings, send_settings
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import SETTINGS, Settings, Value

#: An indexer that does not answer must not keep the window from ending.
_PATIENCE_S = 3.0
_NOT_KNOWN = -1  # no revision: whatever the indexer has is newer


class SettingsClient(QObject):
    """Holds all values, changes one at a time, and never writes the file while an indexer runs.

    What is set here shows at once and is kept until the indexer has taken it, however long it takes
    until there is one.
    """

    changed = Signal(str)  # key; its value differs now, whoever changed it
    refused = Signal(object)  # InklingError; the value is again what the indexer has

    def __init__(
        self,
        base: BaseDir,
        values: Settings,
        service: IndexerConnection,
        parent: QObject | None = None,
    ) -> None:
        """`values`: as the file has them, for the first paint."""
        super().__init__(parent)
        self._base, self._service = base, service
        self.values = values  # to read; set() changes them
        self._waiting: dict[str, Value] = {}  # changed here, not confirmed yet; oldest first
        self._sending = False
        self._line = 0  # counts connections: an answer of an earlier indexer means nothing now
        self._revision = _NOT_KNOWN
        service.connected.connect(self._connected)
        service.status_changed.connect(self._follow)

    @property
    def service(self) -> IndexerConnection:
        """By which they are told."""
        return self._service

    def set(self, key: str, value: object) -> None:
        """Change one setting; InklingError where the value can't be."""
        before = self.values.get(key)
        self.values.set(key, value)
        now = self.values.get(key)
        if now == before:
            return
        self._waiting.pop(key, None)
        self._waiting[key] = now
        self.changed.emit(key)
        self._send()

    def close(self) -> None:
        """Before the line to the indexer closes: what it has not taken goes there, or to the file.

        Waits for a few seconds at most.
        """
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, {}
        last = threading.Thread(
            target=_change_quietly, args=(self._base, waiting), name=JOB_THREAD, daemon=True
        )
        last.start()
        last.join(_PATIENCE_S)

    # To the indexer

    def _send(self) -> None:
        """The oldest change that waits; the next one follows its answer."""
        if self._sending or not self._waiting or not self._service.ready:
            return
        self._sending = True
        key, value = next(iter(self._waiting.items()))
        self._call(
            lambda client: send_settings(client, {key: value}),
            lambda answer: self._sent(key, value, answer),
            lambda error: self._unsure(key, value, error),
        )

    def _call(
        self,
        work: Callable[[Client], dict[str, Any]],
        done: Callable[[dict[str, Any]], None],
        failed: Callable[[InklingError], None],
    ) -> None:
        """Ask the indexer; what one answers after another has taken its place is dropped."""
        line = self._line
        self._service.call(
            work,
            lambda answer: done(answer) if line == self._line else None,
            lambda error: failed(error) if line == self._line else None,
        )

    def _sent(self, key: str, value: Value, answer: Mapping[str, Any]) -> None:
        self._sending = False
        if self._waiting.get(key) == value:  # else it was changed again meanwhile
            del self._waiting[key]
        self._take(answer)
        self._send()

    def _unsure(self, key: str, value: Value, error: InklingError) -> None:
        """Refused, or never arrived? What the indexer has now tells; without an answer we wait."""

        def compare(answer: Mapping[str, Any]) -> None:
            self._sending = False
            if self._waiting.get(key) == value:
                del self._waiting[key]
            self._take(answer)
            if self.values.get(key) != value and key not in self._waiting:
                self.refused.emit(error)
            self._send()

        self._call(_load, compare, self._unreachable)

    def _unreachable(self, _error: InklingError) -> None:
        self._sending = False
        self._service.refresh()  # says so everywhere, and `connected` follows when it is back

    # From the indexer

    def _connected(self) -> None:
        self._line += 1
        self._sending = False
        self._revision = _NOT_KNOWN
        self._send()

    def _follow(self, status: Mapping[str, Any]) -> None:
        """Load what was changed elsewhere; the status only says that something was."""
        revision = status.get("settings_revision")
        if isinstance(revision, int) and revision != self._revision and not self._sending:
            self._call(_load, self._take, lambda _error: None)

    def _take(self, answer: Mapping[str, Any]) -> None:
        """All values as the indexer has them, but for those it is still to be told."""
        values, revision = answer.get("values"), answer.get("revision")
        if not isinstance(values, Mapping):
            return
        if isinstance(revision, int):
            if revision < self._revision:
                return  # an answer that was overtaken by a newer one
            self._revision = revision
        for key in SETTINGS:
            if key not in values or key in self._waiting:
                continue
            before = self.values.get(key)
            if not self.values.update({key: values[key]}) and self.values.get(key) != before:
                self.changed.emit(key)


def _load(client: Client) -> dict[str, Any]:
    return client.call("GET", "/v1/settings")


def _change_quietly(base: BaseDir, values: Mapping[str, Value]) -> None:
    for key, value in values.items():
        try:
            change_settings(base, {key: value})
        except InklingError:
            continue  # nobody is there any more to read it
