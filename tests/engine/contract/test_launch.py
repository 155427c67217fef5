"""Processes of ours find our packages, and nothing that merely lies around them."""

from __future__ import annotations

import json
import os
import shutil
import site
import subprocess
import sys
from pathlib import Path

import pytest

import engine
from engine.contract import launch, start

_PROBE = """
import json, os, sys
import engine.contract.errors
import desktop.probe
print(json.dumps({
    "engine": engine.contract.errors.__file__, "json": json.__file__, "path": sys.path,
    "arguments": sys.argv[1:], "name": __name__,
    "variables": [name for name in os.environ if name.startswith("PYTHON")],
}))
"""


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy that is not installed, in a folder where modules were planted; Inkling of there."""
    folder = tmp_path / "checkout"
    shutil.copytree(Path(engine.__file__).parent / "contract", folder / "engine" / "contract")
    for package in ("engine", "desktop"):
        (folder / package).mkdir(exist_ok=True)
        (folder / package / "__init__.py").touch()
    (folder / "desktop" / "probe.py").write_text(_PROBE)
    for name in ("json", "sitecustomize", "torch"):
        (folder / f"{name}.py").write_text("raise SystemExit('planted')")
    monkeypatch.setattr(start, "__file__", str(folder / "engine" / "contract" / "start.py"))
    return folder


def probe(cwd: Path) -> dict[str, object]:
    done = subprocess.run(
        launch.command("desktop.probe", "--one", "two words"),
        cwd=cwd,
        env=launch.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_a_checkout_that_is_not_installed_runs_its_own_code(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(checkout))
    monkeypatch.setenv("PYTHONSTARTUP", str(checkout / "json.py"))
    monkeypatch.setenv("PYTHONINSPECT", "1")
    told = probe(cwd=checkout)
    assert told["engine"] == str(checkout / "engine" / "contract" / "errors.py")
    assert told["json"] == json.__file__
    path = told["path"]
    assert isinstance(path, list)
    assert str(checkout) not in path
    assert "" not in path
    assert (told["name"], told["arguments"]) == ("__main__", ["--one", "two words"])
    allowed = ["PYTHONUSERBASE"] if site.ENABLE_USER_SITE else []
    assert told["variables"] == allowed


def test_a_person_s_own_packages_are_found_under_another_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "ENABLE_USER_SITE", True)
    monkeypatch.setattr(site, "USER_BASE", str(tmp_path / "base"))
    told = launch.environment(
        {"HOME": "/x", "PYTHONUSERBASE": "/y", "PYTHONHOME": "/z"}, TMPDIR="/t"
    )
    assert told == {"HOME": "/x", "PYTHONUSERBASE": str(tmp_path / "base"), "TMPDIR": "/t"}


def test_who_has_none_passes_that_on(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "from engine.contract import launch; print(launch.command('x')[3])"
    done = subprocess.run(
        [sys.executable, "-s", "-c", code], capture_output=True, text=True, check=True,
        env=os.environ,
    )  # fmt: skip
    assert done.stdout.strip() == "-s"
