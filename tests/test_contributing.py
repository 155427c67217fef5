"""CONTRIBUTING.md, followed to the letter: its examples are done to a copy of the tree and tried.

Each section that adds something has blocks whose first line says where the rest goes
(`# new: PATH`, or `# in PATH, after: LINE`), and one that tries it (`# try`). The number of files
it says it takes is the number of files that its blocks touch.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[1]
NUMBERS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}


@dataclass
class Example:
    """One section: what to write where, and what must work then."""

    title: str
    says: int  # files it takes
    edits: list[tuple[str, str | None, str]] = field(default_factory=list)  # path, after, text
    tries: list[str] = field(default_factory=list)

    @property
    def files(self) -> set[str]:
        return {path for path, _, _ in self.edits}


def examples() -> list[Example]:
    found = []
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for section in re.split(r"^## ", text, flags=re.M)[1:]:
        title, _, body = section.partition("\n")
        blocks = re.findall(r"^```python\n(.*?)^```$", body, flags=re.M | re.S)
        if not blocks:
            continue
        said = re.search(r"(?i)\b(one|two|three|four|five) files?\b", body)
        assert said is not None, f"{title} does not say how many files it takes"
        example = Example(title, NUMBERS[said[1].lower()])
        for block in blocks:
            head, _, rest = block.partition("\n")
            if new := re.fullmatch(r"# new: (\S+)", head):
                example.edits.append((new[1], None, rest))
            elif place := re.fullmatch(r"# in (\S+), after: (.*)", head):
                example.edits.append((place[1], place[2], rest))
            else:
                assert head == "# try", f"{title}: what is {head!r}?"
                example.tries.append(rest)
        found.append(example)
    return found


EXAMPLES = examples()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The code and its data, without samples and pictures."""
    left_out = shutil.ignore_patterns("__pycache__", "sample", "screenshots")
    for room in ("engine", "indexer", "desktop", "resources"):
        shutil.copytree(ROOT / room, tmp_path / room, ignore=left_out)
    return tmp_path


def follow(example: Example, tree: Path) -> None:
    """Do what the section says."""
    for name, after, text in example.edits:
        path = tree / name
        if after is None:
            assert not path.exists(), f"{name} is there already"
            path.write_text(text, encoding="utf-8")
            continue
        lines = path.read_text(encoding="utf-8").split("\n")
        places = [n for n, line in enumerate(lines) if line.strip() == after.strip()]
        assert len(places) == 1, f"{name} has {len(places)} lines {after!r}"
        lines[places[0] + 1 : places[0] + 1] = text.rstrip("\n").split("\n")
        path.write_text("\n".join(lines), encoding="utf-8")


def tried(code: str, tree: Path) -> subprocess.CompletedProcess[str]:
    """An example's trial in a process that finds the copy before any installed Inkling."""
    bootstrap = f"import sys; sys.path.insert(0, {str(tree)!r})\n"
    command = [sys.executable, "-P", "-c", bootstrap + code]
    return subprocess.run(
        command, cwd=tree, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def test_it_shows_how_to_add_all_that_people_add() -> None:
    titles = " ".join(example.title for example in EXAMPLES).lower()
    for thing in ("file type", "kind", "encoder", "filter", "lane", "action", "setting"):
        assert thing in titles


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e.title.lower().replace(" ", "-"))
def test_an_example_works_and_takes_as_many_files_as_it_says(example: Example, copy: Path) -> None:
    assert len(example.files) == example.says
    assert example.tries, "nothing is tried"
    undone = [tried(code, copy).returncode for code in example.tries]
    assert 0 not in undone, "its trial proves nothing: it succeeds without the example"
    follow(example, copy)
    for code in example.tries:
        done = tried(code, copy)
        assert done.returncode == 0, done.stderr
