"""Files that must not become a result: their names say that they hold secrets."""

from __future__ import annotations

from functools import cache
from importlib import resources

from indexer.sources.ignore import Patterns


@cache
def _name_patterns() -> Patterns:
    text = resources.files("resources").joinpath("ignore/secret_names.txt").read_text("utf-8")
    return Patterns(text.splitlines(), "secrets")


def names_digest() -> str:
    """Another value means that other names hold secrets."""
    return _name_patterns().digest


def secret_name(path: str) -> str | None:
    """The rule by which a file's path or name says that it holds secrets, if one does."""
    folded = path.lower()
    patterns = _name_patterns()
    parent, _, name = folded.replace("\\", "/").rpartition("/")
    position = patterns.match(parent, name, False)
    if position < 0 or not patterns.leaves_out(position):
        return None
    return patterns.ignored(position).rule
