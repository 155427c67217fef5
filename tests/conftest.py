"""Fixtures for all tests: no display, no network, a base directory and a home of their own."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

# Before anything imports Qt or a model library.
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ["LANGUAGE"] = "en"  # what the window says is compared with the sentences of the code
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TRANSFORMERS_OFFLINE"] = "1"
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
from PIL import Image, ImageFile

from engine.contract.paths import BASE_DIR_VARIABLE, BaseDir

SAMPLE = Path(__file__).resolve().parents[1] / "resources" / "sample"


@pytest.fixture
def base(tmp_path: Path) -> BaseDir:
    """An empty base directory, made."""
    return BaseDir(tmp_path / "base").create()


@pytest.fixture(autouse=True, scope="session")
def _graphs_made_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A base directory begins with the graphs that an earlier one has made of the embedded models:
    two seconds of processor time each. They are links, which nobody writes into."""
    own = tmp_path_factory.getbasetemp()
    shared = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "graphs"
    known: list[BaseDir] = []
    create = BaseDir.create

    def created(self: BaseDir) -> BaseDir:
        for earlier in known:
            link_graphs(earlier.models, shared)
        made = create(self)
        link_graphs(shared, made.models)
        known.append(made)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BaseDir, "create", created)
        yield


def link_graphs(there: Path, here: Path) -> None:
    """What lies as graph-KEY/ in one folder of models into another that lacks them."""
    for graph in there.rglob("graph-*"):
        place = here / graph.relative_to(there)
        if graph.suffix == ".tmp" or place.exists():
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        whole = Path(tempfile.mkdtemp(dir=place.parent, suffix=".tmp"))
        # Another worker may be quicker, and a test may take its directory away.
        with contextlib.suppress(OSError):
            for file in graph.iterdir():
                (whole / file.name).hardlink_to(file)
            whole.rename(place)
        shutil.rmtree(whole, ignore_errors=True)


def copy_base(there: Path, here: Path) -> None:
    """A base directory's contents into another one, but for the graphs, which that has."""
    shutil.copytree(there, here, dirs_exist_ok=True, ignore=shutil.ignore_patterns("graph-*"))


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    own_home(monkeypatch, tmp_path_factory.mktemp("home"))


def own_home(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    """No test, nor a process it starts, finds the person's own settings or index."""
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_CACHE_HOME", ".cache"),
    ):
        monkeypatch.setenv(variable, str(home / folder))
    monkeypatch.setenv(BASE_DIR_VARIABLE, str(home / "inkling"))


@pytest.fixture(autouse=True)
def _own_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Extractor workers set Pillow for their whole process; here the next test must not feel it."""
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)


@pytest.fixture(scope="session")
def sample_library() -> Path:
    """The sample library's folder; read it, never write to it."""
    return SAMPLE / "library"


@pytest.fixture
def library(tmp_path: Path, sample_library: Path) -> Path:
    """A copy of the sample library that a test may change."""
    return Path(shutil.copytree(sample_library, tmp_path / "library"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests come first, those with most of them before: a worker that is free
    takes the next one, and no long one is left for the end."""
    slow = Counter(_module(item) for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[_module(item)])  # stable: modules stay together


def _module(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]
