"""The wheel in an environment that holds what its metadata asks for, and nothing else.

The environment's libraries are hard links to those that are installed here (confined readers may
not follow others): without torch, without the packages whose data the wheel copies, without this
checkout.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement

from desktop.client import read_endpoint
from desktop.system.window_socket import send
from engine.contract.paths import BaseDir
from engine.contract.version import VERSION
from engine.models.packages import COPIED
from tests.end_to_end.conftest import Inkling
from tests.setup_scripts import setup_script
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("engine", "indexer", "desktop", "resources")

#: Of the sample library, each with a question that it answers.
SAMPLE = {
    "Code/dispatch/pool.go": "stop workers gracefully and let waiting tasks complete",
    "Notes/bread.md": "my loaf comes out dense and does not brown",
    "Documents/Manuals/HX-40.pdf": "alarm because gas escapes from the heating machine",
    "Work/Diagrams/whiteboard export 3.png": "which part reads the ingest queue",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there"),
]


@dataclass
class Installed:
    """The wheel and where it was installed."""

    wheel: zipfile.ZipFile
    requirements: list[str]  # without those of extras
    python: Path
    home: Path

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Something with the environment's Python, in a folder of its own."""
        return subprocess.run(
            [str(self.python), *command],
            cwd=self.home,
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def variables(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "INKLING"))}
        own = {"HOME": str(self.home), "XDG_DATA_HOME": str(self.home / "data")}
        return kept | own | {"QT_QPA_PLATFORM": "offscreen"}

    @property
    def inkling(self) -> str:
        return str(self.python.with_name("inkling"))


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    place = tmp_path_factory.mktemp("wheel")
    assert setup_script("build_dist").build(place, ["wheel"]) == 0
    (path,) = place.glob("*.whl")
    venv.create(place / "env", with_pip=False, symlinks=True)
    (libraries,) = (place / "env").glob("lib/python*/site-packages")
    environment = setup_script("environment")
    environment.fill(path, libraries, environment.link)
    wheel, plain = zipfile.ZipFile(path), environment.requirements(path)
    python = place / "env" / "bin" / "python"
    (names,) = (n for n in wheel.namelist() if n.endswith("entry_points.txt"))
    assert b"inkling = desktop.__main__:main" in wheel.read(names)
    start = f"#!{python}\nimport sys\nfrom desktop.__main__ import main\nsys.exit(main())\n"
    command = python.with_name("inkling")
    command.write_text(start)
    command.chmod(0o755)
    home = place / "home"
    home.mkdir()
    return Installed(wheel, plain, python, home)


