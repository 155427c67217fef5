"""What is done with what was chosen in a shell: opened at its place, or asked on in the window."""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from desktop.presentation import kinds
from desktop.provider.result_id import address
from desktop.system.at_place import command_at
from desktop.system.launch import window_command
from engine.contract import launch
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Hit

_log = logging.getLogger(__name__)
#: Programs that outlive us, kept so that their end is not waited for with a warning.
_STARTED: list[subprocess.Popen[bytes]] = []


def open_hit(base: BaseDir, hit: Hit, token: str = "") -> None:
    """With the person's command, a program that goes to the place, or the desktop's own."""
    if not os.path.lexists(hit.path):
        _log.warning("what was chosen is not there any more")
        return
    setting = kinds.of(hit).open_setting
    command = str(Settings.load(base).get(setting)) if setting else ""
    try:
        arguments = command_at(command, hit.path, hit.location, os.environ)
    except ValueError:
        _log.warning("the setting %s is no command", setting)
        arguments = None
    _start(arguments or _desktops_own(address(hit.path)), token)


def ask_in_window(base: BaseDir, words: str, token: str = "") -> None:
    """The window, with the same question."""
    _start(window_command(base.root, ask=words), token, launch.environment())


def _desktops_own(uri: str) -> list[str]:
    opener = shutil.which("xdg-open")
    return [opener, uri] if opener else ["gio", "open", uri]


def _start(
    command: Sequence[str], token: str, environment: Mapping[str, str] | None = None
) -> None:
    """A program of its own, which may take the focus where the shell gave a token for that."""
    given = dict(os.environ if environment is None else environment)
    if token:
        given |= {"XDG_ACTIVATION_TOKEN": token, "DESKTOP_STARTUP_ID": token}
    _STARTED[:] = [process for process in _STARTED if process.poll() is None]
    try:
        _STARTED.append(
            subprocess.Popen(
                list(command),
                cwd=Path.home(),
                env=given,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        )
    except OSError as error:
        _log.warning("%s could not be started: %s", command[0], error.strerror)
