"""Names that Windows keeps for itself or can't hold, asked on any system."""

from __future__ import annotations

_FORBIDDEN = frozenset('<>:"/\\|?*')
_PORTS = (f"{kind}{number}" for kind in ("com", "lpt") for number in "123456789¹²³")
_DEVICES = frozenset({"con", "prn", "aux", "nul", "conin$", "conout$", *_PORTS})


def reserved(name: str) -> bool:
    """Whether an ordinary path that ends so leads to another thing, or to none: a device, whatever
    its ending, or a name whose last dots and spaces Windows drops."""
    stem = name.partition(".")[0].rstrip(" ").lower()
    return stem in _DEVICES or (name.endswith((".", " ")) and name not in (".", ".."))


def windows_takes(name: str) -> bool:
    """Whether a file there can be called so by every program."""
    return not (reserved(name) or any(c in _FORBIDDEN or c < " " for c in name))
