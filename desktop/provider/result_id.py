"""How a result is called between shells and us: a file's address, and its place in the file.

It says everything that opening needs: a shell may ask for it after the process that found it ended.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import parse_qs, unquote_to_bytes, urlencode, urlsplit

from engine.contract.types import Hit, Location


def id_of(hit: Hit) -> str:
    """Text whatever the name's bytes are; the same hit has the same one."""
    place = {
        "kind": hit.kind,
        "page": hit.location.page,
        "line": hit.location.lines[0] if hit.location.lines else None,
    }
    return f"{address(hit.path)}#{urlencode({k: v for k, v in place.items() if v is not None})}"


def address(path: str) -> str:
    """A file's URI."""
    return Path(path).as_uri()


def hit_of(result: str) -> Hit | None:
    """As much of a hit as its id tells; None where it is none of ours."""
    try:
        parts = urlsplit(result)
        place = {key: values[0] for key, values in parse_qs(parts.fragment).items()}
        if parts.scheme != "file" or not parts.path.startswith("/"):
            return None
        path = os.fsdecode(unquote_to_bytes(parts.path))
        line = int(place["line"]) if "line" in place else None
        location = Location(
            page=int(place["page"]) if "page" in place else None,
            lines=None if line is None else (line, line),
        )
    except ValueError:
        return None
    return None if "\0" in path else Hit(path, kind=place.get("kind", "other"), location=location)
