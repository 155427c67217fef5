"""What a fill says in the terminal: how far it is, how fast each stage goes, what went wrong."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable

from engine.contract.errors import REASONS
from indexer.archiving.encoding import Made
from indexer.archiving.survey import Survey
from indexer.archiving.writing import Writing

Say = Callable[[str], None]
#: Between two lines.
SECONDS = 2.0
#: Places that could not be seen are named up to so many.
_NAMED = 10


class Progress:
    """Counts what the stages made; a line now and then, and a summary."""

    def __init__(self, say: Say, whole: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._say, self._whole, self._clock = say, whole, clock
        self._began = self._said = clock()
        self.files = self.units = self.same = 0
        self.read_s = self.encode_s = 0.0
        self.problems: Counter[str] = Counter()

    def took(self, made: Made) -> None:
        """A file has come through the stages."""
        self.files += 1
        self.units += len(made.units)
        self.read_s += made.read_s
        self.encode_s += made.encode_s
        self.same += made.same
        if made.row.reason:
            self.problems[made.row.reason] += 1
        now = self._clock()
        if now - self._said >= SECONDS:
            self._said = now
            took = max(now - self._began, 1e-9)
            self._say(
                f"{self.files} of {self._whole} files, {self.units} passages; "
                f"{self.files / took:.1f} files/s, {self.units / took:.1f} passages/s"
            )

    def close(self, survey: Survey, writing: Writing) -> bool:
        """The summary; whether all could be read that is to be read."""
        seconds = self._clock() - self._began
        self._say(
            f"Done in {_duration(seconds)}: {self.files - self.same} files read, {self.same} only "
            f"touched, {len(survey.names)} kept by name, {len(survey.gone)} removed, "
            f"{len(survey.rights)} with other readers, {survey.same} as they were."
        )
        if self.files:
            self._say(
                f"Of one worker: reading {_rate(self.files, self.read_s, 'files')}, encoding "
                f"{_rate(self.units, self.encode_s, 'passages')}, writing "
                f"{_rate(writing.units, writing.seconds, 'passages')}."
            )
        problems = self.problems + Counter(survey.unread)
        problems.update(row.reason for row in survey.names)
        for reason, count in problems.most_common():
            self._say(f"{count:>8}  {REASONS[reason].sentence} ({reason})")
        if survey.nobody:
            self._say(f"{survey.nobody:>8}  No reader is known; nobody finds it.")
        for path, why in survey.unseen[:_NAMED]:
            self._say(f"Not seen: {printable(path)} ({why}); what the archive has of it stays.")
        if len(survey.unseen) > _NAMED:
            self._say(f"Not seen: {len(survey.unseen) - _NAMED} places more.")
        failed = any(REASONS[reason].state == "failed" for reason in problems)
        return not failed and not survey.unseen


def printable(path: str) -> str:
    """A path as a terminal can show it."""
    shown = path.encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in shown)


def _rate(count: int, seconds: float, what: str) -> str:
    return f"{count / seconds:.1f} {what}/s" if seconds > 0 else f"no {what}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
