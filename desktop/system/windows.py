"""Windows: the Startup folder, Explorer, and command lines in which backslashes are no escapes."""

from __future__ import annotations

import ntpath
import os
import re
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from desktop.system.keys import Keys
from desktop.system.protocol import PATH, BoundKey, NameFault, Program
from engine.contract.cloud import away_on_windows
from engine.contract.errors import InklingError
from engine.contract.file_names import windows_takes

NAME = "windows"

#: Another program speaks into a pipe just now: it is there, and free in a moment.
_PIPE_BUSY = 231
_WAIT_S, _PAUSE_S = 0.5, 0.01
#: A piece of a command: bare characters and "quoted ones" up to the next space.
_ARGUMENT = re.compile(r'(?:[^\s"]|"[^"]*")+')


def autostart_file(home: PurePath, environment: Mapping[str, str]) -> PurePath:
    """A command file in this person's Startup folder."""
    roaming = home / (environment.get("APPDATA") or "AppData/Roaming")
    return roaming / "Microsoft" / "Windows" / "Start Menu" / "Programs" / "Startup" / "inkling.cmd"


def autostart_entry(command: Sequence[str], folder: str) -> bytes:
    """A command file that starts the program and ends."""
    line = " ".join(map(quoted, command))
    # The interpreter of command files reads the machine's old code page unless it is told.
    return f'@chcp 65001 >nul\r\n@start "" /D {quoted(folder)} {line}\r\n'.encode()


def quoted(argument: str) -> str:
    """An argument in a command file: `%` starts a variable even within quotes."""
    # A backslash before the closing quote would escape it.
    end = "\\" if argument.endswith("\\") else ""
    return '"' + argument.replace("%", "%%") + end + '"'


def split_command(command: str) -> list[str]:
    """At spaces outside double quotes; a backslash stands for itself."""
    if command.count('"') % 2:
        raise ValueError("a quotation mark is missing")
    return [part.replace('"', "") for part in _ARGUMENT.findall(command)]


def program_command(program: str) -> tuple[str, ...]:
    """The file that was picked is the program."""
    return (program, PATH)


def reveal_command(path: str) -> list[str] | None:
    """Explorer, with the file chosen; it understands no forward slashes here, and no quotation
    marks around its option, which a path with spaces would bring."""
    return ["explorer", "/select,", ntpath.normpath(path)]


def show_in_folder(path: str) -> bool:
    """Never asked: `reveal_command` does it."""
    return False


def copied_file_formats(urls: Sequence[bytes]) -> dict[str, bytes]:
    """The URL is enough for Explorer."""
    return {}


def socket_address(name: str) -> str:
    """A named pipe."""
    return rf"\\.\pipe\{name}"


def send_to_socket(address: str, message: bytes) -> bool:
    """Whether somebody listens, who then has the message."""
    until = time.monotonic() + _WAIT_S
    while True:
        try:
            with open(address, "r+b", buffering=0) as pipe:
                pipe.write(message)
        except OSError as error:
            if getattr(error, "winerror", 0) != _PIPE_BUSY or time.monotonic() > until:
                return False
            time.sleep(_PAUSE_S)
        else:
            return True


def terminal_command(folder: str, environment: Mapping[str, str]) -> list[str] | None:
    """Windows Terminal where it is installed, else the old one."""
    found = shutil.which("wt", path=environment.get("PATH"))
    return [found, "-d", folder] if found else ["cmd", "/c", "start", "cmd"]


def bind_key(
    keys: Keys,
    text: str,
    description: str,
    pressed: Callable[[str], None],
    failed: Callable[[InklingError], None],
) -> BoundKey:
    """RegisterHotKey."""
    from desktop.system.windows_key import WindowsKey

    return WindowsKey(keys, text, pressed, failed)


def kept_thumbnail(path: str, environment: Mapping[str, str]) -> bytes | None:
    """None: Explorer keeps them in a database of its own."""
    return None


def name_fault(name: str) -> NameFault | None:
    """Some signs and words are the system's own; a name is so many units of UTF-16."""
    if not name or name in (".", "..") or not windows_takes(name):
        return "refused"
    return "too long" if len(name.encode("utf-16-le", "surrogatepass")) > 2 * 255 else None


def in_cloud(name: str, found: os.stat_result) -> bool:
    """As OneDrive, Dropbox and others say it."""
    return away_on_windows(found)


def bin_note(place: PurePath) -> PurePath | None:
    """What the bin calls $R… has an $I… of the same name beside it."""
    if not place.name.startswith("$R"):
        return None
    return place.with_name(f"$I{place.name.removeprefix('$R')}")


def programs_for(path: str) -> list[Program]:
    """None: the registry's list can't be started by command alone."""
    return []
