"""A moved file's context is what reading it anew would give."""

from __future__ import annotations

import pytest

from indexer.reading.context import MAX_CHARACTERS, context_after_move, context_of
from indexer.reading.extract.base import Extraction, Part

HOUSE = "/r/house/rent contract.txt"


@pytest.mark.parametrize(
    ("title", "old", "new"),
    [
        ("", HOUSE, "/r/archive/2019/rent contract.txt"),
        ("", HOUSE, "/r/house/old lease.txt"),
        ("", HOUSE, "/r/rent contract.txt"),
        ("", HOUSE, "/s/flat/lease.txt"),  # into another root
        ("", "/r/lease.txt", "/r/house/keys/rent.txt"),
        ("The lease", HOUSE, "/r/flat/rent contract.txt"),
        ("Rent contract for the house", HOUSE, "/r/flat/old rent contract.txt"),
        ("Rent contract for the house", "/r/rent contract.txt", "/r/flat/house.txt"),
        ("", "/r/house/README.txt", "/r/flat/README.txt"),
        ("", "/r/08/1234567.txt", "/r/flat/lease.txt"),
    ],
)
@pytest.mark.parametrize("kind", ["note", "code"])
def test_as_if_read_again(title: str, old: str, new: str, kind: str) -> None:
    language = "python" if kind == "code" else None
    part = Part("Some words.", heading=("Duties", "Heating"))
    read = Extraction(kind=kind, parts=[part], title=title, language=language)  # type: ignore[arg-type]
    before, after = (context_of(read, path, path[:2])(part) for path in (old, new))
    moved = context_after_move(before, (old, old[:2]), (new, new[:2]))
    assert sorted(moved.split(" › ")) == sorted(after.split(" › "))


def test_what_was_cut_off_stays() -> None:
    old = "/r/" + "/".join(f"a folder with a long name {i}" for i in range(12)) + "/x.txt"
    part = Part("Some words.", heading=("Duties",))
    context = context_of(Extraction(kind="note", parts=[part]), old, "/r")(part)
    assert len(context) <= MAX_CHARACTERS
    assert context_after_move(context, (old, "/r"), ("/r/y.txt", "/r")) == context
