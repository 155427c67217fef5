"""The desktop asks in one place only for the system that it runs on."""

from __future__ import annotations

import re
from pathlib import Path

from desktop.presentation.kinds import KINDS
from engine.contract import kinds as contract

ROOT = Path(__file__).resolve().parents[3]
DESKTOP = ROOT / "desktop"


def modules() -> list[Path]:
    return [path for path in sorted(DESKTOP.rglob("*.py")) if path != DESKTOP / "__init__.py"]


def test_only_one_place_asks_for_the_operating_system() -> None:
    asks = re.compile(r"sys\.platform|os\.name\b|platform\.(system|uname)\(|productType\(")
    found = [path for path in modules() if asks.search(path.read_text(encoding="utf-8"))]
    assert found == [DESKTOP / "system" / "__init__.py"]


def test_kinds_stand_in_one_table() -> None:
    """A new kind is one row; icons and titles of menus are not meant."""
    assert set(KINDS) == set(contract.KINDS)
    kinds = re.compile(r"""["'](screenshot|pdf|diagram|photo|scan)["']""")
    found = {
        p.relative_to(ROOT).as_posix() for p in modules() if kinds.search(p.read_text("utf-8"))
    }
    assert found == {"desktop/presentation/kinds.py"}
