"""What each operating system is told, tested for all three on any of them."""

from __future__ import annotations

import configparser
import io
import ntpath
import plistlib
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import pytest

from desktop.preview import loading
from desktop.system import current, linux, macos, windows
from desktop.system.protocol import PATH, Platform


def entry(**facts: int) -> Any:
    return SimpleNamespace(**facts)


ALL: list[Platform] = [linux, macos, windows]
COMMAND = ["/opt/py thon/bin/python", "-P", "-m", "desktop", "--base-dir", 'a "b" 100% $HOME\\']
FOLDER = "/home/mara/a dir"


def as_desktops_read(line: str) -> list[str]:
    """Exec by the Desktop Entry Specification 1.5: escapes, then quotes, then field codes."""
    line = re.sub(r"\\(.)", lambda m: {"s": " ", "n": "\n", "t": "\t"}.get(m[1], m[1]), line)
    quoted = re.findall(r'"((?:[^"\\]|\\.)*)"(?: |$)', line)
    return [re.sub(r'\\(["`$\\])', r"\1", part).replace("%%", "%") for part in quoted]


def test_this_system_is_one_of_them() -> None:
    wanted = {"darwin": macos, "win32": windows}.get(sys.platform, linux)
    assert current() is wanted


class TestAutostartFile:
    def test_linux(self) -> None:
        home = PurePosixPath("/home/mara")
        usual = linux.autostart_file(home, {"XDG_CONFIG_HOME": ""})
        assert str(usual) == "/home/mara/.config/autostart/inkling.desktop"
        moved = linux.autostart_file(home, {"XDG_CONFIG_HOME": "/etc/mara"})
        assert str(moved) == "/etc/mara/autostart/inkling.desktop"

    def test_macos(self) -> None:
        file = macos.autostart_file(PurePosixPath("/home/mara"), {})
        assert str(file) == "/home/mara/Library/LaunchAgents/inkling.plist"

    def test_windows(self) -> None:
        home = PureWindowsPath("C:\\people\\mara")
        startup = "Microsoft\\Windows\\Start Menu\\Programs\\Startup\\inkling.cmd"
        assert str(windows.autostart_file(home, {})) == f"{home}\\AppData\\Roaming\\{startup}"
        moved = windows.autostart_file(home, {"APPDATA": "D:\\Roaming"})
        assert str(moved) == f"D:\\Roaming\\{startup}"


class TestAutostartEntry:
    def test_linux(self) -> None:
        entry = configparser.RawConfigParser()
        entry.read_string(linux.autostart_entry(COMMAND, FOLDER).decode())
        assert as_desktops_read(entry["Desktop Entry"]["Exec"]) == COMMAND
        assert entry["Desktop Entry"]["Path"] == FOLDER
        assert Path(entry["Desktop Entry"]["Icon"]).is_file()

    def test_linux_takes_names_that_are_no_text(self) -> None:
        assert b"d\xff" in linux.autostart_entry(["python", "d\udcff"], "d\udcff")

    def test_macos(self) -> None:
        entry = plistlib.loads(macos.autostart_entry(COMMAND, FOLDER))
        assert entry["ProgramArguments"] == COMMAND
        assert entry["WorkingDirectory"] == FOLDER
        assert entry["RunAtLoad"] is True

    def test_windows(self) -> None:
        command = ["C:\\Program Files\\python.exe", "-P", "C:\\ü\\100%PATH%\\"]
        text = windows.autostart_entry(command, "C:\\a dir").decode("utf-8")
        code_page, line, end = text.split("\r\n")
        assert code_page == "@chcp 65001 >nul"
        assert end == ""
        quoted = '"C:\\Program Files\\python.exe" "-P" "C:\\ü\\100%%PATH%%\\\\"'
        assert line == f'@start "" /D "C:\\a dir" {quoted}'


class TestSplitCommand:
    @pytest.mark.parametrize("system", ALL)
    def test_quotes_keep_spaces_together(self, system: Platform) -> None:
        assert system.split_command('"my editor" {path}') == ["my editor", "{path}"]
        assert system.split_command("code --goto {path}:{line}") == [
            "code", "--goto", "{path}:{line}",
        ]  # fmt: skip

    @pytest.mark.parametrize("system", ALL)
    def test_an_open_quote_is_refused(self, system: Platform) -> None:
        with pytest.raises(ValueError):
            system.split_command('ed "unclosed')

    def test_backslashes_are_part_of_a_path_on_windows(self) -> None:
        command = '"C:\\Program Files\\ed.exe" /p:"{path}" C:\\x'
        assert windows.split_command(command) == [
            "C:\\Program Files\\ed.exe", "/p:{path}", "C:\\x",
        ]  # fmt: skip
        assert linux.split_command("'a b'\\ c") == ["a b c"]


