"""Doing something with a file: open it at the place, show it in its folder, put it elsewhere."""

from __future__ import annotations

import configparser
import os
import platform
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QMimeData, QMimeDatabase, QProcess, QStandardPaths, QUrl
from PySide6.QtDBus import QDBusConnection, QDBusMessage
from PySide6.QtGui import QDesktopServices

from desktop import strings as s
from engine.contract.errors import InklingError
from engine.contract.settings import Settings
from engine.contract.types import Hit, Location


def open_hit(hit: Hit, location: Location, settings: Settings) -> None:
    """Open at the page or line where a command for that is set, else with the desktop's program."""
    _must_exist(hit.path)
    command = ""
    if hit.kind in ("code", "note"):
        command = settings.editor_command
    elif hit.kind == "pdf":
        command = settings.viewer_command
    if command.strip():
        run(filled(command, hit.path, location))
    elif not QDesktopServices.openUrl(QUrl.fromLocalFile(hit.path)):
        raise InklingError(s.NO_PROGRAM.format(name=Path(hit.path).name), path=hit.path)


def filled(command: str, path: str, location: Location) -> list[str]:
    """A command's arguments with {path}, {line} and {page}; a file's name is never shell text."""
    line = location.lines[0] if location.lines else 1
    try:
        parts = shlex.split(command)
    except ValueError as error:
        raise InklingError(
            s.COMMAND_FAILED.format(command=command), hint=s.CHECK_SETTINGS
        ) from error
    if not any("{path}" in part for part in parts):
        parts.append("{path}")
    values = {"{path}": path, "{line}": str(line), "{page}": str(location.page or 1)}
    for i, part in enumerate(parts):
        for name, value in values.items():
            # One pass per name, path last: a path may hold "{line}" itself.
            if name != "{path}":
                part = part.replace(name, value)
        parts[i] = part.replace("{path}", path)
    return parts


def run(arguments: list[str]) -> None:
    """Start a program that outlives the window."""
    if not arguments or not QProcess.startDetached(arguments[0], arguments[1:])[0]:
        raise InklingError(
            s.COMMAND_FAILED.format(command=" ".join(arguments)), hint=s.CHECK_SETTINGS
        )


def reveal(path: str) -> bool:
    """Show the file in its folder, chosen there; False where no file manager takes that.

    For a worker thread: a file manager may take long to answer.
    """
    _must_exist(path)
    if platform.system() == "Darwin":
        run(["open", "-R", path])
    elif platform.system() == "Windows":
        run(["explorer", f"/select,{os.path.normpath(path)}"])
    else:
        return _show_items(path)
    return True


def open_folder(path: str) -> None:
    """Open the folder that a file is in."""
    folder = os.path.dirname(path)
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(folder)):
        raise InklingError(s.NO_PROGRAM.format(name=folder), path=path)


def _show_items(path: str) -> bool:
    """The freedesktop call that file managers answer; whether one did."""
    bus = QDBusConnection.sessionBus()
    if not bus.isConnected():
        return False
    call = QDBusMessage.createMethodCall(
        "org.freedesktop.FileManager1",
        "/org/freedesktop/FileManager1",
        "org.freedesktop.FileManager1",
        "ShowItems",
    )
    call.setArguments([[QUrl.fromLocalFile(path).toString()], ""])
    answer = bus.call(call, timeout=5_000)
    return answer.type() == QDBusMessage.MessageType.ReplyMessage


def _must_exist(path: str) -> None:
    if not os.path.lexists(path):
        raise InklingError(s.FILE_GONE.format(name=Path(path).name), path=path)


def file_mime(path: str) -> QMimeData:
    """The file itself for the clipboard: pasted into a folder it is copied there."""
    data = QMimeData()
    url = QUrl.fromLocalFile(path)
    data.setUrls([url])
    data.setText(path.encode("utf-8", "surrogateescape").decode("utf-8", "replace"))
    data.setData("x-special/gnome-copied-files", b"copy\n" + url.toEncoded().data())
    return data


@dataclass(frozen=True, slots=True)
class Program:
    """A program that says it opens a type of file."""

    name: str
    command: tuple[str, ...]  # with {path}


def programs_for(path: str) -> list[Program]:
    """The installed programs for a file's type, by name (freedesktop systems)."""
    mime = QMimeDatabase().mimeTypeForFile(path, QMimeDatabase.MatchMode.MatchExtension)
    wanted = {mime.name(), *mime.allAncestors()} - {"application/octet-stream"}
    found: dict[str, Program] = {}
    for entry in _desktop_entries():
        types = set(filter(None, entry.get("MimeType", "").split(";")))
        if types & wanted and entry.get("NoDisplay", "").lower() != "true":
            command = _exec_command(entry.get("Exec", ""))
            name = entry.get("Name", "")
            if command and name:
                found.setdefault(name, Program(name, command))
    return sorted(found.values(), key=lambda program: program.name.lower())


def _desktop_entries() -> Iterator[configparser.SectionProxy]:
    kind = QStandardPaths.StandardLocation.ApplicationsLocation
    for folder in QStandardPaths.standardLocations(kind):
        for file in sorted(Path(folder).glob("*.desktop")):
            parser = configparser.RawConfigParser(strict=False, delimiters=("=",))
            parser.optionxform = str  # type: ignore[method-assign,assignment]
            try:
                parser.read(file, encoding="utf-8")
            except (configparser.Error, OSError, UnicodeDecodeError):
                continue
            if parser.has_section("Desktop Entry"):
                yield parser["Desktop Entry"]


def _exec_command(line: str) -> tuple[str, ...]:
    """The Exec key with {path} for its file code, other codes dropped."""
    try:
        parts = shlex.split(line)
    except ValueError:
        return ()
    if not any(part in ("%f", "%F", "%u", "%U") for part in parts):
        parts.append("%f")
    files = ("%f", "%F", "%u", "%U")
    return tuple(
        "{path}" if part in files else part
        for part in parts
        if part in files or not (len(part) == 2 and part[0] == "%")
    )
