"""The command that opens a file at its place: the person's own, or of a program known to do so.

Loads no Qt: what answers a desktop's own search opens files, too.
"""

from __future__ import annotations

import ntpath
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from desktop.system import current
from desktop.system.protocol import PATH
from engine.contract.types import Location

LINE, PAGE = "{line}", "{page}"


@dataclass(frozen=True, slots=True)
class Known:
    """Programs that are told a place in the same way."""

    programs: tuple[str, ...]  # names of their files, without .exe
    arguments: tuple[str, ...]  # with PATH, and LINE or PAGE
    window: bool = True  # False: it needs a terminal, so that it is only used where it is named


#: Of several on PATH the first one is taken.
KNOWN = (
    Known(("code", "codium", "code-insiders", "cursor"), ("--goto", "{path}:{line}")),
    Known(("zed", "zeditor", "subl", "sublime_text"), ("{path}:{line}",)),
    Known(("kate", "kwrite"), ("--line", "{line}", "{path}")),
    Known(("gnome-text-editor", "gedit", "xed", "pluma", "gvim"), ("+{line}", "{path}")),
    Known(("geany", "mousepad"), ("--line={line}", "{path}")),
    Known(("idea", "pycharm", "webstorm", "clion", "goland"), ("--line", "{line}", "{path}")),
    Known(("notepad++",), ("-n{line}", "{path}")),
    Known(("emacs", "emacsclient"), ("+{line}", "{path}"), window=False),
    Known(("vim", "nvim", "vi", "nano", "micro"), ("+{line}", "{path}"), window=False),
    Known(("hx", "helix"), ("{path}:{line}",), window=False),
    Known(("okular",), ("-p", "{page}", "{path}")),
    Known(("evince", "papers", "atril", "xreader"), ("--page-label={page}", "{path}")),
    Known(("zathura",), ("-P", "{page}", "{path}")),
    Known(("SumatraPDF",), ("-page", "{page}", "{path}")),
)
_BY_PROGRAM = {program.lower(): row for row in KNOWN for program in row.programs}


def command_at(
    command: str, path: str, location: Location, environment: Mapping[str, str]
) -> list[str] | None:
    """The arguments that open a file at its place; None where the desktop's own program does.

    `command`: as the person set it; ValueError where it is unfinished. Without one a program that
    is known to go to a place is looked for, where there is one to go to.
    """
    parts = current().split_command(command) if command.strip() else _found(location, environment)
    if not parts:
        return None
    return filled(_with_place(parts, location), path, location)


def filled(parts: Sequence[str], path: str, location: Location) -> list[str]:
    """Arguments with {path}, {line} and {page}; a file's name is never shell text."""
    line = location.lines[0] if location.lines else 1
    parts = [*parts] if any(PATH in part for part in parts) else [*parts, PATH]
    values = {LINE: str(line), PAGE: str(location.page or 1)}
    for i, part in enumerate(parts):
        for name, value in values.items():
            part = part.replace(name, value)
        parts[i] = part.replace(PATH, path)  # last: a path may hold "{line}" itself
    return parts


def known(program: str) -> Known | None:
    """How the program in this file is told a place, if that is known."""
    name = ntpath.basename(PurePath(program).name)
    return _BY_PROGRAM.get(name.lower().removesuffix(".exe"))


def _goes_to(row: Known, location: Location) -> bool:
    text = " ".join(row.arguments)
    return bool(location.lines and LINE in text) or (location.page is not None and PAGE in text)


def _with_place(parts: list[str], location: Location) -> list[str]:
    """A program that is named without a template is told the place as it is known to take it."""
    row = known(parts[0])
    if row is None or any(sign in part for part in parts for sign in (PATH, LINE, PAGE)):
        return parts
    return [*parts, *row.arguments] if _goes_to(row, location) else parts


def _found(location: Location, environment: Mapping[str, str]) -> list[str]:
    """The person's VISUAL or EDITOR where it has a window of its own, else the first that is here;
    none for the beginning of a file, which every program shows."""
    if (location.lines or (1, 1))[0] <= 1 and (location.page or 1) <= 1:
        return []
    own = [environment.get(name, "") for name in ("VISUAL", "EDITOR")]
    names = [*own, *(program for row in KNOWN for program in row.programs)]
    for name in names:
        row = known(name) if name else None
        if row is None or not row.window or not _goes_to(row, location):
            continue
        if found := shutil.which(name, path=environment.get("PATH")):
            return [found]
    return []
