"""The stages over Ray, in a network of their own: one actor killed, and the same archive."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from engine.contract import launch
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models.registry import model_spec
from indexer.archiving.job import Job
from indexer.archiving.ray_stages import over_ray
from tests.indexer.archiving.archives import actors, alone, contents, differences, fill
from tests.light_model import LIGHT_MODEL
from tests.waiting import PATIENCE, until

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="the extra “archive” is missing")
#: Loopback as /proc/net/tcp and tcp6 write it.
LOOPBACK = {
    "0100007F",
    "00000000000000000000000001000000",
    "0000000000000000FFFF00000100007F",
}
LISTENING = "0A"


def listeners(pid: int) -> set[str]:
    """Addresses that are listened at in a process's network."""
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == LISTENING:
                found.add(words[1].partition(":")[0])
    return found


@needs_ray
@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a network of its own: Linux")
def test_an_actor_is_killed_and_nothing_is_missing(tmp_path: Path, base: BaseDir) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.md").write_text(
            "\n\n".join(f"Harbour {number}, berth {berth}: ropes and tar." for berth in range(9))
        )
    (folder / "40.pdf").write_bytes(b"%PDF-1.4 nothing follows")
    given = [str(tmp_path / "with"), "--from", str(folder), "--model", LIGHT_MODEL]
    process = subprocess.Popen(
        alone(launch.command("indexer", "fill", *given, "--base-dir", str(base.root))),
        env=launch.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    until(lambda: process.poll() is not None or actors(process))
    victim, *_ = actors(process)
    assert listeners(victim.pid) <= LOOPBACK
    assert listeners(victim.pid)
    victim.send_signal(signal.SIGKILL)
    out, err = process.communicate(timeout=PATIENCE)
    assert err == b""
    assert process.returncode == 1, out  # the broken one
    assert b"processors" in out
    assert fill(base, tmp_path / "without", folder) == 1
    assert differences(contents(tmp_path / "with"), contents(tmp_path / "without")) == []


@needs_ray
def test_a_cluster_that_is_not_there(base: BaseDir) -> None:
    folder = base.root.parent / "source"
    folder.mkdir()
    (folder / "a.txt").write_text("Ropes.")
    given = [str(base.root.parent / "archive"), "--from", str(folder), "--ray", "127.0.0.1:1"]
    ended = subprocess.run(
        launch.command("indexer", "fill", *given, "--base-dir", str(base.root)),
        env=launch.environment(), capture_output=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert ended.returncode == 2
    assert b"The Ray cluster at 127.0.0.1:1 does not answer." in ended.stderr
    assert ended.stderr.count(b"\n") == 2


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch, base: BaseDir) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    job = Job(base.root, model_spec(LIGHT_MODEL), {}, 1)
    with pytest.raises(InklingError, match="needs the extra: pip install 'inkling-search"):
        list(over_ray(None, print)(job, []))
