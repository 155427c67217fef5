"""What `inkling` does before anything is opened: version, help, errors, speaking to the window."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pytestqt.qtbot import QtBot

from desktop.system.single_instance import SingleInstance
from engine.contract.paths import BaseDir
from engine.contract.version import VERSION
from tests.waiting import PATIENCE

#: Prints what was loaded when `inkling` has ended.
SCRIPT = """
import sys
from desktop.__main__ import main
try:
    status = main(sys.argv[1:])
except SystemExit as ended:
    status = ended.code
print("LOADED", *sys.modules, file=sys.stderr)
sys.exit(status)
"""
#: Qt, the client and what paints tables: each costs more than the answer.
HEAVY = {"PySide6", "rich", "psutil", "http.client", "desktop.app", "desktop.terminal.cli"}


def inkling(*arguments: str) -> tuple[int, str, str, set[str]]:
    """Status, output, errors, and what of the heavy modules was loaded."""
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *arguments],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    said, _, loaded = done.stderr.partition("LOADED")
    return done.returncode, done.stdout, said, HEAVY & set(loaded.split())


def test_the_version_is_told_and_no_window_opens() -> None:
    assert inkling("--version") == (0, f"Inkling {VERSION}\n", "", set())


@pytest.mark.parametrize("arguments", [["--help"], ["search", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    status, out, said, loaded = inkling(*arguments)
    assert (status, said, loaded) == (0, "", set())
    assert "usage: inkling" in out


@pytest.mark.parametrize(
    "arguments", [["--verison"], ["serach", "x"], ["--base-dir"], ["status", "--colour"]]
)
def test_what_is_not_known_is_refused_with_a_hint(arguments: list[str], base: BaseDir) -> None:
    status, out, said, loaded = inkling(*arguments)
    assert (status, out, loaded) == (2, "", set())
    assert said.startswith("inkling: ")
    assert "--help" in said


def test_a_folder_that_can_not_be_written_is_said(tmp_path: object) -> None:
    status, _, said, loaded = inkling("--base-dir", "/proc/inkling")
    assert (status, loaded) == (2, set())
    assert "--base-dir" in said


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["--toggle"], ("toggle", "")),
        (["--panel"], ("panel", "")),
        (["--ask", "two words"], ("ask", "two words")),
        (["--similar", "/d/a b.md"], ("similar", "/d/a b.md")),
        ([], ("show", "")),
    ],
)
def test_a_window_that_is_open_is_told_without_loading_one(
    qtbot: QtBot, base: BaseDir, arguments: list[str], asked: tuple[str, str]
) -> None:
    window = SingleInstance(base.root)
    assert window.listening
    heard: list[tuple[str, str]] = []
    window.asked.connect(lambda command, words: heard.append((command, words)))
    # It need not answer: the window may be busy just then.
    assert inkling("--base-dir", str(base.root), *arguments) == (0, "", "", set())
    qtbot.waitUntil(lambda: heard == [asked])
    window.close()
