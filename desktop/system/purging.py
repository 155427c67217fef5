"""Folders and files taken out of the index without a trace, by a process that has it to itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass

from desktop.client import end_indexer, read_endpoint
from engine.contract import launch
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir


@dataclass(frozen=True, slots=True)
class Purged:
    """What indexer.indexing.purging says became of it."""

    files: int
    words: int
    searched: int
    left: list[str]
    rule: str


def purge(base: BaseDir, paths: Sequence[str]) -> Purged:
    """End the indexer, take these out, and search what is on the disk. Blocking, for seconds to
    minutes; whoever asks next starts a new indexer. InklingError where it could not be done."""
    endpoint = read_endpoint(base)
    if endpoint is not None and not end_indexer(base, endpoint):
        raise InklingError(
            "The indexer does not end, so nothing was taken out.",
            hint="End the process {pid} and try again.",
            told={"pid": endpoint.pid},
        )
    base.create()
    done = subprocess.run(
        launch.command("indexer", "purge", *paths, "--base-dir", str(base.root)),
        capture_output=True, check=False, env=launch.environment(), cwd=base.root,
    )  # fmt: skip
    try:
        return Purged(**json.loads(done.stdout))
    except (ValueError, TypeError):
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        said = last.removeprefix("inkling: ").rstrip(".")
        raise InklingError(
            "It could not be taken out without a trace: {reason}.",
            hint="Free some space and try again; what was taken out by then stays out.",
            told={"reason": said or f"status {done.returncode}"},
        ) from None
