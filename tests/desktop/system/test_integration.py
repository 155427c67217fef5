"""Files by which desktops know Inkling: as their formats want them, written and taken back."""

from __future__ import annotations

import configparser
import os
import plistlib
import shlex
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest

from desktop.__main__ import main
from desktop.system import current, integrating, linux, macos, windows
from desktop.system.identity import BUS_NAME, OBJECT_PATH
from desktop.system.integration import ROWS, Places, rows_for
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.version import APPLICATION_ID

WINDOW = ["/opt/py thon/bin/python", "-P", "desktop", "--base-dir", "/home/ada/a 100% $b"]
HERE = Places(PurePosixPath("/home/ada"), {}, WINDOW, [*WINDOW, "serve-desktop"])
THERE = Places(PureWindowsPath("C:\\people\\ada"), {}, ["C:\\Program Files\\py.exe", "-P"])
WHERE = {"linux": HERE, "macos": HERE, "windows": THERE}


def contents(name: str) -> str:
    (row,) = (row for row in ROWS if row.id == name)
    return row.contents(WHERE[row.system]).decode()


def group(name: str, title: str) -> configparser.SectionProxy:
    read = configparser.RawConfigParser()
    read.optionxform = str  # type: ignore[assignment,method-assign]
    read.read_string(contents(name))
    return read[title]


def test_every_system_has_rows_and_every_row_a_place_of_its_own() -> None:
    for system in (linux, macos, windows):
        paths = [row.path(WHERE[system.NAME]) for row in rows_for(system.NAME)]
        assert paths
        assert len(set(paths)) == len(paths)
        assert all(path.is_relative_to(WHERE[system.NAME].home) for path in paths)
    assert len({row.id for row in ROWS}) == len(ROWS)


def test_where_things_are() -> None:
    paths = {row.id: str(row.path(WHERE[row.system])) for row in ROWS}
    share = "/home/ada/.local/share"
    assert paths["entry"] == f"{share}/applications/{APPLICATION_ID}.desktop"
    assert paths["bus"] == f"{share}/dbus-1/services/{BUS_NAME}.service"
    assert paths["krunner"] == f"{share}/krunner/dbusplugins/{APPLICATION_ID}.desktop"
    assert paths["send-to"].startswith(
        "C:\\people\\ada\\AppData\\Roaming\\Microsoft\\Windows\\SendTo\\"
    )
    moved = Places(HERE.home, {"XDG_DATA_HOME": "/data"}, WINDOW)
    assert str(moved.data) == "/data"
    assert str(Places(HERE.home, {"XDG_DATA_HOME": "odd"}, WINDOW).data) == share


