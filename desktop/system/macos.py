"""macOS: launch agents and the `open` command."""

from __future__ import annotations

import os
import plistlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from desktop.system.keys import Keys
from desktop.system.protocol import PATH, BoundKey, Program
from desktop.system.unix_names import name_fault as name_fault
from desktop.system.unix_socket import send_to_socket as send_to_socket
from desktop.system.unix_socket import socket_address as socket_address
from engine.contract.cloud import away_on_macos
from engine.contract.errors import InklingError

NAME = "macos"


def autostart_file(home: PurePath, environment: Mapping[str, str]) -> PurePath:
    """A launch agent of this person."""
    return home / "Library" / "LaunchAgents" / "inkling.plist"


def autostart_entry(command: Sequence[str], folder: str) -> bytes:
    """A property list for launchd."""
    return plistlib.dumps(
        {
            "Label": "inkling",
            "ProgramArguments": list(command),
            "WorkingDirectory": folder,
            "RunAtLoad": True,
        }
    )


def split_command(command: str) -> list[str]:
    """As a shell would, without ever running one."""
    return shlex.split(command)


def program_command(program: str) -> tuple[str, ...]:
    """Applications are folders, which only `open` can start."""
    return ("open", "-a", program, PATH) if program.endswith(".app") else (program, PATH)


def reveal_command(path: str) -> list[str] | None:
    """Finder, with the file chosen."""
    return ["open", "-R", path]


def show_in_folder(path: str) -> bool:
    """Never asked: `reveal_command` does it."""
    return False


def copied_file_formats(urls: Sequence[bytes]) -> dict[str, bytes]:
    """The URL is enough for Finder."""
    return {}


def terminal_command(folder: str, environment: Mapping[str, str]) -> list[str] | None:
    """The system's own."""
    return ["open", "-a", "Terminal", folder]


def bind_key(
    keys: Keys,
    text: str,
    description: str,
    pressed: Callable[[str], None],
    failed: Callable[[InklingError], None],
) -> BoundKey:
    """Carbon."""
    from desktop.system.macos_key import MacKey

    return MacKey(keys, text, pressed, failed)


def kept_thumbnail(path: str, environment: Mapping[str, str]) -> bytes | None:
    """None: Quick Look keeps them in a database of its own."""
    return None


def in_cloud(name: str, found: os.stat_result) -> bool:
    """As iCloud and others say it."""
    return away_on_macos(name, found)


def bin_note(place: PurePath) -> PurePath | None:
    """None: Finder keeps that in a file of the whole bin, and forgets what is not there."""
    return None


def programs_for(path: str) -> list[Program]:
    """None: Launch Services has no list that can be read without its own libraries."""
    return []
