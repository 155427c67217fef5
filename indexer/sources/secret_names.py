"""Files that must not become a result: their names say that they hold secrets."""

from __future__ import annotations

from functools import cache
from importlib import resources

from indexer.sources.ignore import Patterns

_SURE, _DOUBTFUL = "secret_names.txt", "doubtful_names.txt"


@cache
def _name_patterns(listed: str) -> Patterns:
    text = resources.files("resources").joinpath("ignore", listed).read_text("utf-8")
    return Patterns(text.splitlines(), "secrets")


def names_digest() -> str:
    """Another value means that other names hold secrets."""
    return f"{_name_patterns(_SURE).digest}-{_name_patterns(_DOUBTFUL).digest}"


def secret_name(path: str) -> str | None:
    """The rule by which a file's path or name says that it holds secrets, if one does."""
    return _rule(path, _SURE)


def doubtful_name(path: str) -> str | None:
    """The rule by which a name says that it may: what is in the file decides."""
    return _rule(path, _DOUBTFUL)


def _rule(path: str, listed: str) -> str | None:
    patterns = _name_patterns(listed)
    parent, _, name = path.lower().replace("\\", "/").rpartition("/")
    position = patterns.match(parent, name, False)
    if position < 0 or not patterns.leaves_out(position):
        return None
    return patterns.ignored(position).rule
