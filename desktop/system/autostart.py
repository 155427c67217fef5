"""Starting with the session, in each system's own way."""

from __future__ import annotations

import os
import plistlib
import re
import sys
from pathlib import Path

from desktop import icons
from engine.contract.errors import InklingError


def command(base: Path) -> list[str]:
    """What the session starts: the window, hidden in the tray."""
    return [sys.executable, "-m", "desktop", "--base-dir", str(base), "--hidden"]


def entry_file() -> Path:
    """Where this system looks for things to start."""
    home = Path.home()
    if sys.platform == "darwin":
        return home / "Library" / "LaunchAgents" / "inkling.plist"
    if sys.platform == "win32":
        start = Path(os.environ.get("APPDATA", home / "AppData" / "Roaming"))
        return (
            start / "Microsoft" / "Windows" / "Start Menu" / "Programs" / "Startup" / "inkling.cmd"
        )
    config = os.environ.get("XDG_CONFIG_HOME") or home / ".config"
    return Path(config) / "autostart" / "inkling.desktop"


def entry(base: Path) -> bytes:
    """The entry's content."""
    if sys.platform == "darwin":
        return plistlib.dumps(
            {"Label": "inkling", "ProgramArguments": command(base), "RunAtLoad": True}
        )
    if sys.platform == "win32":
        quoted = " ".join(f'"{part}"' for part in command(base))
        return f'@start "" {quoted}\r\n'.encode()
    line = " ".join(map(_quoted, command(base)))
    return (
        f"[Desktop Entry]\nType=Application\nName=Inkling\nExec={line}\n"
        f"Icon={icons.FOLDER / 'inkling.svg'}\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
    ).encode()


def _quoted(argument: str) -> str:
    """An argument of Exec: double quotes, not a shell's, by the Desktop Entry Specification 1.5."""
    escaped = re.sub(r'(["`$\\])', r"\\\1", argument)
    # The file format takes one level of backslashes away before the quoting is looked at.
    return '"' + escaped.replace("\\", "\\\\").replace("%", "%%") + '"'


def set_enabled(enabled: bool, base: Path) -> None:
    """Make or take away the entry."""
    file = entry_file()
    try:
        if enabled:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(entry(base))
        else:
            file.unlink(missing_ok=True)
    except OSError as error:
        raise InklingError(
            f"Starting with the session can't be set: {error.strerror or error}.",
            hint="Check the permissions of the folder.",
            path=str(file),
        ) from error
