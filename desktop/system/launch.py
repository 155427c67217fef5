"""How Inkling starts itself again: the same interpreter, whatever lies in the working directory."""

from __future__ import annotations

from pathlib import Path

from engine.contract import launch


def window_command(base: Path, *, hidden: bool = False) -> list[str]:
    """The arguments that open the window on a base directory, or put it in the tray."""
    return launch.command("desktop", "--base-dir", str(base), *(["--hidden"] if hidden else []))
