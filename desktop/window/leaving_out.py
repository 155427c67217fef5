"""The pattern that leaves one folder out of the index."""

from __future__ import annotations

import os
from collections.abc import Sequence

from desktop import strings as s
from desktop.presentation.paths import short_path
from engine.contract.errors import InklingError
from engine.contract.path_text import own_pattern


def pattern_for(folder: str, roots: Sequence[str], sep: str = os.sep) -> str:
    """InklingError where the folder is one of the watched `roots`, or above one. `sep`: what parts
    names in paths of the system."""
    if any(root == folder or root.startswith(folder.rstrip(sep) + sep) for root in roots):
        raise InklingError(
            s.IS_WATCHED.format(folder=short_path(folder)), hint=s.IS_WATCHED_HINT, path=folder
        )
    return own_pattern(folder, folder=True, sep=sep)
