"""Takes the screenshots: starts real programs on a virtual display and photographs them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
DISPLAY = ":87"
SIZE = "1180x760"
NEEDED = (
    "Xvfb",
    "openbox",
    "xdotool",
    "import",
    "hsetroot",
    "xterm",
    "mousepad",
    "galculator",
    "pcmanfm",
)


@dataclass(frozen=True)
class Shot:
    """One screenshot: which program, whether the whole desktop is in it, what is typed first."""

    name: str
    command: Sequence[str]
    desktop: bool = False
    keys: Sequence[str] = ()
    theme: str = "Adwaita"


def qt(program: str) -> list[str]:
    """Command of one of our own programs."""
    return [sys.executable, str(HERE / "programs.py"), program]


SHOTS = (
    Shot("Screenshot 2026-03-14 10-22-31", qt("mail"), desktop=True),
    Shot("Screenshot 2026-02-02 18-05-47", qt("settings")),
    Shot("Screenshot 2026-03-26 18-06-02", qt("chat")),
    Shot("Screenshot 2026-04-05 20-40-12", qt("week")),
    Shot("Screenshot 2026-03-30 13-31-55", qt("monitor")),
    Shot("Screenshot 2026-02-17 21-09-44", qt("editor"), desktop=True),
    Shot("Screenshot 2026-04-19 19-40-08", qt("browser")),
    Shot("Screenshot 2026-01-28 07-55-18", qt("backup")),
    Shot(
        "Screenshot 2026-03-22 22-01-36",
        [
            "xterm",
            "-fa",
            "JetBrains Mono",
            "-fs",
            "10",
            "-geometry",
            "104x26",
            "-bg",
            "#1d1f21",
            "-fg",
            "#d5d8d6",
            "-title",
            "mara@fjord: ~/previews",
            "-e",
            "bash",
            str(HERE / "terminal.sh"),
        ],
    ),
    Shot(
        "Screenshot 2025-12-11 16-20-39",
        ["mousepad", "--disable-server", "{home}/packing list.txt"],
    ),
    Shot(
        "Screenshot 2025-11-30 12-02-26",
        ["galculator"],
        keys=["1", "2", "4", "9", "KP_Multiply", "0", "period", "1", "9", "equal"],
    ),
    Shot(
        "Screenshot 2026-01-19 09-14-03",
        ["pcmanfm", "{home}/Taxes 2025"],
        desktop=True,
        theme="Adwaita-dark",
    ),
)

PACKING = """\
Cabin in Hallingdal, 27 December to 3 January

[x] skins and wax for the touring skis
[x] head torches, spare cells
[ ] wool socks (four pairs each)
[ ] card game, the one with the owls
[ ] sheet music for the accordion
[ ] first-aid kit: blister plasters are used up
[ ] cardamom for the buns
[ ] key: hangs with the neighbour at no. 14, call before nine

The well pump is switched off. Bring ten litres of
water for the first night.
"""
TAXES = {
    "Salary statement 2025.pdf": 184_320,
    "Donations receipts": None,
    "Commuting 214 days.ods": 21_840,
    "Home office costs.ods": 18_202,
    "Letter from the tax office.pdf": 402_117,
    "Mortgage interest certificate.pdf": 96_004,
    "Return draft 3.pdf": 655_360,
    "Return draft 2.pdf": 651_101,
    "Childcare invoices": None,
}


def make_home(home: Path) -> None:
    """What the real programs open."""
    home.mkdir()
    home.chmod(0o777)
    packing = home / "packing list.txt"
    packing.write_text(PACKING, encoding="utf-8")
    packing.chmod(0o666)
    taxes = home / "Taxes 2025"
    taxes.mkdir()
    for name, size in TAXES.items():
        if size is None:
            (taxes / name).mkdir()
        else:
            (taxes / name).write_bytes(b"%PDF-1.7\n".ljust(size, b"\0"))
    for n, path in enumerate(sorted(taxes.iterdir())):
        stamp = 1_768_000_000 + n * 41_000
        os.utime(path, (stamp, stamp))


@contextmanager
def display(home: Path) -> Iterator[dict[str, str]]:
    """A virtual display with a window manager; gives the environment for its programs."""
    environment = {
        **os.environ,
        "DISPLAY": DISPLAY,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / ".config"),
    }
    environment.pop("QT_QPA_PLATFORM", None)
    server = subprocess.Popen(
        ["Xvfb", DISPLAY, "-screen", "0", SIZE + "x24", "-ac", "-nolisten", "tcp"],
        stderr=subprocess.DEVNULL,
    )
    time.sleep(1.0)
    manager = subprocess.Popen(["openbox"], env=environment, stderr=subprocess.DEVNULL)
    time.sleep(0.7)
    try:
        yield environment
    finally:
        end(manager)
        end(server)


def end(program: subprocess.Popen[bytes]) -> None:
    """Ask it to stop, then make it stop: some ask back whether to save."""
    program.terminate()
    try:
        program.wait(5)
    except subprocess.TimeoutExpired:
        program.kill()
        program.wait()


def take(shot: Shot, target: Path, environment: dict[str, str]) -> None:
    """Start the program, wait until it stands still, photograph it, end it."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(words, env=environment, capture_output=True, text=True, timeout=20)

    run("hsetroot", "-add", "#31465a", "-add", "#7d93a3", "-gradient", "160")
    themed = {**environment, "GTK_THEME": shot.theme.replace("-dark", ":dark"), "NO_AT_BRIDGE": "1"}
    themed["GTK2_RC_FILES"] = f"/usr/share/themes/{shot.theme}/gtk-2.0/gtkrc"
    command = [word.format(home=environment["HOME"]) for word in shot.command]
    program = subprocess.Popen(
        command,
        env=themed,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        # Some programs show a warning bar to root.
        user="nobody" if os.geteuid() == 0 and command[0] == "mousepad" else None,
    )
    try:
        time.sleep(5.0)
        found = run("xdotool", "getactivewindow").stdout.strip()
        if not found:
            raise RuntimeError(f"{shot.name}: no window appeared")
        run("xdotool", "windowmove", found, "120", "70")
        if shot.keys:
            run("xdotool", "key", "--delay", "200", *shot.keys)
        run("xdotool", "mousemove", "1170", "750")
        time.sleep(1.2)
        window = "root" if shot.desktop else found
        done = run(
            "import",
            "-window",
            window,
            *([] if shot.desktop else ["-frame"]),
            "png24:" + str(target),
        )
        if done.returncode:
            raise RuntimeError(f"{shot.name}: {done.stderr}")
    finally:
        end(program)
        time.sleep(0.5)


def make(library: Path) -> None:
    """Take all screenshots."""
    if lacking := [name for name in NEEDED if not shutil.which(name)]:
        raise SystemExit(f"The screenshots need these programs: {' '.join(lacking)}")
    folder = library / "Pictures" / "Screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    home = Path("/home/mara")  # seen in title and address bars
    make_home(home)
    try:
        with display(home) as environment:
            for shot in SHOTS:
                take(shot, folder / f"{shot.name}.png", environment)
    finally:
        shutil.rmtree(home)