class TestRevealing:
    def test_each_in_its_own_way(self) -> None:
        assert linux.reveal_command("/d/a") is None  # asked over D-Bus
        assert macos.reveal_command("/d/a b") == ["open", "-R", "/d/a b"]
        assert windows.reveal_command("C:/d/a b") == ["explorer", "/select,", "C:\\d\\a b"]
        assert ntpath.isabs("C:\\d\\a b")

    def test_picked_programs(self) -> None:
        for system in ALL:
            assert system.program_command("/bin/vi") == ("/bin/vi", PATH)
        assert macos.program_command("/A/Ed.app") == ("open", "-a", "/A/Ed.app", PATH)

    def test_a_copied_file_says_so_where_that_is_needed(self) -> None:
        assert linux.copied_file_formats([b"file:///d/a"]) == {
            "x-special/gnome-copied-files": b"copy\nfile:///d/a"
        }
        assert macos.copied_file_formats([b"file:///d/a"]) == {}
        assert windows.copied_file_formats([b"file:///d/a"]) == {}


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("reader --x %U %i", ("reader", "--x", PATH)),
        ("reader", ("reader", PATH)),
        ('"a b" -f=%% %f', ("a b", "-f=%%", PATH)),
        ("'open", ()),
    ],
)
def test_exec_lines_of_desktop_entries(line: str, command: tuple[str, ...]) -> None:
    assert linux.exec_command(line) == command


def test_every_system_is_importable_without_qt() -> None:
    """The command line sets autostart, too; and nothing may need what only one system has."""
    script = "import sys, desktop.system.autostart; sys.exit('PySide6' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_a_terminal_is_found_where_one_is_installed(tmp_path: Path) -> None:
    for name in ("xterm", "mine"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    path = {"PATH": str(tmp_path)}
    assert linux.terminal_command("/d", path) == [str(tmp_path / "xterm")]
    assert linux.terminal_command("/d", {**path, "TERMINAL": "mine"}) == [str(tmp_path / "mine")]
    assert linux.terminal_command("/d", {"PATH": str(tmp_path / "none")}) is None
    assert macos.terminal_command("/d e", {}) == ["open", "-a", "Terminal", "/d e"]
    assert windows.terminal_command("C:\\d", {"PATH": "none"}) is not None


@pytest.mark.parametrize(
    ("name", "linux_says", "macos_says", "windows_says"),
    [
        ("a.txt", None, None, None), ("日本.txt", None, None, None),
        ("", *["refused"] * 3), ("..", *["refused"] * 3), ("a/b", *["refused"] * 3),
        ("a\\b", None, None, "refused"), ("a:b", None, None, "refused"),
        ("what?", None, None, "refused"), ("nul.txt", None, None, "refused"),
        ("a.", None, None, "refused"), ("a ", None, None, "refused"),
        ("é" * 128, "too long", "too long", None), ("é" * 256, *["too long"] * 3),
        ("🦑" * 128, *["too long"] * 3), ("🦑" * 63, None, None, None),
    ],
)  # fmt: skip
def test_names_for_files(
    name: str, linux_says: str | None, macos_says: str | None, windows_says: str | None
) -> None:
    assert [s.name_fault(name) for s in ALL] == [linux_says, macos_says, windows_says]


def test_a_preview_fetches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it was indexed, else by its name: what a person opens is fetched, not what is chosen."""
    away = [entry(st_file_attributes=0x400020), entry(st_flags=0x40000000)]
    assert [s.in_cloud("a.txt", away[0]) for s in ALL] == [False, False, True]
    assert [s.in_cloud("a.txt", away[1]) for s in ALL] == [False, True, False]
    assert [s.in_cloud(".a.txt.icloud", entry()) for s in ALL] == [False, True, False]
    file = tmp_path / "a.txt"
    file.write_text("words")
    assert loading._read(str(file)) == "words"
    monkeypatch.setattr(linux, "in_cloud", lambda name, found: name == "a.txt")
    assert loading._read(str(file)) is None


def test_what_the_bin_notes_beside_a_file() -> None:
    posix = PurePosixPath("/home/m/.local/share/Trash/files/a.txt")
    assert linux.bin_note(posix) == posix.parents[1] / "info" / "a.txt.trashinfo"
    assert macos.bin_note(PurePosixPath("/Users/m/.Trash/a.txt")) is None
    bin_ = PureWindowsPath("C:\\$Recycle.Bin\\S-1-5-21")
    assert windows.bin_note(bin_ / "$RQ0X1Z.txt") == bin_ / "$IQ0X1Z.txt"
    assert windows.bin_note(bin_ / "a.txt") is None


def test_a_pipe_that_is_spoken_into_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a second window would open beside the one that is busy."""
    tries = list[str]()

    def opened(address: str, *_: object, **__: object) -> io.BytesIO:
        tries.append(address)
        if len(tries) < 3:
            error = OSError("All pipe instances are busy")
            error.winerror = 231  # type: ignore[attr-defined]
            raise error
        return io.BytesIO()

    monkeypatch.setattr(windows, "open", opened, raising=False)
    assert windows.send_to_socket("pipe", b"1 show\n")
    assert len(tries) == 3
    monkeypatch.undo()
    assert not windows.send_to_socket("/nowhere/pipe", b"1 show\n")


def test_sockets_have_addresses_of_their_system() -> None:
    assert windows.socket_address("inkling-1") == r"\\.\pipe\inkling-1"
    assert linux.socket_address("inkling-1").endswith("/inkling-1")
    for platform in (linux, macos):
        assert not platform.send_to_socket("/nowhere/inkling-1", b"1 show\n")
