"""The walls of the house: who may import whom, what stays unloaded, how large a module may grow."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import pytest

from engine.contract.errors import REASONS

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("engine", "indexer", "desktop")
#: What each room may import of ours, itself aside: one direction, no way back.
BELOW: dict[str, tuple[str, ...]] = {
    "engine.contract": (),
    "engine.models": ("engine.contract",),
    "engine.encoders": ("engine.contract", "engine.models"),
    "engine.store": ("engine.contract",),
    "engine.archive": ("engine.contract", "engine.models", "engine.store"),
    "engine.served": ("engine.contract", "engine.store"),
    "engine.search": ("engine.contract", "engine.models", "engine.encoders", "engine.store"),
    "engine.asking": ("engine",),
    "engine": ("engine",),
    "indexer.ledger": ("engine",),
    "indexer.sources": ("engine", "indexer.ledger"),
    "indexer.reading": ("engine", "indexer.ledger", "indexer.sources"),
    "indexer.indexing": ("engine", "indexer.ledger", "indexer.sources", "indexer.reading"),
    "indexer.archiving": (
        "engine",
        "indexer.ledger",
        "indexer.sources",
        "indexer.reading",
        "indexer.indexing",
    ),
    "indexer.asking": (
        "engine",
        "indexer.ledger",
        "indexer.sources",
        "indexer.reading",
        "indexer.indexing",
    ),
    "indexer.encoder_service": ("engine", "indexer.asking"),
    "indexer.server": ("engine", "indexer"),
    "indexer.team": ("engine", "indexer"),
    "indexer": ("engine", "indexer"),
    "desktop.wording": ("engine.contract",),
    "desktop.system": ("engine.contract", "desktop.*", "desktop.wording"),
    "desktop.presentation": ("engine.contract", "desktop.*", "desktop.wording"),
    "desktop.widgets": ("engine.contract", "desktop.*", "desktop.wording"),
    **{
        f"desktop.{room}": (
            "engine.contract",
            "desktop.*",
            "desktop.wording",
            "desktop.system",
            "desktop.presentation",
            "desktop.widgets",
        )
        for room in ("results", "preview", "index", "settings", "asking")
    },
    "desktop.provider": (
        "engine.contract",
        "desktop.*",
        "desktop.wording",
        "desktop.system",
        "desktop.presentation",
    ),
    "desktop.terminal": (
        "engine.contract",
        "desktop.*",
        "desktop.system",
        "desktop.presentation",
        "desktop.settings.changing",
        "desktop.provider.serving",
        "desktop.wording",
    ),
    "desktop.window": ("engine.contract", "desktop"),
    "desktop": ("engine.contract", "desktop"),
}
#: Modules that stand in a top room itself; in desktop/ all rooms may use them but these.
MOST_LOOSE = 8
TOP_OF_DESKTOP = {"desktop.app", "desktop.__main__"}
HEAVY = ("torch", "transformers", "peft", "lancedb", "pyarrow", "onnxruntime", "rapidocr", "cv2")
MOST_LINES = 500
#: Two that everything else asks, and those that call what only one system has.
ASK_FOR_THE_SYSTEM = {
    "desktop.system",
    "indexer.sources.systems",
    "engine.encoders.text_onnx.graph_files",
    "engine.encoders.worker",
    "engine.models.libraries",
    "engine.models.offers",
    "engine.store.disk",
    "engine.store.guard",
    "engine.store.memory",
    "indexer.reading.deadline",
    "indexer.reading.extract.archives",
    "indexer.reading.extract.libreoffice",
    "indexer.reading.sandbox",
    "indexer.server.doctor",
    "indexer.sources.observers",
}


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


ALL_OURS = [path for room in ROOMS for path in modules(room)]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def is_module(name: str) -> bool:
    base = ROOT.joinpath(*name.split("."))
    return base.is_dir() or base.with_suffix(".py").is_file()


def imports(path: Path) -> Iterator[str]:
    """Every module a file imports anywhere in it, by full name."""
    package = (
        module_name(path) if path.name == "__init__.py" else module_name(path.parent / "x")[:-2]
    )
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                origin = ".".join([*above, *([origin] if origin else [])])
            yield origin
            for alias in node.names:
                if is_module(full := f"{origin}.{alias.name}"):
                    yield full


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def offences(room: str, *forbidden: str) -> list[str]:
    return [
        f"{module_name(path)} imports {name}"
        for path in modules(room)
        for name in imports(path)
        if within(name, *forbidden)
    ]


def test_the_engine_knows_no_other_room() -> None:
    assert offences("engine", "indexer", "desktop", "PySide6", "starlette") == []


def test_the_indexer_knows_no_face() -> None:
    assert offences("indexer", "desktop", "PySide6") == []


def test_the_faces_never_load_models_or_the_store() -> None:
    assert offences("desktop", "indexer", "resources.sample", *HEAVY, "pymupdf") == []


def room_of(name: str) -> str:
    """The room of a module: the longest name of BELOW that it lies in."""
    return max((room for room in BELOW if within(name, room)), key=len)


def may_import(module: str, name: str) -> bool:
    """Whether a module may import another of ours."""
    room = room_of(module)
    if within(name, room) and room not in ROOMS:
        return True
    for below in BELOW[room]:
        loose = name.count(".") == 1 and name not in TOP_OF_DESKTOP and name not in BELOW
        if below == "desktop.*" and within(name, "desktop") and loose:
            return True
        if within(name, below):
            return True
    return False


def test_every_room_imports_only_what_lies_below_it() -> None:
    wrong = [
        f"{module_name(path)} imports {name}"
        for path in ALL_OURS
        for name in imports(path)
        if within(name, *ROOMS) and name not in ROOMS
        if not may_import(module_name(path), name)
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Type checking counts: what can't be read without the other is one thing in two files."""
    names = {module_name(path) for path in ALL_OURS}
    graph = {
        module_name(path): {name for name in imports(path) if name in names - set(ROOMS)}
        - {module_name(path), module_name(path).rpartition(".")[0]}
        for path in ALL_OURS
        if path.name != "__init__.py"
    }
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


