"""Checks the system libraries that Qt loads on Linux; as root installs them, else says how.

Standard library only: it runs before anything is installed, and again before the tests.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys

#: Library as the loader knows it -> Debian and Ubuntu package. The first group is needed even
#: without a display (libQt6Gui links to it), the second by the window under X11 or Wayland.
ALWAYS = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
}
WINDOW = {
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}


def missing(libraries: dict[str, str]) -> list[str]:
    """Packages of those libraries that the loader can't find."""
    packages = []
    for library, package in libraries.items():
        try:
            ctypes.CDLL(library)
        except OSError:
            packages.append(package)
    return packages


def check() -> bool:
    """Whether all is there, after trying to install what is not; says what stays missing."""
    if not sys.platform.startswith("linux"):
        return True
    absent = missing(ALWAYS | WINDOW)
    if not absent:
        return True
    install_or_advise(absent, "Qt needs system libraries that are missing.")
    return not missing(ALWAYS)


def install_or_advise(packages: list[str], why: str) -> bool:
    """Install packages where that is possible without a question, else say how; True if done."""
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        say(f"{why} Installing {' '.join(packages)} …")
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        options = ["-qq", "-y", "--no-install-recommends"]
        for command in ([apt, "-qq", "update"], [apt, *options, "install", *packages]):
            done = subprocess.run(
                command, env=quiet, capture_output=True, text=True, stdin=subprocess.DEVNULL
            )
        if done.returncode == 0:
            return True
        say(done.stderr.strip())
    elif apt:
        say(f"{why} Install them with:\n  sudo apt-get install {' '.join(packages)}")
    else:
        say(f"{why} With your package manager install what Debian calls: {' '.join(packages)}")
    return False


def say(text: str) -> None:
    """One line for the person, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(0 if check() else 1)
