"""Doing something with a file: open it at the place, show it in its folder, put it elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QDir, QMimeData, QProcess, QUrl
from PySide6.QtGui import QDesktopServices

from desktop import strings as s
from desktop.system import current
from desktop.system.at_place import command_at
from desktop.system.protocol import PATH, Program
from engine.contract.errors import InklingError
from engine.contract.types import Location


def open_file(path: str, command: str, location: Location) -> None:
    """Open at the place with the person's command, or a program found here that goes to it; else
    with the desktop's program."""
    _must_exist(path)
    try:
        arguments = command_at(command, path, location, os.environ)
    except ValueError as error:
        raise InklingError(
            s.COMMAND_FAILED.format(command=command), hint=s.CHECK_SETTINGS
        ) from error
    if arguments:
        run(arguments)
    elif not QDesktopServices.openUrl(QUrl.fromLocalFile(path)):
        raise InklingError(s.NO_PROGRAM.format(name=Path(path).name), path=path)


def run(arguments: list[str]) -> None:
    """Start a program that outlives the window."""
    # In the home folder: the window's own working directory is nothing a person chose.
    home = QDir.homePath()
    if not arguments or not QProcess.startDetached(arguments[0], arguments[1:], home)[0]:
        raise InklingError(
            s.COMMAND_FAILED.format(command=" ".join(arguments)), hint=s.CHECK_SETTINGS
        )


def run_program(program: Program, path: str) -> None:
    """Open a file with one of the installed programs."""
    _must_exist(path)
    run([path if part == PATH else part for part in program.command])


def picked_program(file: str) -> Program:
    """The program that a person picked by its file."""
    return Program(Path(file).name, current().program_command(file))


def programs_for(path: str) -> list[Program]:
    """The installed programs for a file's type, by name. For a worker thread: reads many files."""
    return current().programs_for(path)


def reveal(path: str) -> bool:
    """Show the file in its folder, chosen there; False where no file manager takes that.

    For a worker thread: a file manager may take long to answer.
    """
    _must_exist(path)
    command = current().reveal_command(path)
    if command is None:
        return current().show_in_folder(path)
    run(command)
    return True


def open_folder(path: str) -> None:
    """Open the folder that a file is in."""
    folder = os.path.dirname(path)
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(folder)):
        raise InklingError(s.NO_PROGRAM.format(name=folder), path=path)


def _must_exist(path: str) -> None:
    if not os.path.lexists(path):
        raise InklingError(s.FILE_GONE.format(name=Path(path).name), path=path)


def open_terminal(folder: str) -> None:
    """A terminal in a folder; InklingError where there is none, or the folder is gone."""
    _must_exist(folder)
    command = current().terminal_command(folder, os.environ)
    if command is None or not QProcess.startDetached(command[0], command[1:], folder)[0]:
        raise InklingError(s.NO_TERMINAL, hint=s.NO_TERMINAL_HINT)


def files_mime(paths: Sequence[str]) -> QMimeData:
    """The files themselves for the clipboard: pasted into a folder they are copied there."""
    data = QMimeData()
    urls = [QUrl.fromLocalFile(path) for path in paths]
    data.setUrls(urls)
    # Undecodable bytes of a name are no text.
    texts = (path.encode("utf-8", "surrogateescape").decode("utf-8", "replace") for path in paths)
    data.setText("\n".join(texts))
    encoded = [bytes(url.toEncoded().data()) for url in urls]
    for kind, content in current().copied_file_formats(encoded).items():
        data.setData(kind, content)
    return data
