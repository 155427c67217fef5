"""Checks a model's folder without reading the weights: `python -m engine.encoders.check_weights`.

Takes a row's `module` and the folder; prints what is wrong and ends with 1, or ends with 0.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from engine.contract.errors import InklingError


def main(module: str, folder: str) -> int:
    """Call `check(folder)` of the module that loads the model."""
    try:
        importlib.import_module(module.split(":")[0]).check(Path(folder))
    except InklingError as error:
        sys.stdout.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
