"""Installs the wheel as a person would, in a clean place, and uses it: `make check-dist`.

    python check_dist.py WHEEL [--keep FOLDER]

Takes minutes and the network, or whatever index pip is configured with. Says how large the
environment is, what makes it so, and how long the first answer took from nothing.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path

GOAL_MB, GOAL_SECONDS = 900, 240
LARGEST = 12
WINDOW_SECONDS = 60


def main() -> int:
    """0 when everything worked, goals aside: those are told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--keep", type=Path, help="a new folder for the environment, kept")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        env = (given.keep or Path(place, "env")).absolute()
        began = time.monotonic()
        venv.create(env, with_pip=True)
        pip = [env / "bin" / "python", "-m", "pip", "install", "--progress-bar", "off", "-q"]
        subprocess.run([*pip, str(given.wheel.absolute())], check=True, cwd=place)
        say(f"installed after {time.monotonic() - began:.0f} s")
        home = Path(place, "home")
        home.mkdir()
        worked = use([str(env / "bin" / "inkling")], home, began)
        say(f"environment: {size(env) / 1e6:.0f} MB (goal {GOAL_MB})")
        (libraries,) = env.glob("lib/python*/site-packages")
        sizes(libraries)
    return 0 if worked else 1


def use(inkling: Sequence[str], home: Path, began: float) -> bool:
    """Whether an installed Inkling indexes, answers and shows its window to somebody new."""
    kept = {n: v for n, v in os.environ.items() if not n.startswith(("PYTHON", "INKLING"))}
    variables = kept | {"HOME": str(home), "XDG_DATA_HOME": str(home / "data")}
    (home / "notes").mkdir()
    (home / "notes" / "note.md").write_text("# Tea\n\nGreen tea steeps for two minutes.\n")

    def run(*words: str) -> str:
        done = subprocess.run(
            [*inkling, *words], cwd=home, env=variables, stdout=subprocess.PIPE, text=True
        )
        if done.returncode:
            sys.exit(f"inkling {' '.join(words)} failed: {done.stdout}")
        return done.stdout

    say(run("--version").strip())
    run("add", "--wait", "notes")
    answered = "note.md" in run("search", "how long does green tea steep")
    say(f"first answer: {answered}, after {time.monotonic() - began:.0f} s (goal {GOAL_SECONDS})")
    run("stop")
    say(run("demo").strip().rpartition("\n")[2])
    opened = window(inkling, home, variables)
    say(f"window: {'no Xvfb here' if opened is None else opened}")
    return answered and opened is not False


def window(inkling: Sequence[str], home: Path, variables: dict[str, str]) -> bool | None:
    """Whether the window opens under Xvfb; None where there is none."""
    if shutil.which("Xvfb") is None:
        return None
    with screen() as display:
        own = {
            n: v for n, v in variables.items() if n not in ("QT_QPA_PLATFORM", "WAYLAND_DISPLAY")
        }
        shown = subprocess.Popen([*inkling], cwd=home, env=own | {"DISPLAY": display})
        end = time.monotonic() + WINDOW_SECONDS
        opened = False
        # The second start ends at once when there is a window that it can speak to.
        while not opened and shown.poll() is None and time.monotonic() < end:
            time.sleep(1)
            opened = bool(list((home / "data" / "inkling" / "run").glob("endpoint.json")))
        again = subprocess.run([*inkling], cwd=home, env=own | {"DISPLAY": display}, timeout=60)
        opened = opened and again.returncode == 0 and shown.poll() is None
        subprocess.run([*inkling, "stop"], cwd=home, env=own, check=False)
        shown.terminate()
        shown.wait()
        return opened


@contextlib.contextmanager
def screen() -> Iterator[str]:
    """A display without a screen; its name."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "1280x800x24", "-nolisten", "tcp"],
        pass_fds=[write], stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    try:
        yield f":{number}"
    finally:
        server.terminate()
        server.wait()


def sizes(libraries: Path) -> None:
    """What lies there, the largest first."""
    by_name = sorted(((size(path), path.name) for path in libraries.iterdir()), reverse=True)
    for count, name in by_name[:LARGEST]:
        say(f"  {count / 1e6:5.0f}  {name}")


def size(path: Path) -> int:
    """Bytes of a file, or of all files below."""
    below = path.rglob("*") if path.is_dir() else [path]
    return sum(p.lstat().st_size for p in below if p.is_file() and not p.is_symlink())


def say(text: str) -> None:
    """One line for the person, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
