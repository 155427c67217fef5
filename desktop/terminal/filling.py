"""`inkling fill`: starts the process that fills an archive; its lines appear in the terminal."""

from __future__ import annotations

import argparse
import os
import subprocess
from contextlib import suppress

from engine.contract import launch
from engine.contract.paths import BaseDir


def run_fill(options: argparse.Namespace, base: BaseDir) -> int:
    """Its exit status: 1 where something could not be read, 2 where it could not be filled."""
    uri = options.uri if "://" in options.uri else _absolute(options.uri)
    given = [uri, "--from", *map(_absolute, options.folders), "--base-dir", str(base.root)]
    for name in ("ray", "name", "model"):
        if (value := getattr(options, name)) is not None:
            given += [f"--{name}", value]
    if options.readers is not None:
        given += ["--readers", _absolute(options.readers)]
    process = subprocess.Popen(launch.command("indexer", "fill", *given), env=launch.environment())
    while True:
        # Ctrl+C reaches it, too: it says where it stopped.
        with suppress(KeyboardInterrupt):
            return process.wait()


def _absolute(path: str) -> str:
    return os.path.abspath(os.path.expanduser(path))
