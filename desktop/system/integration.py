"""Files by which the desktop knows Inkling: one table, written for this person and taken back.

Each row is a pure function from where things are to a file's contents, tested for all systems.
"""

from __future__ import annotations

import plistlib
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

import resources
from desktop.system import linux, windows
from desktop.system.identity import BUS_NAME, OBJECT_PATH
from engine.contract.version import APPLICATION_ID

_RESOURCES = Path(resources.__file__).parent
_SIMILAR = "Find Similar in Inkling"
_SIMILAR_ID = f"{APPLICATION_ID}.Similar"
_GNOME_FOLDER = "gnome-shell/search-providers"
#: Lines of the desktop entry that start Inkling; what follows is options.
_EXEC = "Exec=inkling"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things are on the system that is written for."""

    home: PurePath
    environment: Mapping[str, str]
    window: Sequence[str]  # the command that opens the window
    provider: Sequence[str] = ()  # the command that answers desktops' searches

    @property
    def data(self) -> PurePath:
        """By the XDG Base Directory specification."""
        given = self.environment.get("XDG_DATA_HOME", "")
        return self.home / given if given.startswith("/") else self.home / ".local" / "share"

    @property
    def roaming(self) -> PurePath:
        """What Windows keeps for a person's programs."""
        return self.home / (self.environment.get("APPDATA") or "AppData/Roaming")


@dataclass(frozen=True, slots=True)
class Row:
    """One thing a desktop can be told, as one file."""

    id: str
    system: str
    title: str
    path: Callable[[Places], PurePath]
    contents: Callable[[Places], bytes]
    executable: bool = False
    #: Why it can't be written for one person, or "": asked before it is.
    why_not: Callable[[Places], str] = lambda _places: ""


def _entry(places: Places, name: str = APPLICATION_ID) -> bytes:
    text = (_RESOURCES / "desktop" / f"{name}.desktop").read_text(encoding="utf-8")
    command = linux.exec_line(places.window)
    lines = [
        f"Exec={command}{line.removeprefix(_EXEC)}" if line.startswith(_EXEC) else line
        for line in text.splitlines()
    ]
    return _text(*lines)


