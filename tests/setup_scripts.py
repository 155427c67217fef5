"""The scripts of resources/setup, which is no package, as modules."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

FOLDER = Path(__file__).resolve().parents[1] / "resources" / "setup"


@cache
def setup_script(name: str) -> ModuleType:
    """One of them, which may import those beside it."""
    sys.path.insert(0, str(FOLDER))
    try:
        return import_module(name)
    finally:
        sys.path.remove(str(FOLDER))
