"""Speaking to the window that is open on a base directory, without Qt: a key press of the desktop
starts a process that does this alone, and must not be felt."""

from __future__ import annotations

import hashlib
from pathlib import Path

from desktop.system import current

VERSION = 1  # of the message; an unknown one is ignored


def address(folder: Path) -> str:
    """Where the window of a base directory listens; short, since sockets' paths end at about 100
    bytes."""
    name = "inkling-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return current().socket_address(name)


def send(folder: Path, command: str) -> bool:
    """Tell a running window `show` or `toggle`; whether there was one."""
    return current().send_to_socket(address(folder), f"{VERSION} {command}\n".encode())