@pytest.mark.parametrize("room", ROOMS)
def test_few_modules_stand_loose_in_a_top_room(room: str) -> None:
    loose = [p.stem for p in (ROOT / room).glob("*.py") if not p.stem.startswith("__")]
    assert len(loose) <= MOST_LOOSE, loose


def test_every_room_says_what_it_is_for() -> None:
    packages = [path for path in ALL_OURS if path.name == "__init__.py"]
    assert [module_name(p) for p in packages if not ast.get_docstring(tree(p))] == []


def test_only_the_store_and_the_archive_import_lancedb() -> None:
    users = {
        module_name(path)
        for room in ROOMS
        for path in modules(room)
        if any(within(name, "lancedb") for name in imports(path))
    }
    assert users
    assert all(within(user, "engine.store", "engine.archive") for user in users)


def test_no_room_imports_the_tests() -> None:
    assert [line for room in ROOMS for line in offences(room, "tests")] == []


def test_nothing_is_pickled_or_forked() -> None:
    """Messages are data, workers are started afresh. One published file of weights is a pickle:
    it is read by its digest, with names that resolve to nothing but tensors."""
    found = [line for room in ROOMS for line in offences(room, "pickle", "multiprocessing")]
    assert found == ["engine.encoders.image_onnx.torch_file imports pickle"]
    calls = [
        f"{module_name(path)}: os.{node.attr}"
        for room in ROOMS
        for path in modules(room)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr in ("fork", "forkpty")
        if isinstance(node.value, ast.Name) and node.value.id == "os"
    ]
    assert calls == []


def loaded_after(statement: str) -> set[str]:
    """Top-level modules in a fresh interpreter after a statement."""
    code = f"import sys\n{statement}\nprint(*{{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


@pytest.mark.parametrize("module", ["desktop.__main__", "desktop.terminal.cli", "desktop.app"])
def test_a_face_opens_without_heavy_libraries(module: str) -> None:
    if find_spec(module) is None:
        pytest.fail(f"{module} is missing")
    assert loaded_after(f"import {module}") & {*HEAVY, "pymupdf", "indexer"} == set()


def test_the_command_line_opens_without_qt() -> None:
    assert "PySide6" not in loaded_after("import desktop.__main__, desktop.terminal.cli")


