"""`inkling serve`: answers other machines, in a process that has this terminal until it ends."""

from __future__ import annotations

import argparse
import subprocess

from engine.contract import launch
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir

#: Options that go on as they were given.
_ENCODER = ("model", "host", "port", "cert", "key", "token_file")


def run_serve(options: argparse.Namespace, base: BaseDir) -> int:
    """Serve what is asked for; its exit status."""
    if options.encoder:
        return _run("encode-service", _given(options, _ENCODER), base)
    raise InklingError(
        "It is not said what is to be served.", hint="`inkling serve --encoder` encodes for others."
    )


def _given(options: argparse.Namespace, names: tuple[str, ...]) -> list[str]:
    """The options among these that were given, as the process takes them."""
    told = ((name, getattr(options, name)) for name in names)
    pairs = ([f"--{name.replace('_', '-')}", str(v)] for name, v in told if v is not None)
    return [word for pair in pairs for word in pair]


def _run(command: str, arguments: list[str], base: BaseDir) -> int:
    started = launch.command("indexer", command, "--base-dir", str(base.root), *arguments)
    with subprocess.Popen(started, env=launch.environment()) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:  # it has heard it, too, and ends in order
                continue
