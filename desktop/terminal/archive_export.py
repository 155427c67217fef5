"""`inkling archive export`: an archive of record as Parquet."""

from __future__ import annotations

import argparse
import subprocess

from engine.contract import launch


def run_export(options: argparse.Namespace) -> int:
    """Done by the indexer's side, which has the libraries; it says what went wrong."""
    command = launch.command("indexer", "export", options.uri, "--to", options.to)
    return subprocess.run(command, env=launch.environment(), check=False).returncode
