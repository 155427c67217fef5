"""Inkling started in a home folder where files have the names of modules: none is imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.conftest import Inkling
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow

_PLANTED = """
import os
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "imported"), "a") as list_:
    list_.write(f"{os.getpid()} {__name__}\\n")
"""


@pytest.mark.parametrize(
    ("flags", "variables", "planted"),
    [
        # As the session starts it, and the command `inkling`.
        (["-P"], {}, ["json", "sitecustomize", "usercustomize", "starlette"]),
        # A face that has the folder on its path itself: it must not hand it on.
        ([], {}, ["starlette", "regex", "msgpack", "torch"]),
        (["-P"], {"PYTHONPATH": "."}, ["sitecustomize", "starlette", "torch"]),
    ],
)
def test_planted_modules(
    inkling: Inkling,
    tmp_path: Path,
    flags: list[str],
    variables: dict[str, str],
    planted: list[str],
) -> None:
    home = tmp_path / "home"
    (home / "docs").mkdir(parents=True)
    (home / "docs" / "note.md").write_text("# Tea\n\nGreen tea steeps for two minutes.\n")
    for name in planted:
        (home / f"{name}.py").write_text(_PLANTED)
    command = [sys.executable, *flags, "-m", "desktop", "--base-dir", str(inkling.base.root)]
    face = subprocess.Popen(
        [*command, "add", "--wait", str(home / "docs")],
        cwd=home,
        env=os.environ | {"HOME": str(home)} | {name: str(home) for name in variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    said, _ = face.communicate(timeout=PATIENCE)
    assert face.returncode == 0, said
    assert len(inkling.paths("how long does green tea steep")) == 1  # all workers have worked
    imported = home / "imported"
    lines = imported.read_text().splitlines() if imported.exists() else []
    assert [line for line in lines if line.split()[0] != str(face.pid)] == []