def test_the_indexer_process_stays_light() -> None:
    """Torch and OCR live in worker processes; the store needs lancedb and pyarrow here."""
    loaded = loaded_after("import indexer.server.lifecycle, indexer.server.app")
    heavy = {"torch", "transformers", "peft", "onnxruntime", "rapidocr", "cv2", "PySide6"}
    assert loaded & heavy == set()
    # Half a second and 38 MB, for who asks a language model.
    assert loaded & {"openai", "httpx2"} == set()


@pytest.mark.parametrize(
    "name", [module_name(p) for p in modules("engine/contract") if p.stem != "agent_tools"]
)
def test_the_contract_is_light(name: str) -> None:
    assert loaded_after(f"import {name}") & {*HEAVY, "numpy", "PySide6"} == set()


ALL = [path for room in (*ROOMS, "tests") for path in modules(room)]


def test_every_module_says_what_it_is_for() -> None:
    filled = [path for path in ALL if path.stat().st_size]
    assert [module_name(path) for path in filled if not ast.get_docstring(tree(path))] == []


def test_every_public_class_says_what_it_is_for() -> None:
    silent = [
        f"{module_name(path)}.{node.name}"
        for room in ROOMS
        for path in modules(room)
        for node in tree(path).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
        if not ast.get_docstring(node)
    ]
    assert silent == []


def test_modules_stay_small() -> None:
    lengths = {module_name(path): path.read_text(encoding="utf-8").count("\n") for path in ALL}
    assert {name: n for name, n in lengths.items() if n > MOST_LINES} == {}


def test_few_modules_ask_for_the_operating_system() -> None:
    """What differs is a decision told its system, tested for all three; the rest calls it."""
    asks = re.compile(r"sys\.platform|os\.name\b|platform\.(system|uname)\(")
    found = {module_name(path) for path in ALL_OURS if asks.search(path.read_text("utf-8"))}
    assert found == ASK_FOR_THE_SYSTEM


def test_files_are_replaced_in_one_way() -> None:
    """The one that waits for who reads them; what is set aside has no reader."""
    asks = re.compile(r"\bos\.replace\(")
    found = {module_name(path) for path in ALL_OURS if asks.search(path.read_text("utf-8"))}
    assert found == {"engine.contract.put", "indexer.ledger.schema"}


def test_no_module_is_a_drawer_for_everything() -> None:
    drawers = {"utils", "util", "helpers", "misc", "common"}
    assert [module_name(path) for path in ALL if path.stem in drawers] == []


def test_every_reason_has_a_sentence_a_person_can_read() -> None:
    for code, reason in REASONS.items():
        assert code == reason.code
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", code)
        assert reason.state in ("pending", "failed", "withheld", "skipped")
        assert re.fullmatch(r"[A-Z].{10,}\.", reason.sentence), reason


def reason_literals(path: Path) -> Iterator[str]:
    """First arguments of ExtractError(...) written as plain strings."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and node.args:
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            first = node.args[0]
            if name == "ExtractError" and isinstance(first, ast.Constant):
                yield str(first.value)


def test_every_reason_given_is_in_the_table() -> None:
    given = {code for path in modules("indexer") for code in reason_literals(path)}
    assert given
    assert given <= set(REASONS)


def test_every_dependency_has_its_licence_listed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    extras.pop("benchmarks")  # installed by hand, by who measures
    needed = [*project["dependencies"], *chain(*extras.values())]
    names = {re.split(r"[^\w.-]", text)[0].replace("_", "-").lower() for text in needed}
    names.discard(project["name"])  # its extras name each other
    listed = (ROOT / "resources" / "licences.md").read_text(encoding="utf-8").lower()
    rows = {
        line.split("|")[1].strip().replace("_", "-") for line in listed.splitlines() if "|" in line
    }
    assert names - rows == set(), "run make licences"


#: Paths of somebody's own machine do not belong into a program that others run.
PERSONAL = re.compile(
    r"(?<![\w.])/(?:work|root|Users)/\w|/home/(?!mara\b)\w+/|/tmp/\w|[A-Z]:\\\\Users"
)


def test_no_path_of_one_machine_is_written_down() -> None:
    texts = [*(p for room in ROOMS for p in modules(room)), ROOT / "Makefile", ROOT / "README.md"]
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if PERSONAL.search(line)
    ]
    assert found == []
