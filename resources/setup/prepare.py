"""Sets up a checkout: makes .venv, installs Inkling and its tools into it, checks system libraries.

Runs on the system's Python with nothing installed, so it uses the standard library only.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from check_system import check, install_or_advise  # beside this file

CHECKOUT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)
NEEDED_BYTES = 8_000_000_000  # torch's build for graphics cards takes most of it


def main() -> int:
    """Prepare the environment named on the command line; 0 when it is ready."""
    venv = CHECKOUT / (sys.argv[1] if len(sys.argv) > 1 else ".venv")
    if sys.version_info < OLDEST:
        return use_newer_python()
    python = venv / "bin" / "python"
    if not works(python) and not make_venv(venv):
        return 1
    if not install(python, venv / "install.log"):
        return 1
    check()
    (venv / ".ready").touch()
    return 0


def use_newer_python() -> int:
    """Start again on a newer Python where one is installed beside this one."""
    for minor in range(20, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        # A version manager's stand-in may be there for a version that is not switched on.
        if newer and subprocess.run([newer, "-c", ""], capture_output=True).returncode == 0:
            os.execv(newer, [newer, *sys.argv])
    say(f"Inkling needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
    say("Install one and run: make PYTHON=/path/to/python3 run")
    return 1


def works(python: Path) -> bool:
    """Whether the environment's Python runs and has pip (a half-made one does not)."""
    command = [str(python), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    return python.exists() and subprocess.run(command, capture_output=True).returncode == 0


def make_venv(venv: Path) -> bool:
    """Make an empty environment; on Debian and Ubuntu its package may have to come first."""
    say(f"Making {venv.name} with Python {sys.version.split()[0]} …")
    command = [sys.executable, "-m", "venv", "--clear", str(venv)]
    if subprocess.run(command, capture_output=True).returncode == 0:
        return True
    package = f"python3.{sys.version_info[1]}-venv"
    if install_or_advise([package], "Python's venv module is not complete.") and (
        subprocess.run(command, capture_output=True).returncode == 0
    ):
        return True
    done = subprocess.run(command, capture_output=True, text=True)
    say(f"The environment could not be made:\n{done.stdout}{done.stderr}".rstrip())
    return False


def install(python: Path, log: Path) -> bool:
    """Install Inkling with its tools; one line of progress, pip's own words go to the log."""
    free = shutil.disk_usage(log.parent).free
    if free < NEEDED_BYTES and not glob.glob(str(log.parent / "lib*/python*/site-packages/torch")):
        say(f"Note: {free / 1e9:.1f} GB free here; the dependencies may take up to 8 GB.")
    say("Installing Inkling and its dependencies (some gigabytes the first time) …")
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "--progress-bar", "off", "-e", f"{CHECKOUT}[dev]"]
    began = time.monotonic()
    with log.open("w", encoding="utf-8") as out:
        pip = subprocess.Popen(
            command, cwd=CHECKOUT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )
        while pip.poll() is None:
            show_progress(log, time.monotonic() - began)
            try:
                pip.wait(1.0)
            except subprocess.TimeoutExpired:
                continue
    if sys.stdout.isatty():
        sys.stdout.write("\r\x1b[K")
    if pip.returncode:
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-15:]
        say("\n".join(tail))
        say(f"pip could not install everything. The whole log is {log}; run make again to go on.")
        return False
    # Of a model that nobody has to choose: without them all the rest is ready.
    subprocess.run([str(python), str(Path(__file__).with_name("fetch_weights.py"))], check=False)
    say(f"Ready after {time.monotonic() - began:.0f} s.")
    return True


def show_progress(log: Path, seconds: float) -> None:
    """Time so far and what pip is at: rewritten in a terminal, one line a minute elsewhere."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    steps = [s for s in lines if s.startswith(("Collecting", "Downloading", "Installing"))]
    step = steps[-1][:60] if steps else "starting"
    if sys.stdout.isatty():
        sys.stdout.write(f"\r\x1b[K  {seconds:4.0f} s  {step}")
        sys.stdout.flush()
    elif int(seconds) % 60 == 59:
        say(f"  {seconds:4.0f} s  {step}")


def say(text: str) -> None:
    """One line for the person, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
