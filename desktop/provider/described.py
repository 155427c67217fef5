"""A result as a shell shows it: one line of text without markup, an icon, a small picture."""

from __future__ import annotations

import io
import mimetypes
import re
from dataclasses import dataclass
from pathlib import PurePath

from desktop import strings as s
from desktop.presentation.paths import printable, short_folder
from engine.contract.types import Hit

_EDGE = 96  # pixels of a picture's longer side: shells draw 24 to 64
_MOST_SAID = 120
#: What a shell could take for a tag: some set labels as markup, and a file's words are no markup.
_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_ICON = "text-x-generic"

#: Width, height, bytes a row, whether it is see-through, bits, channels, pixels: as in
#: notifications, `(iiibiiay)`.
Pixels = tuple[int, int, int, bool, int, int, bytes]


@dataclass(frozen=True, slots=True)
class Described:
    """What is said of one result."""

    name: str
    description: str
    icons: tuple[str, ...]  # of the icon theme, the most telling first


def described(hit: Hit) -> Described:
    """Where it is and what it says there; for KRunner and GNOME alike."""
    name = printable(PurePath(hit.path).name)
    said = plain(printable(" ".join(hit.snippet.split())))
    if len(said) > _MOST_SAID:
        said = said[: _MOST_SAID - 1].rstrip() + "…"
    place = " · ".join(filter(None, (s.place(hit.location), short_folder(hit.path))))
    parts = (plain(place), said, s.OFFLINE if hit.offline else "")
    return Described(plain(name), " — ".join(filter(None, parts)), icon_names(hit.path))


def plain(text: str) -> str:
    """Text that no label takes for markup."""
    return _TAG.sub("‹", text)


def icon_names(path: str) -> tuple[str, ...]:
    """By the Icon Naming Specification: of the type, then of what it is a kind of."""
    mime, _ = mimetypes.guess_type(PurePath(path).name)
    if mime is None:
        return (_ICON,)
    return tuple(dict.fromkeys((mime.replace("/", "-"), f"{mime.split('/')[0]}-x-generic", _ICON)))


def pixels(data: bytes) -> Pixels | None:
    """A picture as the bus carries it; None where it is none."""
    from PIL import Image

    try:
        with Image.open(io.BytesIO(data)) as picture:
            picture.thumbnail((_EDGE, _EDGE))
            small = picture.convert("RGBA")
    except (OSError, ValueError):
        return None
    return (small.width, small.height, small.width * 4, True, 8, 4, small.tobytes())