def test_everything_of_the_checkout_is_in_it(installed: Installed) -> None:
    names = set(installed.wheel.namelist())
    files = {
        path.relative_to(ROOT).as_posix()
        for room in ROOMS
        for path in (ROOT / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert len(files) > 400
    assert files - names == set()
    copied = {f"resources/packages/{p}/{file}" for p, files in COPIED.items() for file in files}
    assert copied - names == set()
    assert sum(info.compress_size for info in installed.wheel.infolist()) < 98_000_000


def test_nothing_of_the_extra_is_asked_for(installed: Installed) -> None:
    names = {Requirement(line).name.lower().replace("_", "-") for line in installed.requirements}
    extra = {"torch", "transformers", "peft", "accelerate", "safetensors"}
    assert names & (extra | {p.replace("_", "-") for p in COPIED}) == set()
    gone = [*extra, "sentence_transformers", "scipy", "tests", *COPIED]
    code = "import sys; from importlib.util import find_spec; print([*filter(find_spec, sys.argv)])"
    done = installed.run("-P", "-c", code.replace("sys.argv", "sys.argv[1:]"), *gone)
    assert done.stdout.strip() == "[]", done.stderr


def test_it_indexes_and_answers(installed: Installed) -> None:
    """A file of each of the great kinds; `make check-dist` does the whole sample library."""
    assert installed.run(installed.inkling, "--version").stdout == f"Inkling {VERSION}\n"
    files = installed.home / "files"
    files.mkdir()
    for name in SAMPLE:
        shutil.copy(ROOT / "resources" / "sample" / "library" / name, files)
    given = (installed.inkling, "--base-dir", str(installed.home / "sample"))
    added = installed.run(*given, "add", "--wait", str(files))
    assert added.returncode == 0, added.stdout + added.stderr
    try:
        problems = json.loads(installed.run(*given, "problems", "--json").stdout)
        assert problems["problems"] == []
        for name, question in SAMPLE.items():
            told = installed.run(*given, "search", "--json", "--limit", "1", question)
            assert [Path(hit["path"]).name for hit in json.loads(told.stdout)["hits"]] == [
                Path(name).name
            ], told.stderr
    finally:
        installed.run(*given, "stop")


def test_photographs_are_named_by_their_place(installed: Installed) -> None:
    code = (
        "from indexer.reading.extract.places import place_names; print(place_names(38.71, -9.14))"
    )
    assert "Lisbon" in installed.run("-c", code).stdout


def test_a_model_of_the_extra_says_what_it_needs(installed: Installed) -> None:
    code = (
        "from engine.models.libraries import *; from engine.models.registry import MODELS\n"
        "print(missing(MODELS['jina-v4']), len(requirements()))"
    )
    said = "['torch', 'transformers', 'safetensors', 'peft', 'accelerate'] 5"
    assert installed.run("-c", code).stdout.strip() == said


def test_the_window_opens(installed: Installed) -> None:
    base = BaseDir(installed.home / "base")
    command = [installed.inkling, "--base-dir", str(base.root)]
    with subprocess.Popen(
        command, cwd=installed.home, env=installed.variables(), stderr=subprocess.PIPE, text=True
    ) as window:
        until(lambda: send(base.root, "show") or window.poll() is not None, "for the window")
        until(lambda: read_endpoint(base) is not None or window.poll() is not None)
        assert window.poll() is None, window.communicate()[1]
        examined = installed.run(installed.inkling, *command[1:], "doctor", "--json")
        rows = {row["id"]: row for row in json.loads(examined.stdout)["checks"]}
        assert rows["indexer"]["said"].startswith("Running")
        assert all(rows[name]["ok"] for name in ("folder", "index", "model", "ocr")), rows
        assert installed.run(installed.inkling, *command[1:], "stop").returncode == 0
        window.terminate()
        said = window.communicate(timeout=PATIENCE)[1]
    assert "Traceback" not in said


@pytest.fixture
def of_before(installed: Installed) -> Iterator[None]:
    """The installed one is of an earlier version for a while."""
    (file,) = installed.python.parents[1].glob(
        "lib/python*/site-packages/engine/contract/version.py"
    )
    text = file.read_text()

    def write(changed: str, seconds: int) -> None:
        file.write_text(changed)
        os.utime(file, (seconds, seconds))  # what was compiled is told by the second

    write(text.replace(f'"{VERSION}"', '"0.0.9"'), 1_000_000)
    yield
    write(text, 2_000_000)


@pytest.mark.usefixtures("of_before")
def test_its_index_is_carried_over_by_a_newer_one(installed: Installed, base: BaseDir) -> None:
    """The checkout is the newer one: it ends the indexer that runs and goes on with its index."""
    folder = installed.home / "notes"
    folder.mkdir()
    (folder / "tea.md").write_text("# Tea\n\nGreen tea steeps for two minutes.\n")
    given = ["--base-dir", str(base.root)]
    added = installed.run(installed.inkling, *given, "add", "--wait", str(folder))
    assert added.returncode == 0, added.stderr
    older = read_endpoint(base)
    assert older is not None
    assert older.version == "0.0.9"
    new = Inkling(base)
    try:
        assert new.paths("how long does green tea steep") == [str(folder / "tea.md")]
        newer = read_endpoint(base)
        assert newer is not None
        assert (newer.version, newer.pid != older.pid) == (VERSION, True)
        until(lambda: not psutil.pid_exists(older.pid), "for the older one to end")
    finally:
        new.run("stop")
