"""The folders to narrow an answer by: the watched ones, and below each the fullest."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence

from desktop.presentation.paths import printable, short_path
from desktop.wording.figures import number

#: Below each watched folder; of all of them together; and how far down.
_BELOW, _MOST, _DEEP = 8, 30, 2
_STEP = "      "  # by which a folder stands to the right of the one it lies in


def folder_tree(
    watched: Sequence[str], held: Mapping[str, int], chosen: Iterable[str] = ()
) -> dict[str, str]:
    """Folders with their labels, as a tree from top to bottom; the chosen ones are always there.

    `held`: how many files lie below a folder.
    """
    offered: dict[str, str] = {}
    for root in watched:
        offered[root] = _label(short_path(root))
        inside = {f: n for f, n in held.items() if f.startswith(root.rstrip(os.sep) + os.sep)}
        near = [f for f in inside if _depth(f, root) <= _DEEP]
        fullest = sorted(near, key=lambda f: (_depth(f, root), -inside[f], f))[:_BELOW]
        kept = {f for f in fullest if os.path.dirname(f) in {root, *fullest}}
        for folder in sorted(kept, key=lambda f: f.split(os.sep)):
            if len(offered) < _MOST:
                name = _STEP * _depth(folder, root) + printable(os.path.basename(folder))
                offered[folder] = f"{_label(name)}  ·  {number(inside[folder])}"
    return offered | {f: _label(short_path(f)) for f in chosen if f not in offered}


def _depth(folder: str, root: str) -> int:
    return os.path.relpath(folder, root).count(os.sep) + 1


def _label(text: str) -> str:
    return text.replace("&", "&&")