def test_the_entry_starts_this_installation(tmp_path: Path) -> None:
    entry = group("entry", "Desktop Entry")
    assert entry["Exec"] == linux.exec_line(WINDOW)
    toggle = group("entry", "Desktop Action toggle")
    assert toggle["Exec"] == f"{linux.exec_line(WINDOW)} --toggle"
    assert entry["Icon"] == APPLICATION_ID
    if validate := shutil.which("desktop-file-validate"):
        file = tmp_path / f"{APPLICATION_ID}.desktop"
        file.write_text(contents("entry"))
        done = subprocess.run([validate, str(file)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


def test_the_searches_of_desktops_name_one_service() -> None:
    bus = group("bus", "D-BUS Service")
    assert bus["Name"] == BUS_NAME
    assert shlex.split(bus["Exec"]) == [*WINDOW, "serve-desktop"]
    gnome = group("gnome", "Shell Search Provider")
    assert dict(gnome) == {
        "DesktopId": f"{APPLICATION_ID}.desktop",
        "BusName": BUS_NAME,
        "ObjectPath": OBJECT_PATH,
        "Version": "2",
    }
    krunner = group("krunner", "Desktop Entry")
    assert krunner["X-Plasma-API"] == "DBus"
    assert krunner["X-Plasma-DBusRunner-Service"] == BUS_NAME
    assert krunner["X-Plasma-DBusRunner-Path"] == OBJECT_PATH


def test_gnome_reads_its_providers_from_the_system_alone() -> None:
    (row,) = (row for row in ROWS if row.id == "gnome")
    assert "administrator" in row.why_not(HERE)
    read = {"XDG_DATA_DIRS": "/home/ada/.local/share/:/usr/share"}
    assert row.why_not(Places(HERE.home, read, WINDOW)) == ""


def test_file_managers_give_the_chosen_file(tmp_path: Path) -> None:
    assert group("nemo", "Nemo Action")["Exec"] == f"{shlex.join(WINDOW)} --similar %F"
    dolphin = group("dolphin", "Desktop Action similar")
    assert dolphin["Exec"] == f"{linux.exec_line(WINDOW)} --similar %f"
    out = tmp_path / "out"
    program = tmp_path / "a program"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {out}\n')
    program.chmod(0o755)
    (row,) = (row for row in ROWS if row.id == "nautilus")
    script = tmp_path / "script"
    script.write_bytes(row.contents(Places(HERE.home, {}, [str(program), "-x"])))
    subprocess.run(["sh", str(script), "-odd $(name)"], check=True)
    assert out.read_text().splitlines() == ["-x", "--similar=-odd $(name)"]


def test_windows_and_macos() -> None:
    line = contents("send-to").split("\r\n")[1]
    assert line == '@start "" "C:\\Program Files\\py.exe" "-P" --similar="%~1"'
    flow = plistlib.loads(contents("quick-action").encode())
    command = flow["actions"][0]["action"]["ActionParameters"]["COMMAND_STRING"]
    assert command.startswith(f'{shlex.join(WINDOW)} --similar="$1"')
    info = plistlib.loads(contents("quick-action-name").encode())
    assert info["NSServices"][0]["NSMessage"] == "runWorkflowAsService"


def test_the_icon_is_one() -> None:
    assert ET.fromstring(contents("icon")).tag.endswith("svg")


def states(base: BaseDir) -> dict[str, str]:
    return {one.row.id: one.state for one in integrating.look(base)}


@pytest.mark.skipif(current() is not linux, reason="looks at this system's files")
class TestWriting:
    def test_all_that_is_written_is_taken_back(self, base: BaseDir) -> None:
        before = set(Path.home().rglob("*"))
        written = {one.row.id: one for one in integrating.write(base)}
        assert {one.state for one in written.values()} == {"written", "impossible"}
        assert written["gnome"].state == "impossible"
        assert os.access(written["nautilus"].path, os.X_OK)
        gone, left = integrating.remove(base)
        assert len(gone) == len(written) - 1
        assert left == []
        assert set(Path.home().rglob("*")) - before <= {
            Path.home() / ".local", Path.home() / ".local/share",
        }  # fmt: skip
        assert integrating.remove(base) == ([], [])

    def test_what_a_person_has_changed_is_left(self, base: BaseDir) -> None:
        paths = {one.row.id: one.path for one in integrating.write(base)}
        paths["nemo"].write_text("mine")
        assert states(base)["nemo"] == "changed"
        integrating.write(base)
        assert paths["nemo"].read_text() == "mine"
        gone, left = integrating.remove(base)
        assert left == [paths["nemo"]]
        assert paths["nemo"].read_text() == "mine"
        assert states(base)["nemo"] == "foreign"
        assert paths["krunner"] in gone

    def test_an_older_installations_are_renewed(self, base: BaseDir, tmp_path: Path) -> None:
        integrating.write(base)
        moved = BaseDir(base.root.rename(tmp_path / "moved"))
        assert states(moved)["bus"] == "older"
        assert "older" not in {one.state for one in integrating.write(moved)}

    def test_a_list_that_is_damaged_is_said(self, base: BaseDir) -> None:
        (base.root / "integration.json").write_text("{")
        with pytest.raises(InklingError, match="can't be read"):
            integrating.write(base)

    def test_by_command(self, base: BaseDir, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
        def said(*options: str) -> str:
            assert main(["integrate", "--base-dir", str(base.root), *options]) == 0
            return capfdbinary.readouterr().out.decode()

        assert "“Find Similar” in Nemo: no" in said("--list")
        assert "“Find Similar” in Nemo: yes" in said()
        assert "administrator" in said("--list")
        assert said("--show", "gnome") == contents("gnome")
        assert main(["integrate", "--base-dir", str(base.root), "--show", "x"]) == 2
        capfdbinary.readouterr()
        assert "Removed" in said("--remove")
        assert said("--remove") == "There is nothing that was written.\n"
