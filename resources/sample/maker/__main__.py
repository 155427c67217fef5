"""Draws every picture and document of the sample library again: `make sample`."""

from __future__ import annotations

import sys
from pathlib import Path

import diagrams
import documents
import pictures
import screens

LIBRARY = Path(__file__).resolve().parents[1] / "library"
PARTS = {m.__name__: m.make for m in (diagrams, pictures, documents, screens)}


def main() -> None:
    """Make all, or only the parts named on the command line."""
    for name in sys.argv[1:] or PARTS:
        PARTS[name](LIBRARY)


if __name__ == "__main__":
    main()
