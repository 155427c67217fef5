"""What a person has judged: which file, or page, answers a question, and which does not.

One line of JSON each in the base directory, for its owner alone; nothing else reads them than what
measures and fits on the person's word.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence

from filelock import FileLock
from msgspec import Struct

from engine.contract import codec
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.put import put_privately


class Judgement(Struct, frozen=True):
    """One question with one of its answers."""

    question: str
    path: str  # absolute
    page: int | None = None  # 1-based; None: the file
    right: bool = True
    at: float = 0.0  # seconds since the epoch

    @property
    def label(self) -> str:
        """The file, or its page."""
        return self.path if self.page is None else f"{self.path}#{self.page}"


class Judgements:
    """The list. InklingError where it can't be written."""

    def __init__(self, base: BaseDir) -> None:
        self.path = base.judgements
        self._lock = FileLock(base.run / "judgements.lock", mode=0o600)

    def all(self) -> list[Judgement]:
        """The oldest first; a line that can't be read is passed over."""
        try:
            lines = self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return list(read_lines(lines))

    def note(self, new: Judgement) -> None:
        """In place of what was said of the same answer before."""
        with self._lock:
            kept = [one for one in self.all() if not _same(one, new)]
            self._write(
                [*kept, Judgement(new.question, new.path, new.page, new.right, time.time())]
            )

    def take_back(self, said: Judgement) -> bool:
        """Whether anything was said of that answer."""
        with self._lock:
            known = self.all()
            kept = [one for one in known if not _same(one, said)]
            self._write(kept)
        return len(kept) < len(known)

    def forget(self, gone: Callable[[str], bool]) -> None:
        """Forget all that is said of some files, the questions with it."""
        with self._lock:
            if self.path.exists():
                self._write([one for one in self.all() if not gone(one.path)])

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self.path.unlink(missing_ok=True)

    def _write(self, rows: Sequence[Judgement]) -> None:
        try:
            put_privately(b"".join(codec.encode(row) + b"\n" for row in rows), self.path)
        except OSError as error:
            raise InklingError(
                "What you judged can't be kept: {error}.",
                hint="Free some space or fix the permissions of {path}.",
                path=str(self.path),
                told={"error": error.strerror or error, "path": self.path},
            ) from error


def read_lines(lines: Iterable[bytes | str]) -> Iterable[Judgement]:
    """Judgements, one a line; what can't be read is passed over."""
    for line in lines:
        try:
            yield codec.decode(line, Judgement)
        except ValueError:
            continue


def _same(one: Judgement, other: Judgement) -> bool:
    return (one.question, one.label) == (other.question, other.label)
