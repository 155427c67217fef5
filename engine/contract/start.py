"""Runs a module of ours, and only ours: `python -E -P start.py MODULE ARGUMENT…`.

-E and -P keep out of sys.path what variables and the current folder would put there. Our packages
are found by name where this file lies, whether they are installed or not; the folder around them
is not searched: it may be somebody's home, where a json.py lies for another purpose, or on purpose.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

#: A checkout's tests bring encoders of their own.
PACKAGES = ("engine", "indexer", "desktop", "resources", "tests")
FOLDER = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class OwnPackages:
    """Finds our packages in their folder, and nothing else there."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The package, if it is one of ours; modules inside one are found by its own path."""
        if name not in PACKAGES:
            return None
        return PathFinder.find_spec(name, [FOLDER], target)


if __name__ == "__main__":
    sys.meta_path.insert(0, OwnPackages)
    del sys.argv[0]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
