"""Failing inputs by mechanism: is each found, first and by its words?

    python -m tests.benchmarks.cases DIR [--only WORD]

DIR holds folders of files and `CHECKS.tsv`: a question and the folder whose file must come first by
its words, a line. One indexer reads them all with the lightest model. Printed is what is not first
and why: who is first instead, and of the folder's files kind, state, reason and whether the text
that is kept of them holds the question's words.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from desktop.client import Client
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.store.analyzer import query_terms
from indexer.ledger.ledger import Ledger
from tests.benchmarks.family import running_indexer, wait_until_idle

MODEL = "minilm"


@dataclass(frozen=True)
class Check:
    """A question and the folder of the file that answers it."""

    query: str
    folder: str


def checks(folder: Path) -> list[Check]:
    """The rows of CHECKS.tsv, without its head."""
    with (folder / "CHECKS.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    return [Check(row[0], row[1]) for row in rows if len(row) > 1]


def failure(client: Client, folder: Path, check: Check) -> str:
    """Why a check does not hold, "" if it does."""
    *_, answer = client.search(check.query, limit=5)
    hits = answer["hits"]
    if not hits:
        return "no hits"
    inside = Path(hits[0]["path"]).is_relative_to(folder / check.folder)
    if inside and "text" in hits[0]["lanes"]:
        return ""
    if inside:
        return f"first, by {', '.join(hits[0]['lanes'])}"
    return f"first is {Path(hits[0]['path']).relative_to(folder)}"


def told(client: Client, ledger: Ledger, folder: Path, check: Check) -> list[str]:
    """What is known of the folder's files, a line each."""
    lines = []
    for record in ledger.files():
        if Path(record.path).is_relative_to(folder / check.folder):
            try:
                text = client.text(record.path)
            except InklingError as error:
                text = str(error)
            held = set(query_terms(text)).intersection(query_terms(check.query))
            why = ", ".join(filter(None, (record.state, record.kind, record.reason, record.detail)))
            lines.append(f"{Path(record.path).name}: {why}; {len(text)} characters, holds {held}")
    return lines


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="of folders whose name holds this")
    given = parser.parse_args()
    folder = given.folder.resolve()
    asked = [check for check in checks(folder) if given.only in check.folder]
    with tempfile.TemporaryDirectory(prefix="inkling-cases-") as temporary:
        base = BaseDir(Path(temporary)).create()
        settings = Settings.load(base)
        settings.model = MODEL
        settings.save()
        held = 0
        with running_indexer(base) as client:
            client.add([str(folder)])
            wait_until_idle(client)
            ledger = Ledger(base.ledger)
            for check in asked:
                if why := failure(client, folder, check):
                    print(f"{check.folder}: {check.query}: {why}")
                    for line in told(client, ledger, folder, check):
                        print(f"    {line}")
                else:
                    held += 1
    print(f"{held} of {len(asked)} first by their words")
    return held < len(asked)


if __name__ == "__main__":
    sys.exit(main())
