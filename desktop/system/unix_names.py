"""What Linux and macOS take for a file's name."""

from __future__ import annotations

import os

from desktop.system.protocol import NameFault

#: Most file systems' limit, in bytes.
_LONGEST = 255


def name_fault(name: str) -> NameFault | None:
    """A slash parts folders, and a name is so many bytes."""
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        return "refused"
    return "too long" if len(os.fsencode(name)) > _LONGEST else None
