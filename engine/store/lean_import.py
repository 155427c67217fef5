"""Import LanceDB without what an embedded store has no use for, which is most of what that took.

LanceDB's name space package pulls in a generated REST client: nine interface modules and some
hundred types, whose validators are built when they are imported. An embedded store speaks to no
catalogue. The client's own `__init__` is left out, and its types are stand-ins that import the real
one where one is used after all.

Before Python 3.12 LanceDB also has its own methods' signatures compared while they are defined, a
check for its authors; from then on it does without, and so do we.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from engine.store import memory  # noqa: F401 (has to come before LanceDB, too)

_CLIENT = "lance_namespace_urllib3_client"
_IMPORT = re.compile(rf"from ({_CLIENT}\.models\.\w+) import (\w+)")


class _StandIn(type):
    """A type that is imported when somebody makes one, asks for one, or asks it something."""

    real_module: str

    def _real(cls) -> Any:
        return getattr(importlib.import_module(cls.real_module), cls.__name__)

    def __call__(cls, *values: Any, **named: Any) -> Any:
        return cls._real()(*values, **named)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)  # a protocol that Python tries
        return getattr(cls._real(), name)

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, cls._real())


def leave_out_the_client() -> None:
    """Has to come before LanceDB is imported; where it came already, nothing is changed."""
    spec = importlib.util.find_spec(_CLIENT) if _CLIENT not in sys.modules else None
    if spec is None or not spec.submodule_search_locations:
        return  # another LanceDB, which has no use for it
    folder = Path(next(iter(spec.submodule_search_locations)))
    _add_package(_CLIENT, folder)
    listed = folder / "models" / "__init__.py"
    if listed.is_file():
        models = _add_package(f"{_CLIENT}.models", listed.parent)
        for module, name in _IMPORT.findall(listed.read_text(encoding="utf-8")):
            setattr(models, name, _StandIn(name, (), {"real_module": module}))


def leave_out_the_checks() -> None:
    """Import LanceDB as later versions of Python do."""
    if sys.version_info >= (3, 12) or "lancedb" in sys.modules or "overrides" in sys.modules:
        return
    unchecked = ModuleType("overrides")
    unchecked.__dict__.update(override=lambda method: method, EnforceOverrides=object)
    sys.modules["overrides"] = unchecked
    try:
        importlib.import_module("lancedb")
    finally:
        del sys.modules["overrides"]  # whoever else imports it gets the real one


def _add_package(name: str, folder: Path) -> ModuleType:
    """A package whose modules can be imported, without what its `__init__` does."""
    package = ModuleType(name)
    package.__spec__ = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    package.__path__ = [str(folder)]
    sys.modules[name] = package
    return package


leave_out_the_client()
leave_out_the_checks()
