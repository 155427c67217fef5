"""`inkling serve`, `inkling team`: start the service in the foreground, which reads its options."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from contextlib import suppress

from engine.contract import launch
from engine.contract.paths import BaseDir


def run_service(command: str, rest: Sequence[str], base: BaseDir) -> int:
    """Until it ends; its exit status."""
    own = [] if rest[:1] == ["token"] else ["--base-dir", str(base.root)]
    process = subprocess.Popen(
        launch.command("indexer", command, *own, *rest), env=launch.environment()
    )
    while True:
        # Ctrl+C reaches it, too: it ends in order.
        with suppress(KeyboardInterrupt):
            return process.wait()
