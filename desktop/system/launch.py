"""How Inkling starts itself again: the same interpreter, whatever lies in the working directory."""

from __future__ import annotations

import sys
from pathlib import Path


def window_command(base: Path, *, hidden: bool = False) -> list[str]:
    """The arguments that open the window on a base directory, or put it in the tray.

    `-P`: without it Python would import `json.py` and the like from the working directory.
    """
    command = [sys.executable, "-P", "-m", "desktop", "--base-dir", str(base)]
    return [*command, "--hidden"] if hidden else command
