"""`inkling integrate`: what the desktop is told of Inkling, written, listed and taken back."""

from __future__ import annotations

import argparse
import sys

from desktop.presentation.paths import printable, short_path
from desktop.system import integrating
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir

_STATES = {
    "written": "yes",
    "older": "of another version; `inkling integrate` renews it",
    "absent": "no; `inkling integrate` writes it",
    "changed": "you have changed it: left as it is",
    "foreign": "another file is there: left as it is",
}


def run_integrate(options: argparse.Namespace, base: BaseDir) -> int:
    """Write, unless something else is asked."""
    if options.show:
        return _show(options.show, base)
    if options.remove:
        return _remove(base)
    found = integrating.look(base) if options.list else integrating.write(base)
    for one in found:
        said = one.why_not or _STATES[one.state]
        _say(f"{one.row.title}: {said}")
        if one.state != "impossible":
            _say(f"  {short_path(str(one.path))}")
    if not options.list:
        _say("A desktop that shows nothing new yet does when you log in again.")
    return 0


def _show(name: str, base: BaseDir) -> int:
    rows = {one.row.id: one.row for one in integrating.look(base)}
    if name not in rows:
        raise InklingError(f"There is no “{name}” here.", hint=f"There are: {', '.join(rows)}.")
    sys.stdout.buffer.write(rows[name].contents(integrating.places(base)))
    return 0


def _remove(base: BaseDir) -> int:
    gone, left = integrating.remove(base)
    for path in gone:
        _say(f"Removed {printable(str(path))}")
    for path in left:
        _say(f"Left, since you have changed it: {printable(str(path))}")
    if not gone and not left:
        _say("There is nothing that was written.")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