def _text(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")


def _service(places: Places) -> bytes:
    return _text("[D-BUS Service]", f"Name={BUS_NAME}", f"Exec={shlex.join(places.provider)}")


def _gnome(_places: Places) -> bytes:
    return _text(
        "[Shell Search Provider]",
        f"DesktopId={APPLICATION_ID}.desktop",
        f"BusName={BUS_NAME}",
        f"ObjectPath={OBJECT_PATH}",
        "Version=2",
    )


def _gnome_reads_it(places: Places) -> str:
    read = places.environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share"
    if str(places.data) in [folder.rstrip("/") for folder in read.split(":")]:
        return ""
    return (
        "GNOME reads it from the system's folders alone: the package brings it, or an "
        "administrator saves what `inkling integrate --show gnome` prints as "
        f"/usr/local/share/{_GNOME_FOLDER}/{APPLICATION_ID}.search-provider.ini."
    )


def _krunner(_places: Places) -> bytes:
    return _text(
        "[Desktop Entry]",
        "Type=Service",
        "Name=Inkling",
        "Comment=Files by what is in them",
        "Comment[de]=Dateien nach dem, was darin steht",
        f"Icon={APPLICATION_ID}",
        "X-KDE-ServiceTypes=Plasma/Runner",
        "X-KDE-PluginInfo-Name=inkling",
        "X-KDE-PluginInfo-EnabledByDefault=true",
        "X-Plasma-API=DBus",
        f"X-Plasma-DBusRunner-Service={BUS_NAME}",
        f"X-Plasma-DBusRunner-Path={OBJECT_PATH}",
        "X-Plasma-Request-Actions-Once=true",
        "X-Plasma-Runner-Min-Letter-Count=2",
    )


def _nautilus(places: Places) -> bytes:
    return _text("#!/bin/sh", f'exec {shlex.join(places.window)} --similar="$1"')


def _nemo(places: Places) -> bytes:
    return _text(
        "[Nemo Action]",
        "Active=true",
        f"Name={_SIMILAR}",
        "Name[de]=Ähnliche in Inkling finden",
        "Comment=Files that are like this one",
        f"Exec={shlex.join(places.window)} --similar %F",
        f"Icon-Name={APPLICATION_ID}",
        "Selection=s",
        "Extensions=nodirs;",
        "Quote=double",
    )


def _dolphin(places: Places) -> bytes:
    return _text(
        "[Desktop Entry]",
        "Type=Service",
        "MimeType=application/octet-stream;",
        "Actions=similar;",
        "",
        "[Desktop Action similar]",
        f"Name={_SIMILAR}",
        "Name[de]=Ähnliche in Inkling finden",
        f"Icon={APPLICATION_ID}",
        f"Exec={linux.exec_line(places.window)} --similar %f",
    )


def _send_to(places: Places) -> bytes:
    command = " ".join(map(windows.quoted, places.window))
    return f'@chcp 65001 >nul\r\n@start "" {command} --similar="%~1"\r\n'.encode()


def _workflow(places: Places) -> bytes:
    """Automator's document: one action that runs a script with the chosen file."""
    action = {
        "AMAccepts": {"Container": "List", "Optional": True, "Types": ["com.apple.cocoa.path"]},
        "AMProvides": {"Container": "List", "Types": ["com.apple.cocoa.path"]},
        "ActionBundlePath": "/System/Library/Automator/Run Shell Script.action",
        "ActionName": "Run Shell Script",
        "ActionParameters": {
            "COMMAND_STRING": f'{shlex.join(places.window)} --similar="$1" >/dev/null 2>&1 &',
            "CheckedForUserDefaultShell": True,
            "inputMethod": 1,  # as arguments
            "shell": "/bin/sh",
            "source": "",
        },
        "BundleIdentifier": "com.apple.RunShellScript",
        "Class Name": "RunShellScriptAction",
        "isViewVisible": True,
    }
    kind = "com.apple.Automator.servicesMenu"
    return plistlib.dumps(
        {
            "AMApplicationVersion": "2.10",
            "AMDocumentVersion": "2",
            "actions": [{"action": action, "isViewVisible": True}],
            "connectors": {},
            "workflowMetaData": {
                "serviceInputTypeIdentifier": "com.apple.Automator.fileSystemObject",
                "serviceOutputTypeIdentifier": "com.apple.Automator.nothing",
                "workflowTypeIdentifier": kind,
            },
        }
    )


def _workflow_info(_places: Places) -> bytes:
    service = {
        "NSMenuItem": {"default": _SIMILAR},
        "NSMessage": "runWorkflowAsService",
        "NSRequiredContext": {"NSApplicationIdentifier": "com.apple.finder"},
        "NSSendFileTypes": ["public.item"],
    }
    return plistlib.dumps({"NSServices": [service]})


def _quick_action(places: Places, name: str) -> PurePath:
    return places.home / "Library" / "Services" / f"{_SIMILAR}.workflow" / "Contents" / name


ROWS = (
    Row(
        "entry", "linux", "Inkling among the programs",
        lambda p: p.data / "applications" / f"{APPLICATION_ID}.desktop", _entry,
    ),
    Row(
        "open-with", "linux", "“Find Similar” under Open with",
        lambda p: p.data / "applications" / f"{_SIMILAR_ID}.desktop",
        lambda p: _entry(p, _SIMILAR_ID),
    ),
    Row(
        "icon", "linux", "its icon",
        lambda p: p.data / "icons/hicolor/scalable/apps" / f"{APPLICATION_ID}.svg",
        lambda _p: (_RESOURCES / "icons" / "inkling.svg").read_bytes(),
    ),
    Row(
        "bus", "linux", "answers to the desktop's searches",
        lambda p: p.data / "dbus-1/services" / f"{BUS_NAME}.service", _service,
    ),
    Row(
        "gnome", "linux", "results in GNOME's overview",
        lambda p: p.data / _GNOME_FOLDER / f"{APPLICATION_ID}.search-provider.ini", _gnome,
        why_not=_gnome_reads_it,
    ),
    Row(
        "krunner", "linux", "results in KRunner",
        lambda p: p.data / "krunner/dbusplugins" / f"{APPLICATION_ID}.desktop", _krunner,
    ),
    Row(
        "nautilus", "linux", "“Find Similar” in Nautilus (Scripts)",
        lambda p: p.data / "nautilus/scripts" / _SIMILAR, _nautilus, executable=True,
    ),
    Row(
        "nemo", "linux", "“Find Similar” in Nemo",
        lambda p: p.data / "nemo/actions" / f"{APPLICATION_ID}.nemo_action", _nemo,
    ),
    Row(
        "dolphin", "linux", "“Find Similar” in Dolphin",
        lambda p: p.data / "kio/servicemenus" / f"{APPLICATION_ID}.desktop", _dolphin,
        executable=True,  # else Dolphin asks whether to trust it
    ),
    Row(
        "send-to", "windows", "“Find Similar” under Send to",
        lambda p: p.roaming / "Microsoft/Windows/SendTo" / f"{_SIMILAR}.cmd", _send_to,
    ),
    Row(
        "quick-action", "macos", "“Find Similar” among Finder's quick actions",
        lambda p: _quick_action(p, "document.wflow"), _workflow,
    ),
    Row(
        "quick-action-name", "macos", "its name",
        lambda p: _quick_action(p, "Info.plist"), _workflow_info,
    ),
)  # fmt: skip


def rows_for(system: str) -> list[Row]:
    """What there is for a system, by its name."""
    return [row for row in ROWS if row.system == system]
