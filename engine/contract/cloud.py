"""Files whose contents are not on this machine: opening one fetches it, which nobody asked for."""

from __future__ import annotations

import os

#: Windows: of st_file_attributes. Offline is how older programs for archives say it.
_OFFLINE, _RECALL_ON_OPEN, _RECALL_ON_DATA_ACCESS = 0x1000, 0x40000, 0x400000
_ELSEWHERE = _OFFLINE | _RECALL_ON_OPEN | _RECALL_ON_DATA_ACCESS
#: macOS: of st_flags.
_SF_DATALESS = 0x40000000


def away_on_windows(found: os.stat_result) -> bool:
    """By what OneDrive, Dropbox and others say to the system."""
    return bool(getattr(found, "st_file_attributes", 0) & _ELSEWHERE)


def away_on_macos(name: str, found: os.stat_result) -> bool:
    """By what iCloud and others say to the system, or in a name."""
    return bool(getattr(found, "st_flags", 0) & _SF_DATALESS) or is_stub(name)


def is_stub(name: str) -> bool:
    """Whether a name is what iCloud, before macOS 14, left in place of a file it took away."""
    return len(name) > 8 and name[0] == "." and name.endswith(".icloud")
