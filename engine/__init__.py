"""The engine understands and finds. It gives out `Engine` (add, remove, search): its front door.

Importing it is cheap: faces import `engine.contract` and must not load LanceDB with it.
"""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.engine import Engine, thumb_path
    from engine.search.ports import NameMatch, SameContents

# onnxruntime 1.31 reports its use to its makers where this is not set before it is loaded. Every
# process of ours comes past here first.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

__all__ = ["Engine", "NameMatch", "SameContents", "thumb_path"]

#: What is given out, and the module it is loaded from when it is first asked for.
_LOADED_FROM = {
    "Engine": "engine.engine",
    "NameMatch": "engine.search.ports",
    "SameContents": "engine.search.ports",
    "thumb_path": "engine.engine",
}


def __getattr__(name: str) -> Any:
    if name not in _LOADED_FROM:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LOADED_FROM[name]), name)
