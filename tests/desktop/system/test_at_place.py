"""Opening at a place: commands filled in, and programs that are known to go to a line or page."""

from __future__ import annotations

from pathlib import Path

import pytest

from desktop.system.at_place import KNOWN, command_at
from engine.contract.types import Location

HERE = Location(page=3, lines=(7, 9))
NOWHERE = {"PATH": ""}


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("code --goto {path}:{line}", ["code", "--goto", "/d/a b.py:7"]),
        ("vim +{line}", ["vim", "+7", "/d/a b.py"]),
        ("okular -p {page} {path}", ["okular", "-p", "3", "/d/a b.py"]),
        ("'my editor' {path}", ["my editor", "/d/a b.py"]),
        ("ed", ["ed", "/d/a b.py"]),
    ],
)
def test_commands_are_filled_in(command: str, arguments: list[str]) -> None:
    assert command_at(command, "/d/a b.py", HERE, NOWHERE) == arguments


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("code", ["code", "--goto", "/d/a.py:7"]),
        ("/opt/code -n", ["/opt/code", "-n", "--goto", "/d/a.py:7"]),
        ("kate", ["kate", "--line", "7", "/d/a.py"]),
        ("foot nvim", ["foot", "nvim", "/d/a.py"]),  # foot is what is started
        ("nvim", ["nvim", "+7", "/d/a.py"]),
        ("evince", ["evince", "--page-label=3", "/d/a.py"]),
        ("code {path}", ["code", "/d/a.py"]),  # a template is kept as it is
    ],
)
def test_a_known_program_needs_no_template(command: str, arguments: list[str]) -> None:
    assert command_at(command, "/d/a.py", HERE, NOWHERE) == arguments


def test_a_known_program_is_told_no_place_where_there_is_none() -> None:
    assert command_at("okular", "/d/a.pdf", Location(), NOWHERE) == ["okular", "/d/a.pdf"]


def test_a_name_is_never_more_than_a_name() -> None:
    path = "/d/{line} $(rm -rf x); `y` \" '.py"
    assert command_at("ed {path}", path, HERE, NOWHERE) == ["ed", path]


def test_an_unfinished_command_is_refused() -> None:
    with pytest.raises(ValueError):
        command_at("ed 'unclosed", "/d/a", Location(), NOWHERE)


@pytest.fixture
def programs(tmp_path: Path) -> dict[str, str]:
    for name in ("gedit", "kate", "vim", "okular"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    return {"PATH": str(tmp_path)}


def test_what_is_here_is_found(programs: dict[str, str], tmp_path: Path) -> None:
    line, page = Location(lines=(7, 9)), Location(page=3)
    assert command_at("", "/d/a", line, programs) == [f"{tmp_path}/kate", "--line", "7", "/d/a"]
    own = {**programs, "VISUAL": "vim", "EDITOR": "gedit"}  # vim has no window
    assert command_at("", "/d/a", line, own) == [f"{tmp_path}/gedit", "+7", "/d/a"]
    assert command_at("", "/d/a", page, own) == [f"{tmp_path}/okular", "-p", "3", "/d/a"]


def test_the_desktops_own_program_shows_beginnings(programs: dict[str, str]) -> None:
    for place in (Location(), Location(lines=(1, 4)), Location(page=1)):
        assert command_at("", "/d/a", place, programs) is None
    assert command_at("", "/d/a", HERE, NOWHERE) is None


def test_every_known_program_is_told_the_file_and_one_place() -> None:
    for row in KNOWN:
        text = " ".join(row.arguments)
        assert "{path}" in text
        assert ("{line}" in text) != ("{page}" in text)
    programs = [program for row in KNOWN for program in row.programs]
    assert len(programs) == len(set(programs))
