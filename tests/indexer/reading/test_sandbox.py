"""What a confined process can no longer do, tried by one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from indexer.reading.extract.base import ExtractOptions
from indexer.reading.worker import read_file

_TRIES = """
import json, os, socket, subprocess, sys
from pathlib import Path
from indexer.reading import sandbox
scratch, readable, secret = sys.argv[1:]
sandbox.limit(2_000_000_000)
layers = sandbox.confine(Path(scratch), [readable])
def works(action):
    try:
        action()
    except OSError:
        return False
    return True
print(json.dumps({
    "layers": layers,
    "read": works(lambda: Path(readable, "a").read_text()),
    "write scratch": works(lambda: Path(scratch, "b").write_text("b")),
    "read elsewhere": works(lambda: Path(secret).read_text()),
    "write elsewhere": works(lambda: Path(readable, "c").write_text("c")),
    "remove elsewhere": works(lambda: Path(readable, "a").unlink()),
    "change mode": works(lambda: os.chmod(Path(readable, "a"), 0o777)),
    "socket": works(lambda: socket.socket()),
    "local socket": works(lambda: socket.socket(socket.AF_UNIX)),
    "program": works(lambda: subprocess.run(["true"])),
    "signal": works(lambda: os.kill(os.getppid(), 0)),
}))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such cap")
def test_only_a_worker_is_capped_by_what_it_reads(tmp_path: Path) -> None:
    """Any other process that reads a file would be ended minutes later, whatever it does."""
    import resource

    file = tmp_path / "a.md"
    file.write_text("# Ships\n\nThe keeper counts them.\n")
    before = resource.getrlimit(resource.RLIMIT_CPU)
    read_file(file, ExtractOptions(str(tmp_path)))
    assert resource.getrlimit(resource.RLIMIT_CPU) == before
    asked: list[float] = []
    read_file(file, ExtractOptions(str(tmp_path)), allow_cpu=asked.append)
    assert len(asked) == 1
    assert asked[0] > 0


def test_a_prisoner_reads_its_file_and_writes_its_scratch(tmp_path: Path) -> None:
    scratch, readable, secret = tmp_path / "scratch", tmp_path / "root", tmp_path / "secret"
    scratch.mkdir()
    readable.mkdir()
    (readable / "a").write_text("a")
    secret.write_text("secret")
    command = [sys.executable, "-c", _TRIES, str(scratch), str(readable), str(secret)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    can = json.loads(done.stdout)
    layers = can.pop("layers")
    if layers != ["landlock", "seccomp"]:
        pytest.skip(f"this platform offers only {layers}")
    assert can.pop("read")
    assert can.pop("write scratch")
    # Landlock learned to hold back signals in version 6 (Linux 6.12).
    can.pop("signal")
    assert [what for what, possible in can.items() if possible] == []
    assert (readable / "a").exists()
