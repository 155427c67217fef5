"""What must not become a result: files that hold secrets by their name, passages by their text."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources


@cache
def _names() -> re.Pattern[str]:
    """All shipped name patterns as one expression over a lower-case file name."""
    text = resources.files("resources").joinpath("ignore/secret_names.txt").read_text("utf-8")
    lines = [line.strip() for line in text.splitlines()]
    rules = [line for line in lines if line and not line.startswith("#")]
    return re.compile("|".join(f"({_translate(rule)})" for rule in rules))


@cache
def _rules() -> tuple[str, ...]:
    text = resources.files("resources").joinpath("ignore/secret_names.txt").read_text("utf-8")
    lines = [line.strip() for line in text.splitlines()]
    return tuple(line for line in lines if line and not line.startswith("#"))


def _translate(rule: str) -> str:
    import fnmatch

    return fnmatch.translate(rule)


def secret_name(path: str) -> str | None:
    """The rule by which a file's name says that it holds secrets, if one does."""
    name = path[path.rfind("/") + 1 :].lower()
    match = _names().match(name)
    return _rules()[match.lastindex - 1] if match and match.lastindex else None
