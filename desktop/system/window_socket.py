"""Speaking to the window that is open on a base directory, without Qt: a key press of the desktop
starts a process that does this alone, and must not be felt."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

from desktop.system import current

VERSION = 1  # of the message; an unknown one is ignored
#: The last two with words: a question, the path of a file to find the like of.
COMMANDS = ("show", "toggle", "panel", "ask", "similar")


def address(folder: Path) -> str:
    """Where the window of a base directory listens; short, since sockets' paths end at about 100
    bytes."""
    name = "inkling-" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return current().socket_address(name)


def send(folder: Path, command: str, words: str = "") -> bool:
    """Tell a running window what to do, see COMMANDS; whether there was one."""
    told = quote(os.fsencode(words))
    line = f"{VERSION} {command} {told}".rstrip()
    return current().send_to_socket(address(folder), f"{line}\n".encode())


def heard(line: str) -> tuple[str, str] | None:
    """Command and words of a line that `send` wrote; None where it is unknown."""
    version, _, rest = line.strip().partition(" ")
    command, _, told = rest.partition(" ")
    if version != str(VERSION) or command not in COMMANDS:
        return None
    return command, os.fsdecode(unquote_to_bytes(told))
