"""What agents were given, for the person to see: when, by which tool, of which files, how much.

One line of JSON each in the base directory, for its owner alone. Neither questions nor texts stand
in it.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

from filelock import FileLock

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.put import put_privately

#: Above this the older half goes: some 3,000 to 8,000 answers are kept.
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class AgentRead:
    """One answer to an agent."""

    at: float  # seconds since the epoch
    tool: str  # of engine.contract.agent_tools, or resource
    files: tuple[str, ...]  # that something was told of
    characters: int  # of their text


class AgentLog:
    """The list; several processes write it, each line whole. InklingError where that fails."""

    def __init__(self, base: BaseDir) -> None:
        self.path = base.agents
        self._lock = FileLock(base.run / "agents.lock", mode=0o600)

    def note(self, tool: str, files: Sequence[str], characters: int) -> None:
        """Write down an answer, before it is given."""
        line = json.dumps(asdict(AgentRead(time.time(), tool, tuple(files), characters)))
        try:
            with self._lock:
                if self.path.exists() and self.path.stat().st_size > MOST_BYTES:
                    lines = self._lines()
                    self._write(lines[len(lines) // 2 :])
                flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
                with os.fdopen(os.open(self.path, flags, 0o600), "ab") as file:
                    file.write(line.encode("ascii") + b"\n")
        except OSError as error:
            raise InklingError(
                "It can't be noted what agents read, so nothing is read to them: {reason}.",
                hint="Free some space or fix the permissions of {path}.",
                path=str(self.path),
                told={"reason": error.strerror or error, "path": self.path},
            ) from error

    def entries(self) -> list[AgentRead]:
        """Newest first; a line that can't be read is passed over."""
        found = []
        for line in reversed(self._lines()):
            try:
                row = json.loads(line)
                files = tuple(str(path) for path in row["files"])
                entry = AgentRead(float(row["at"]), str(row["tool"]), files, row["characters"])
            except (ValueError, KeyError, TypeError):
                continue
            found.append(entry)
        return found

    def clear(self) -> None:
        """Forget all of it."""
        with self._lock:
            self.path.unlink(missing_ok=True)

    def forget(self, gone: Callable[[str], bool]) -> None:
        """Forget files: no answer tells of them any more."""
        with self._lock:
            if not self.path.exists():
                return
            kept = []
            for entry in reversed(self.entries()):
                row = asdict(entry) | {"files": [path for path in entry.files if not gone(path)]}
                if row["files"] or not entry.files:
                    kept.append(json.dumps(row).encode("ascii"))
            self._write(kept)

    def _lines(self) -> list[bytes]:
        try:
            return self.path.read_bytes().splitlines()
        except FileNotFoundError:
            return []

    def _write(self, lines: Sequence[bytes]) -> None:
        put_privately(b"".join(line + b"\n" for line in lines), self.path)
