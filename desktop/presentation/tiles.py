"""The coloured tiles of files that have no picture: a few letters, a colour for what it is."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtGui import QColor

#: Of letters and, faint, of the tile: on light, on dark; at least 4.5:1 on the tile.
HUES: dict[str, tuple[str, str]] = {
    "blue": ("#1d56ad", "#8fbcff"),
    "teal": ("#0a6172", "#5ec8d8"),
    "green": ("#22633a", "#98c98a"),
    "amber": ("#765000", "#e8b960"),
    "orange": ("#8f3c06", "#f4ab80"),
    "red": ("#9e2018", "#ffa29b"),
    "pink": ("#982c60", "#f2a0c8"),
    "violet": ("#6f2e9b", "#d5adf6"),
    "slate": ("#48525f", "#b3bcc9"),
}
#: How much of the letters' colour the tile has.
SHARE = 0.12
_ENDINGS = {
    "blue": "py pyi ts tsx docx doc odt rtf ipynb",
    "teal": "go css scss less dart",
    "green": "sh bash zsh fish csv tsv xlsx xls ods rb lua",
    "amber": "js jsx mjs json jsonc yaml yml toml ini cfg conf env",
    "orange": "rs html htm xml svg pptx ppt odp swift",
    "red": "java kt scala pdf cpp cc cxx hpp",
    "pink": "sql graphql proto org",
    "violet": "c h cs php r jl ex exs hs ml",
    "slate": "md markdown txt rst log adoc eml mbox",
}
_HUE_OF = {ending: hue for hue, endings in _ENDINGS.items() for ending in endings.split()}
_MOST_LETTERS = 4


def letters(path: str) -> str:
    """The file's ending, where it is short enough to stand on a tile."""
    ending = PurePath(path).suffix.lstrip(".")
    fits = 0 < len(ending) <= _MOST_LETTERS and ending.isalnum()
    return ending.upper() if fits else ""


def hue(path: str) -> str:
    """The name of the file's colour."""
    return _HUE_OF.get(PurePath(path).suffix.lstrip(".").lower(), "slate")


def colours(name: str, dark: bool) -> tuple[QColor, QColor]:
    """Of the letters, and of the tile, which is see-through."""
    front = QColor(HUES[name][dark])
    back = QColor(front)
    back.setAlphaF(SHARE)
    return front, back
