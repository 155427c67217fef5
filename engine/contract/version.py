"""The one version number: packaging reads it here, the API tells it, front ends compare it; and the
name by which a desktop knows Inkling."""

from __future__ import annotations

import re

VERSION = "0.1.0"

#: By this name the desktop knows Inkling: desktop file, icon, metadata, D-Bus.
APPLICATION_ID = "io.github.inkling_search.Inkling"


def release(version: str) -> tuple[int, ...]:
    """The numbers of a version, to compare; none where there are none, which is the oldest."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(int(part) for part in found[0].split(".")) if found else ()
