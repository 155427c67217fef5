"""Libraries of downloaded models: said where they lack, installed by what installs here."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.encoders import worker
from engine.models import files as model_files
from engine.models import libraries
from engine.models.download import download
from engine.models.registry import MODELS, model_spec

LACKING = replace(model_spec("jina-v4"), libraries=("inkling_needs_this",))


def test_models_that_come_with_inkling_need_none() -> None:
    assert all(bool(spec.libraries) == bool(spec.download_bytes) for spec in MODELS.values())


def test_one_sentence_and_one_action(base: BaseDir, tmp_path: Path) -> None:
    home = model_files.model_folder(LACKING, base)
    (home / "files").mkdir(parents=True)
    (home / "files" / "config.json").write_text("{}")
    model_files.accept_licence(LACKING, base)
    manifest = model_files.make_manifest(home / "files", ["config.json"])
    model_files.write_manifest(LACKING, home, home / "files", manifest)
    assert model_files.state(replace(LACKING, libraries=()), base).state == "ready"
    assert model_files.state(LACKING, base).state == "incomplete"
    with pytest.raises(InklingError, match="not installed: inkling_needs_this") as error:
        model_files.ensure_usable(LACKING, base)
    assert "`inkling model download jina-v4` installs them" in error.value.hint
    with pytest.raises(InklingError, match="not installed: inkling_needs_this"):
        model_files.add(LACKING, base, tmp_path)


def test_a_worker_that_lacks_them_says_so() -> None:
    """An index may be older than an installation without them."""
    with pytest.raises(InklingError, match="not installed: inkling_needs_this") as error:
        worker.load({"spec": LACKING.to_message(), "folder": None})
    assert "inkling model download" in error.value.hint


def test_where_the_weights_are_here_nothing_else_is_fetched(base: BaseDir) -> None:
    whole = replace(LACKING, libraries=("json",))
    home = model_files.model_folder(whole, base)
    (home / "files").mkdir(parents=True)
    (home / "files" / "config.json").write_text("{}")
    model_files.accept_licence(whole, base)
    manifest = model_files.make_manifest(home / "files", ["config.json"])
    model_files.write_manifest(whole, home, home / "files", manifest)
    download(whole, base, url_base="http://127.0.0.1:9")  # nobody is there


def test_what_is_wanted_is_what_the_package_says(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["numpy>=2", "torch==2.13.0; extra == 'models'", "ruff>=0.1; extra == 'dev'"]
    monkeypatch.setattr(libraries, "requires", lambda name: lines)
    assert libraries.requirements() == ["torch==2.13.0"]
    monkeypatch.setattr(libraries, "requires", lambda name: lines[:1])
    with pytest.raises(InklingError, match="does not say"):
        libraries.requirements()


def wheel(folder: Path) -> Path:
    """A library in its smallest form."""
    path = folder / "inkling_needs_this-1.0-py3-none-any.whl"
    info = "inkling_needs_this-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("inkling_needs_this.py", "")
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: inkling-needs-this\nVersion: 1.0\n"
        )
        tags = "Root-Is-Purelib: true\nTag: py3-none-any\n"
        archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\n{tags}")
        archive.writestr(f"{info}/RECORD", "")
    return path


def test_pip_installs_what_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a folder, so that the environment of the tests stays as it is."""
    place, home = tmp_path / "installed", tmp_path / "home"
    monkeypatch.syspath_prepend(str(place))
    monkeypatch.setattr(libraries, "requirements", lambda: ["inkling-needs-this"])
    pip = [sys.executable, "-P", "-m", "pip", "install", "--no-index", "--target", str(place)]
    monkeypatch.setattr(libraries, "_installer", lambda: [*pip, "--find-links", str(tmp_path)])
    with pytest.raises(InklingError, match=r"ERROR: .*inkling-needs-this") as error:
        libraries.install_libraries(LACKING, home)
    assert "goes on from there" in error.value.hint
    wheel(tmp_path)
    assert libraries.install_libraries(LACKING, home)
    assert libraries.missing(LACKING) == []
    assert list(home.iterdir()) == []  # nothing is left there


def test_cancelling_ends_the_installer(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[subprocess.Popen[bytes]] = []
    popen = subprocess.Popen

    def noted(*arguments: object, **more: object) -> subprocess.Popen[bytes]:
        begun.append(popen(*arguments, **more))  # type: ignore[call-overload]
        return begun[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    waits = [sys.executable, "-c", "import time; time.sleep(1000)"]
    monkeypatch.setattr(libraries, "_installer", lambda: waits)
    monkeypatch.setattr(libraries, "requirements", list)
    assert not libraries.install_libraries(LACKING, base.models, lambda: True)
    assert [process.poll() is not None for process in begun] == [True]


@pytest.mark.parametrize("lacks", ["_installer", "_is_writable"])
def test_where_nothing_can_install_the_command_is_said(
    base: BaseDir, monkeypatch: pytest.MonkeyPatch, lacks: str
) -> None:
    monkeypatch.setattr(libraries, "requirements", lambda: ["torch==2.13.0"])
    monkeypatch.setattr(libraries, lacks, lambda: None)
    with pytest.raises(InklingError, match="can't install by itself") as error:
        libraries.install_libraries(LACKING, base.models)
    assert "pip install torch==2.13.0 installs them" in error.value.hint


def test_the_command_is_of_how_it_was_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(libraries, "_is_writable", lambda: False)
    wanted = ["accelerate>=1.10"]
    assert libraries.by_hand(wanted) == (f"sudo {sys.executable} -m pip install 'accelerate>=1.10'")
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    (tmp_path / "uv-receipt.toml").touch()
    assert libraries.by_hand(wanted).startswith("uv pip install --python ")
    monkeypatch.setattr(sys, "prefix", "/home/mara/.local/share/pipx/venvs/inkling-search")
    assert libraries.by_hand(wanted) == "pipx runpip inkling-search install 'accelerate>=1.10'"
