"""Starts Inkling for `make run`: the window where there is a display, else the terminal demo."""

from __future__ import annotations

import importlib.util
import os
import sys


def has_display() -> bool:
    """Whether a window could be shown."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY"))


def main() -> None:
    """Become the window or the demo."""
    window = has_display() and importlib.util.find_spec("desktop.app") is not None
    command = [sys.executable, "-P", "-m", "desktop", *([] if window else ["demo"])]
    if not window:
        sys.stdout.write("No display here: showing the demo in the terminal.\n")
        sys.stdout.flush()
    os.execv(sys.executable, command)


if __name__ == "__main__":
    main()
