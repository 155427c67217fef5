"""Builds the wheel and the source archive for `make dist`: `python build_dist.py FOLDER`.

Both hold, below resources/packages/, the data of packages that Inkling wants without their code
(engine/models/packages.py says which and why), taken from where they are installed. So whoever
installs the wheel has all that the default needs, and nothing is fetched at a first start.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from engine.models.packages import COPIED, find_package

CHECKOUT = Path(__file__).resolve().parents[2]
PARTS = ("engine", "indexer", "desktop", "resources")
FILES = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "ARCHITECTURE.md")
_HOOKS = "import sys, setuptools.build_meta as b; getattr(b, 'build_' + sys.argv[1])(sys.argv[2])"


def main() -> int:
    """0 when both are made."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("inkling_search-*"):
        old.unlink()
    if status := build(folder, ("sdist", "wheel")):
        return status
    for made in sorted(folder.glob("inkling_search-*")):
        sys.stdout.write(f"{made} ({made.stat().st_size / 1e6:.0f} MB)\n")
    return 0


def build(folder: Path, kinds: Sequence[str]) -> int:
    """Make what is asked for, in a folder; 0 when it is made."""
    with tempfile.TemporaryDirectory() as place:
        tree = Path(place, "inkling")
        stage(tree)
        for what in kinds:
            command = [sys.executable, "-c", _HOOKS, what, str(folder)]
            done = subprocess.run(command, cwd=tree, capture_output=True, text=True)
            if done.returncode:
                sys.stderr.write(f"{done.stdout}{done.stderr}The {what} could not be built.\n")
                return 1
    return 0


def stage(tree: Path) -> None:
    """The tree that is built from: the rooms, and the data of packages."""
    tree.mkdir()
    for name in FILES:
        shutil.copy(CHECKOUT / name, tree)
    for name in PARTS:
        left_out = shutil.ignore_patterns("__pycache__", "*.new", "packages")
        ignored = left_out if name == "resources" else shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / name, tree / name, ignore=ignored)
    # What no MANIFEST.in names would be missing from the source archive.
    lines = [f"recursive-include {name} *\n" for name in PARTS]
    (tree / "MANIFEST.in").write_text("".join(lines), encoding="utf-8")
    for package, files in COPIED.items():
        source = find_package(package)
        if source is None:
            sys.exit(f"The package {package} is not installed: run make first.")
        for file in files:
            target = tree / "resources" / "packages" / package / file
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source / file, target)


if __name__ == "__main__":
    sys.exit(main())
