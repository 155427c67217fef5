"""How Python processes of ours start: with our own code and installed libraries, nothing else."""

from __future__ import annotations

import os
import site
import sys
from collections.abc import Mapping

from engine.contract import start


def command(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours wherever it is started from, see `start`."""
    # What was given as a variable is not read with -E.
    flags = ["-s"] if sys.flags.no_user_site else []
    return [sys.executable, "-E", "-P", *flags, os.path.abspath(start.__file__), module, *arguments]


def environment(given: Mapping[str, str] | None = None, **more: str) -> dict[str, str]:
    """Variables for such a process: the own (or the given) ones without Python's, and `more`.

    Where a person's own libraries lie is told: a child may have another HOME.
    """
    given = os.environ if given is None else given
    kept = {name: value for name, value in given.items() if not name.startswith("PYTHON")}
    if site.ENABLE_USER_SITE:
        kept["PYTHONUSERBASE"] = site.getuserbase()
    return kept | more
