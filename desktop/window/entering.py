"""Enter opens an answer to what was typed, never a row of the question before."""

from __future__ import annotations

from collections.abc import Callable

from desktop.results.view import ResultsView
from desktop.window.search_controller import SearchController
from engine.contract.types import Answer


class Entering:
    """Opens at once what answers, or the first result of a question that is still to answer."""

    def __init__(
        self, ask: SearchController, results: ResultsView, open_current: Callable[[], None]
    ) -> None:
        self._ask, self._results, self._open = ask, results, open_current
        self._pending = False  # Enter came before the answer
        self._answering = True  # what is shown answers what was asked last
        ask.typed.connect(self.forget)  # typing goes on: that is not what was meant
        ask.asked.connect(self._asked)
        ask.emptied.connect(self._emptied)

    def pressed(self) -> None:
        """Enter, or a double click."""
        if self._ask.settled and self._answering:
            self._open()
        elif not self._ask.question.empty:
            self._pending = True
            self._ask.send()

    def took(self, stage: Answer) -> None:
        """The rows of a stage are shown."""
        self._answering |= stage.stage != "names" or bool(stage.hits)
        # Names are a part of the answer: who does not look at them means the first of all.
        if self._pending and stage.stage != "names" and self._results.hit() is not None:
            self._pending = False
            self._open()

    def forget(self) -> None:
        """Nothing is opened that comes later."""
        self._pending = False

    def _asked(self, new: bool) -> None:
        if new:
            self._answering = False

    def _emptied(self) -> None:
        self._answering = True
