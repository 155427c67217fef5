"""What differs by operating system, behind one protocol; gives out `current()` and what uses it.

`protocol.Platform` says what a system has to answer, `linux`, `macos` and `windows` answer it, each
importable (and tested) on all of them. On top: starting with the session (`autostart`), opening and
revealing files (`opening`), the tray and the single instance.
"""

from __future__ import annotations

import sys

from desktop.system import linux, macos, windows
from desktop.system.protocol import Platform

_BY_NAME: dict[str, Platform] = {"darwin": macos, "win32": windows}


def current() -> Platform:
    """The system this process runs on; whatever is neither macOS nor Windows follows freedesktop.

    The only place of the desktop that asks for the operating system.
    """
    return _BY_NAME.get(sys.platform, linux)
