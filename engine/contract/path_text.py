"""Strings that Arrow can hold: it takes no lone surrogates, file systems do."""

from __future__ import annotations

import os
import re

_SURROGATE = re.compile("[\ud800-\udfff]")
_UNHOLDABLE = re.compile("[\ud800-\udfff\U0010d800-\U0010dfff]")
_HELD = re.compile("[\U0010d800-\U0010dfff]")
_SPECIAL = re.compile(r"([*?\[\\])")
_SHIFT = 0x100000  # moves a surrogate to a private use character of plane 16


def clean(text: str) -> str:
    """Text with each lone surrogate replaced; offsets stay."""
    return _SURROGATE.sub("\ufffd", text)


def path_to_text(path: str) -> str:
    """A path as valid Unicode, to be undone by `text_to_path`."""
    return _UNHOLDABLE.sub(lambda match: _hold(match[0]), path)


def text_to_path(text: str) -> str:
    """The path as the file system spells it."""
    path = _HELD.sub(lambda match: chr(ord(match[0]) - _SHIFT), text)
    if path == text:
        return path
    try:  # a private use character of the path's own was held as its bytes
        return path.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path


def _hold(char: str) -> str:
    if char <= "\udfff":
        return chr(ord(char) + _SHIFT)
    return "".join(chr(_SHIFT + 0xDC00 + byte) for byte in char.encode())


def own_pattern(path: str, *, folder: bool, sep: str = os.sep) -> str:
    """The pattern that leaves one folder or file out, as in .gitignore; those of the settings are
    read from the root of all files on, or with the drive or server ("C:/Users/…",
    "//server/share/…"). `sep`: what parts names in paths of the system."""
    return _SPECIAL.sub(r"\\\1", path.replace(sep, "/").rstrip("/")) + "/" * folder
