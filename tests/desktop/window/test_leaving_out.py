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


@pytest.mark.parametrize("folder", ["/home/ada/Documents", "/home/ada", "/"])
def test_a_watched_folder_is_not_left_out_but_taken_away(folder: str) -> None:
    with pytest.raises(InklingError, match="itself") as refused:
        pattern_for(folder, [ROOT])
    assert refused.value.hint
    assert pattern_for("/home/ada/Documents2", [ROOT]) == "/home/ada/Documents2/"
