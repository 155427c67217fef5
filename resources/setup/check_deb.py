"""Installs the .deb, uses it as another person and removes it: `make check-deb`, as root.

    python check_deb.py DEB PORTABLE

On a machine that is there for such things: whatever is installed as inkling-search is replaced.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

from build_deb import HOME, NAME
from check_dist import say, size, sizes, use

PERSON = "nobody"


def main() -> int:
    """0 when everything worked and nothing is left."""
    deb, portable = (Path(name).absolute() for name in sys.argv[1:3])
    if os.geteuid() != 0:
        sys.exit("Installing a package is root's: run it with sudo.")
    said = lint(deb)
    began = time.monotonic()
    subprocess.run(["dpkg", "--install", str(deb)], check=True, stdout=subprocess.DEVNULL)
    say(f"installed after {time.monotonic() - began:.0f} s")
    (libraries,) = Path("/", HOME).glob("lib/python*/site-packages")
    say(f"{HOME}: {size(Path('/', HOME)) / 1e6:.0f} MB")
    sizes(libraries)
    worked = as_person(["/usr/bin/inkling"], began)
    subprocess.run(["dpkg", "--purge", NAME], check=True, stdout=subprocess.DEVNULL)
    left = [place for place in (Path("/", HOME), Path("/usr/bin/inkling")) if place.exists()]
    say(f"removed; left: {left or 'nothing'}")
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        with tarfile.open(portable) as archive:
            archive.extractall(place, filter="tar")
        (start,) = Path(place).glob("*/inkling")
        worked = as_person([str(start)], time.monotonic()) and worked
    return 0 if worked and not left and not said else 1


def lint(deb: Path) -> int:
    """How many errors lintian finds; 0 where there is none."""
    if shutil.which("lintian") is None:
        say("no lintian here")
        return 0
    done = subprocess.run(
        ["lintian", "--fail-on", "error", str(deb)], capture_output=True, text=True
    )
    errors = [line for line in done.stdout.splitlines() if line.startswith("E:")]
    say("\n".join([f"lintian: {len(errors)} errors", *errors]))
    return len(errors)


def as_person(command: list[str], began: float) -> bool:
    """Use it as somebody who may write nowhere but at home."""
    with tempfile.TemporaryDirectory() as place:
        shutil.chown(place, PERSON)
        home = Path(place, "home")
        user = ["setpriv", f"--reuid={PERSON}", "--clear-groups"]
        subprocess.run([*user, "mkdir", str(home)], check=True)
        home.chmod(0o777)
        return use([*user, *command], home, began)


if __name__ == "__main__":
    sys.exit(main())
