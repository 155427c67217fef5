"""The demo: indexes the sample library in a temporary place and answers five questions."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from importlib import resources
from pathlib import Path

from rich.markup import escape

from desktop.client import Client
from desktop.presentation.kinds import WITH_ACTION
from desktop.terminal import output
from engine.contract.paths import BaseDir


def run_demo() -> int:
    """Index, ask, stop; 0 if every question found its file among the first three hits."""
    sample = Path(str(resources.files("resources"))) / "sample"
    # An end that is asked for still stops the indexer and removes what it made.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="inkling-demo-") as folder:
        base = BaseDir(Path(folder)).create()
        client = Client.connect(base)
        try:
            client.add([str(sample / "library")])
            output.show_progress(client)
            found = [_ask(client, row, sample) for row in _questions(sample)]
        finally:
            client.stop()
            _wait_until_gone(base)
    output.console.print(f"\n{sum(found)} of {len(found)} questions answered.")
    return 0 if all(found) else 1


def _questions(sample: Path) -> list[dict[str, str]]:
    """The first question of each kind that the window has an action for."""
    kinds = [row.id for row in WITH_ACTION]
    rows = [json.loads(line) for line in (sample / "questions.jsonl").read_text().splitlines()]
    chosen = (next(r for r in rows if r["path"] and r["kind"] == kind) for kind in kinds)
    return list(chosen)


def _ask(client: Client, row: dict[str, str], sample: Path) -> bool:
    output.console.print(f"\n[bold cyan]{escape(row['query'])}[/]")
    *_, answer = client.search(row["query"], limit=3)
    output.show_answer(answer)
    wanted = str(sample / "library" / row["path"])
    return any(hit["path"] == wanted for hit in answer["hits"])


def _wait_until_gone(base: BaseDir) -> None:
    """Until the indexer has let go of its folder, which is about to be deleted."""
    from filelock import FileLock

    with FileLock(base.lock, timeout=60):
        pass
