"""The pattern of a folder that is left out means that folder and no other."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from desktop.window.leaving_out import pattern_for
from engine.contract.errors import InklingError
from indexer.sources.ignore import Patterns

NAMES = st.text(alphabet="ab*?[]!#\\ .x", min_size=1, max_size=8).filter(
    lambda name: name.strip(" .") == name
)
ROOT = "/home/ada/Documents"


@given(st.lists(NAMES, min_size=1, max_size=3), NAMES)
def test_it_is_left_out_and_its_neighbours_are_not(parts: list[str], other: str) -> None:
    folder = "/".join([ROOT, *parts])
    rules = Patterns([pattern_for(folder, [ROOT, "/nowhere"])], "settings")
    parent, _, name = folder.rpartition("/")
    assume(name != other)
    assert rules.match(parent, name, folder=True) >= 0
    assert rules.match(parent, name, folder=False) < 0
    assert rules.match(parent, other, folder=True) < 0
    assert rules.match(f"/media/ada{parent}", name, folder=True) < 0


#: On Windows no name holds these or ends with a dot.
WINDOWS = st.text(alphabet="ab[]!# .x", min_size=1, max_size=8).filter(
    lambda name: name.strip(" .") == name
)
WATCHED = ("C:\\Users\\ada", "D:\\", "\\\\nas\\photos")


@given(st.sampled_from(WATCHED), st.lists(WINDOWS, min_size=1, max_size=3), WINDOWS)
def test_so_it_is_on_drives_and_servers_of_windows(root: str, parts: list[str], other: str) -> None:
    folder = "\\".join([root.rstrip("\\"), *parts])
    rules = Patterns([pattern_for(folder, WATCHED, "\\")], "settings", sep="\\")
    parent, _, name = folder.rpartition("\\")
    parent = "D:\\" if parent == "D:" else parent
    assume(name != other)
    assert rules.match(parent, name, folder=True) >= 0
    assert rules.match(parent, name, folder=False) < 0
    assert rules.match(parent, other, folder=True) < 0
    elsewhere = "E:" + parent[2:] if parent[1] == ":" else parent.replace("nas", "nas2")
    assert rules.match(elsewhere, name, folder=True) < 0


@pytest.mark.parametrize("folder", ["C:\\", "C:\\Users", "D:\\", "\\\\nas\\photos"])
def test_nor_is_a_watched_one_of_windows(folder: str) -> None:
    with pytest.raises(InklingError, match="itself"):
        pattern_for(folder, WATCHED, "\\")


def test_patterns_of_a_file_go_into_folders_on_windows() -> None:
    rules = Patterns(["build/out/", "/top"], ".gitignore", "C:\\a\\", sep="\\")
    assert rules.match("C:\\a\\build", "out", folder=True) >= 0
    assert rules.match("C:\\a", "top", folder=False) >= 0
    assert rules.match("C:\\a\\b\\build", "out", folder=True) < 0
    assert rules.match("C:\\a\\b", "top", folder=False) < 0


@pytest.mark.parametrize("folder", ["/home/ada/Documents", "/home/ada", "/"])
def test_a_watched_folder_is_not_left_out_but_taken_away(folder: str) -> None:
    with pytest.raises(InklingError, match="itself") as refused:
        pattern_for(folder, [ROOT])
    assert refused.value.hint
    assert pattern_for("/home/ada/Documents2", [ROOT]) == "/home/ada/Documents2/"
