"""What a person says of the selected results: that they answer the question, or do not.

Kept on this machine alone; `inkling evaluate` measures by it, and fits the ranker where wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from desktop import strings as s
from desktop.window.file_commands import FileCommands
from engine.contract.types import Hit


class JudgingCommands(FileCommands):
    """One method per action, by the action's id."""

    def answers(self) -> None:
        self._judge(right=True)

    def no_answer(self) -> None:
        self._judge(right=False)

    def forget_judged(self) -> None:
        """All of it, the questions with it."""
        self._window.service.call(
            lambda client: client.forget_judged(),
            lambda _none: self._window.status.flash(s.JUDGED_FORGOTTEN),
            self._window.tell,
        )

    def _judge(self, *, right: bool) -> None:
        question, hits = self._window.question.text.strip(), self._own(self._hits)
        if not question or not hits:
            return

        def judged(count: int) -> None:
            self._undo = lambda: self._say(question, hits, None, self._unjudged)
            said = s.JUDGED_RIGHT if right else s.JUDGED_WRONG
            kept = s.JUDGED_COUNT.format(answers=s.answers(count))
            self._window.offer(f"{said} {kept}", "check", s.UNDO, self.undo)

        self._say(question, hits, right, judged)

    def _unjudged(self, _count: int) -> None:
        self._window.status.flash(s.JUDGED_NOT)

    def _say(
        self,
        question: str,
        hits: Sequence[Hit],
        right: bool | None,
        then: Callable[[int], None],
    ) -> None:
        """Of each; `then` is told how many are judged in all."""
        self._window.service.call(
            lambda client: [
                client.judge(question, hit.path, hit.location.page, right=right) for hit in hits
            ][-1],
            then,
            self._window.tell,
        )
