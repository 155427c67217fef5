"""`inkling doctor`: versions, the index, permissions, space, models, programs, the desktop; of each
whether it is as it should be, and else what to do. Starts and changes nothing."""

from __future__ import annotations

import json
import os
import platform
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator

from rich.markup import escape

from desktop.client import Client, read_endpoint
from desktop.system import autostart, current, integrating
from desktop.terminal import output
from engine.contract import launch
from engine.contract.checks import Check
from engine.contract.paths import BaseDir
from engine.contract.version import VERSION, release

Look = Callable[[BaseDir], Iterator[Check]]

#: Exit status when something needs attention.
ATTENTION = 1
LEAST_BYTES = 2_000_000_000  # free, for the index to grow
EXAMINE_SECONDS = 120.0


def run_doctor(base: BaseDir, *, as_json: bool) -> int:
    """Print every matter; 0 when all is as it should be."""
    found = [check for look in LOOKS for check in look(base)]
    if as_json:
        fine = all(check.fine for check in found)
        print(json.dumps({"ok": fine, "checks": [c.to_data() for c in found]}, indent=2))
    else:
        for check in found:
            sign = "[green]ok[/]       " if check.fine else "[yellow]attention[/]"
            said = escape(output.printable(check.said))
            output.console.print(f"{sign} [bold]{escape(check.title)}[/]  {said}")
            if check.do:
                output.console.print(f"            {escape(check.do)}")
    return 0 if all(check.fine for check in found) else ATTENTION


def _versions(base: BaseDir) -> Iterator[Check]:
    said = f"{VERSION}, Python {platform.python_version()}, {platform.platform()}."
    yield Check("version", "Inkling", said)


def _base(base: BaseDir) -> Iterator[Check]:
    """Whether it is private, and can be written."""
    title, root = "Its folder", base.root
    if not root.exists():
        yield Check("folder", title, f"{root} is made at the first start.")
        return
    facts = root.stat()
    mode = stat.S_IMODE(facts.st_mode)
    by_mode = hasattr(os, "getuid")  # elsewhere the modes say nothing
    if by_mode and facts.st_uid != os.getuid():
        do = f"Run Inkling as the person it belongs to, or: sudo chown -R $USER '{root}'"
        yield Check("folder", title, f"{root} belongs to somebody else.", do)
    elif not os.access(root, os.W_OK | os.X_OK):
        yield Check("folder", title, f"{root} can't be written to.", f"chmod 700 '{root}'")
    elif by_mode and mode & 0o077:
        yield Check("folder", title, f"{root} is open to others.", f"chmod 700 '{root}'")
    else:
        yield Check("folder", title, f"{root}, yours alone.")


def _space(base: BaseDir) -> Iterator[Check]:
    place = next(p for p in (base.root, *base.root.parents) if p.exists())
    free = shutil.disk_usage(place).free
    do = "" if free >= LEAST_BYTES else "Free some space: indexing pauses when the disk is full."
    yield Check("space", "Disk", f"{free / 1e9:.1f} GB free.", do)


def _indexer(base: BaseDir) -> Iterator[Check]:
    """Whether it runs, of which version, and what it says itself."""
    title = "Indexer"
    endpoint = read_endpoint(base)
    if endpoint is None:
        yield Check("indexer", title, "Not running; the window or the next command starts it.")
        return
    client = Client.find(base)
    if client is None:
        yield Check(
            "indexer", title, f"Process {endpoint.pid} does not answer.",
            f"Run `inkling status` once more; its log is {base.logs / 'indexer.log'}.",
        )  # fmt: skip
        return
    status = client.status()
    if release(endpoint.version) > release(VERSION):
        do = "Use the newer one, or end its indexer with `inkling stop`."
        yield Check("indexer", title, f"A newer one ({endpoint.version}) runs.", do)
    elif release(endpoint.version) < release(VERSION):
        said = f"An older one ({endpoint.version}) runs; the next command replaces it."
        yield Check("indexer", title, said)
    else:
        yield Check("indexer", title, f"Running: {status['state']}.")
    for item in status.get("health", ()):
        yield Check("health", "Health", item["title"], item["hint"])


def _examined(base: BaseDir) -> Iterator[Check]:
    """What the indexer's side says, in a process of its own: its libraries may be what is wrong."""
    command = launch.command("indexer", "doctor", "--base-dir", str(base.root))
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=EXAMINE_SECONDS,
            check=False, env=launch.environment(), cwd=base.root if base.root.is_dir() else None,
        )  # fmt: skip
        rows = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        yield Check("libraries", "Libraries", "They do not load in time.", "Try again later.")
        return
    except ValueError:
        last = done.stderr.strip().rpartition("\n")[2] or f"status {done.returncode}"
        yield Check("libraries", "Libraries", f"They do not load: {last}", "Install Inkling again.")
        return
    for row in rows:
        yield Check(row["id"], row["title"], row["said"], row["do"])


def _session(base: BaseDir) -> Iterator[Check]:
    """Whether it starts with the session as it is set."""
    title, file = "Start with the session", autostart.entry_file()
    if not file.exists():
        yield Check("session", title, "Off.")
    elif file.read_bytes() == autostart.entry(base.root):
        yield Check("session", title, "On.")
    else:
        said = "On, but for another base directory or installation."
        yield Check("session", title, said, "`inkling autostart on` sets it to this one.")


def _integration(base: BaseDir) -> Iterator[Check]:
    """Of what a desktop can be told, what it knows."""
    found = integrating.look(base)
    if found:
        known = [one.row.title for one in found if one.state in ("written", "older", "changed")]
        said = f"{len(known)} of {len(found)} written. `inkling integrate --list` shows them."
        older = any(one.state == "older" for one in found)
        do = "`inkling integrate` renews those of another version." if older else ""
        yield Check("integration", "Files for the desktop", said, do)


def _screen(base: BaseDir) -> Iterator[Check]:
    """Whether a window can be shown."""
    if current().NAME != "linux":
        return
    shown = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    said = f"On {shown}." if shown else "There is no display here; the command line does without."
    yield Check("screen", "Window", said)


#: Adding a matter is adding a row.
LOOKS: tuple[Look, ...] = (
    _versions,
    _base,
    _space,
    _indexer,
    _examined,
    _session,
    _integration,
    _screen,
)
