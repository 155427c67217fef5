"""Paths for people: the home directory as ~, undecodable bytes as a replacement sign."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import PurePath


def short_folder(path: str) -> str:
    """The file's folder, the home directory as ~."""
    return short_path(str(PurePath(path).parent))


def short_path(path: str) -> str:
    """A path for people, the home directory as ~."""
    home = os.path.expanduser("~").rstrip("/\\")
    if path == home or path.startswith(home + os.sep):
        path = "~" + path[len(home) :]
    return printable(path)


#: Ends of lines and other controls, and what turns the order of letters about: "gpj.exe" is not to
#: be read as "exe.jpg".
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(path: str) -> str:
    """A path for people, on one line: what is no text becomes a replacement sign."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _CONTROLS.sub("\ufffd", text)


def fitting_folder(folder: str, fits: Callable[[str], bool]) -> str:
    """A folder as it fits: whole, else without its beginning, at least its last part.

    Where a file lies is told by the end of its path. `fits`: whether a text has room.
    """
    parts = folder.split(os.sep)
    for first in range(len(parts)):
        shown = folder if not first else os.sep.join(("…", *parts[first:]))
        if fits(shown) or first == len(parts) - 1:
            return shown
    return folder
