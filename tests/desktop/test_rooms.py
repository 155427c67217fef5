"""The desktop's rooms: one direction of imports, and one place that asks for the system."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DESKTOP = ROOT / "desktop"
#: Each may import those above it; rooms on one line do not know each other.
ROOMS = (
    ("client", "connection", "icons", "jobs", "state", "strings", "theme"),
    ("system", "presentation", "widgets"),
    ("results", "preview", "index", "settings"),
    ("terminal", "window"),
    ("app",),
    ("__main__",),
)
LEVEL = {room: level for level, rooms in enumerate(ROOMS) for room in rooms}
#: Until hits have one codec below the desktop.
PENDING = ["desktop/connection.py imports desktop.results.hits"]
#: Loose modules may use each other.
LOOSE = {*ROOMS[0], "app"}


def modules() -> list[Path]:
    return [path for path in sorted(DESKTOP.rglob("*.py")) if path != DESKTOP / "__init__.py"]


def room(name: str) -> str:
    return name.split(".")[1]


def imported(path: Path) -> set[str]:
    """Every module of the desktop that a file imports, late imports and those for types too."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "desktop":
            found |= {f"desktop.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    return {name for name in found if name.startswith("desktop.")}


def test_every_module_has_a_room_with_a_place() -> None:
    names = {p.relative_to(DESKTOP).parts[0].removesuffix(".py") for p in modules()}
    assert names == set(LEVEL)
    assert len([p for p in DESKTOP.glob("*.py") if not p.stem.startswith("__")]) <= 8
    for folder in {path.parent for path in modules()} - {DESKTOP}:
        said = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert said, folder


def test_imports_go_one_way() -> None:
    wrong = []
    for path in modules():
        own = path.relative_to(DESKTOP).parts[0].removesuffix(".py")
        for name in imported(path):
            other = room(name)
            below = LEVEL[other] < LEVEL[own] or other == own or {own, other} <= LOOSE
            if not below:
                wrong.append(f"{path.relative_to(ROOT)} imports {name}")
    assert [line for line in wrong if line not in PENDING] == []


def test_only_one_place_asks_for_the_operating_system() -> None:
    asks = re.compile(r"sys\.platform|os\.name\b|platform\.(system|uname)\(|productType\(")
    found = [path for path in modules() if asks.search(path.read_text(encoding="utf-8"))]
    assert found == [DESKTOP / "system" / "__init__.py"]


def test_kinds_stand_in_one_table() -> None:
    """A new kind is one row; icons and titles of menus are not meant."""
    kinds = re.compile(r"""["'](screenshot|pdf|diagram|photo|scan)["']""")
    found = {
        p.relative_to(ROOT).as_posix() for p in modules() if kinds.search(p.read_text("utf-8"))
    }
    assert found == {"desktop/presentation/kinds.py"}
