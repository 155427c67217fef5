"""The offer to see pictures on the home page: once everything is indexed, until it is answered."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject

from desktop.connection import IndexerConnection
from desktop.state import State
from desktop.window.results_column import ResultsColumn


class SightOffer(QObject):
    """Asks the indexer what there is to offer, at most once while nothing changes."""

    def __init__(self, answers: ResultsColumn, service: IndexerConnection, state: State) -> None:
        super().__init__(answers)
        self._answers, self._service, self._state = answers, service, state
        self._asked: object = None  # what the status said when it was asked
        service.status_changed.connect(self.take_status)
        answers.offer.declined.connect(self._decline)
        answers.offer.wanted.connect(lambda _offer: answers.action_wanted.emit("models"))

    def take_status(self, status: dict[str, Any]) -> None:
        """Offer it after the first index; not again once it was declined, or is in use."""
        sight = status.get("sight") or {}
        if self._state.sight_declined or sight.get("model") or not sight.get("pictures"):
            self._answers.show_offer({})
            return
        now = (sight["pictures"], (status.get("model") or {}).get("id"))
        if status.get("state") == "idle" and now != self._asked:
            self._asked = now
            self._service.call(
                lambda client: client.call("GET", "/v1/models"),
                self._answers.show_offer,
                key="offer",
            )

    def _decline(self) -> None:
        self._state.sight_declined = True
        self._state.save()
        self._answers.show_offer({})
