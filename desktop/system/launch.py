"""How Inkling starts itself again: the same interpreter, whatever lies in the working directory."""

from __future__ import annotations

from pathlib import Path

from engine.contract import launch


def window_command(base: Path, *, hidden: bool = False, ask: str = "") -> list[str]:
    """The arguments that open the window on a base directory, put it in the tray, or ask there."""
    more = ["--hidden"] if hidden else [f"--ask={ask}"] if ask else []
    return launch.command("desktop", "--base-dir", str(base), *more)
