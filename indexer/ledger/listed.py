"""How its folder lists a file: file systems may take a name in several writings and show but one.

Windows and macOS mind no capitals, macOS no difference between é as one sign and as two; so do
sticks and shares on any system. Asked of the file system itself, never guessed by the system.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import replace

from engine.contract.types import Filters


def listed_name(folder: bytes, name: bytes, found: os.stat_result) -> bytes:
    """How `folder` writes the entry that was found there by `name`."""
    if not any(_is_same(os.path.join(folder, other), found) for other in _writings(name)):
        return name
    try:
        names = os.listdir(folder)
    except OSError:
        return name
    if name in names:
        return name
    wanted = _folded(name)
    return next((other for other in names if _folded(other) == wanted), name)


def as_listed(path: str, top: str = "") -> str:
    """A path as the folders on its way list it, from `top` on; what is not there stays as it is."""
    folder, name = os.path.split(path)
    if not name or path == top:
        return path
    folder = as_listed(folder, top)
    try:
        found = os.lstat(path)
    except OSError:
        return os.path.join(folder, name)
    return os.path.join(
        folder, os.fsdecode(listed_name(os.fsencode(folder), os.fsencode(name), found))
    )


def folders_as_listed(filters: Filters) -> Filters:
    """Whole paths that were typed, as they are on record."""

    def listed(folders: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(as_listed(f) if os.path.isabs(f) else f for f in folders)

    return replace(
        filters, folders=listed(filters.folders), not_folders=listed(filters.not_folders)
    )


def _writings(name: bytes) -> set[bytes]:
    """Other writings of a name, which few file systems take for the same."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        return set()
    others = {text.swapcase(), *(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))}
    return {other.encode("utf-8") for other in others} - {name}


def _folded(name: bytes) -> str:
    text = name.decode("utf-8", "surrogateescape")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())


def _is_same(path: bytes, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(os.lstat(path), found)
    except OSError:
        return False
