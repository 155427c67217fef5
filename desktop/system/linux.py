"""Linux and other freedesktop systems: desktop entries, the file manager's D-Bus interface."""

from __future__ import annotations

import configparser
import os
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePath

import resources
from desktop.system import kept_thumbnails
from desktop.system.keys import Keys
from desktop.system.protocol import PATH, BoundKey, Program
from desktop.system.unix_names import name_fault as name_fault
from desktop.system.unix_socket import send_to_socket as send_to_socket
from desktop.system.unix_socket import socket_address as socket_address
from engine.contract.errors import InklingError

NAME = "linux"

_ICON = Path(resources.__file__).parent / "icons" / "inkling.svg"
_FILE_CODES = ("%f", "%F", "%u", "%U")
_FILE_MANAGER = "org.freedesktop.FileManager1"
_ANSWER_MS = 5_000
_TERMINALS = (
    "x-terminal-emulator", "gnome-terminal", "kgx", "ptyxis", "konsole", "xfce4-terminal",
    "mate-terminal", "tilix", "kitty", "alacritty", "wezterm", "foot", "xterm",
)  # fmt: skip


def autostart_file(home: PurePath, environment: Mapping[str, str]) -> PurePath:
    """By the XDG Autostart specification."""
    config = environment.get("XDG_CONFIG_HOME") or ".config"
    return home / config / "autostart" / "inkling.desktop"


def autostart_entry(command: Sequence[str], folder: str) -> bytes:
    """A desktop entry (Desktop Entry Specification 1.5)."""
    return (
        f"[Desktop Entry]\nType=Application\nName=Inkling\nExec={exec_line(command)}\n"
        f"Path={_escaped(folder)}\n"
        f"Icon={_escaped(str(_ICON))}\nTerminal=false\nX-GNOME-Autostart-enabled=true\n"
    ).encode("utf-8", "surrogateescape")


def exec_line(command: Sequence[str]) -> str:
    """A command as Exec has it."""
    return " ".join(map(_quoted, command))


def _escaped(text: str) -> str:
    """A value of the file: the format takes one level of backslashes away."""
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _quoted(argument: str) -> str:
    """An argument of Exec: double quotes, not a shell's."""
    escaped = re.sub(r'(["`$\\])', r"\\\1", argument)
    return '"' + _escaped(escaped).replace("%", "%%") + '"'


def split_command(command: str) -> list[str]:
    """As a shell would, without ever running one."""
    return shlex.split(command)


def program_command(program: str) -> tuple[str, ...]:
    """The file that was picked is the program."""
    return (program, PATH)


def reveal_command(path: str) -> list[str] | None:
    """Every file manager has its own options: they are asked over D-Bus instead."""
    return None


def show_in_folder(path: str) -> bool:
    """The freedesktop call that file managers answer."""
    from PySide6.QtCore import QUrl
    from PySide6.QtDBus import QDBusConnection, QDBusMessage

    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    object_path = "/" + _FILE_MANAGER.replace(".", "/")
    call = QDBusMessage.createMethodCall(_FILE_MANAGER, object_path, _FILE_MANAGER, "ShowItems")
    call.setArguments([[QUrl.fromLocalFile(path).toString()], ""])
    answer = bus.call(call, timeout=_ANSWER_MS)
    return answer.type() == QDBusMessage.MessageType.ReplyMessage


def copied_file_formats(urls: Sequence[bytes]) -> dict[str, bytes]:
    """GNOME's file manager pastes only what says that it was copied."""
    return {"x-special/gnome-copied-files": b"\n".join((b"copy", *urls))}


def terminal_command(folder: str, environment: Mapping[str, str]) -> list[str] | None:
    """The one that TERMINAL names, else the first known one; all begin where they are started."""
    own = environment.get("TERMINAL", "")
    for name in filter(None, (own, *_TERMINALS)):
        if found := shutil.which(name, path=environment.get("PATH")):
            return [found]
    return None


def bind_key(
    keys: Keys,
    text: str,
    description: str,
    pressed: Callable[[str], None],
    failed: Callable[[InklingError], None],
) -> BoundKey:
    """The desktop portal, which asks the person."""
    from desktop.system.portal_key import PortalKey

    return PortalKey(keys, description, pressed, failed)


def kept_thumbnail(path: str, environment: Mapping[str, str]) -> bytes | None:
    """By the Thumbnail Managing Standard."""
    return kept_thumbnails.find(path, environment)


def in_cloud(name: str, found: os.stat_result) -> bool:
    """False: nothing says so here."""
    return False


def bin_note(place: PurePath) -> PurePath | None:
    """By the freedesktop specification it stands beside the files."""
    return place.parents[1] / "info" / f"{place.name}.trashinfo"


def programs_for(path: str) -> list[Program]:
    """From the desktop entries of all applications."""
    from PySide6.QtCore import QMimeDatabase, QStandardPaths

    mime = QMimeDatabase().mimeTypeForFile(path, QMimeDatabase.MatchMode.MatchExtension)
    wanted = {mime.name(), *mime.allAncestors()} - {"application/octet-stream"}
    folders = QStandardPaths.standardLocations(QStandardPaths.StandardLocation.ApplicationsLocation)
    found: dict[str, Program] = {}
    for entry in _desktop_entries(folders):
        types = set(filter(None, entry.get("MimeType", "").split(";")))
        if types & wanted and entry.get("NoDisplay", "").lower() != "true":
            command = exec_command(entry.get("Exec", ""))
            name = entry.get("Name", "")
            if command and name:
                found.setdefault(name, Program(name, command))
    return sorted(found.values(), key=lambda program: program.name.lower())


def _desktop_entries(folders: Sequence[str]) -> Iterator[configparser.SectionProxy]:
    for folder in folders:
        for file in sorted(Path(folder).glob("*.desktop")):
            parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
            parser.optionxform = str  # type: ignore[method-assign,assignment]
            try:
                parser.read(file, encoding="utf-8")
            except (configparser.Error, OSError, UnicodeDecodeError):
                continue
            if parser.has_section("Desktop Entry"):
                yield parser["Desktop Entry"]


def exec_command(line: str) -> tuple[str, ...]:
    """The Exec key of a desktop entry with PATH for its file code, other codes dropped."""
    try:
        parts = shlex.split(line)
    except ValueError:
        return ()
    if not any(part in _FILE_CODES for part in parts):
        parts.append(_FILE_CODES[0])
    return tuple(
        PATH if part in _FILE_CODES else part
        for part in parts
        if part in _FILE_CODES or not (len(part) == 2 and part[0] == "%")
    )
