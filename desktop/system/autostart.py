"""Starting with the session: the entry that each system looks for, made and taken away."""

from __future__ import annotations

import os
from pathlib import Path

from desktop.system import current
from desktop.system.launch import window_command
from engine.contract.errors import InklingError


def command(base: Path) -> list[str]:
    """What the session starts: the window, hidden in the tray."""
    return window_command(base, hidden=True)


def entry_file() -> Path:
    """Where this system looks for things to start."""
    return Path(current().autostart_file(Path.home(), os.environ))


def entry(base: Path) -> bytes:
    """The entry's content; it starts in the base directory, never in the person's home folder."""
    return current().autostart_entry(command(base), str(base))


def set_enabled(enabled: bool, base: Path) -> None:
    """Make or take away the entry; InklingError where that is not allowed."""
    file = entry_file()
    try:
        if enabled:
            # A session starts nothing whose working directory is missing.
            base.mkdir(parents=True, exist_ok=True)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(entry(base))
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise InklingError(
            "Starting with the session can't be set: {error}.",
            told={"error": error.strerror or error},
            hint="Check the permissions of the folder.",
            path=str(file),
        ) from error
