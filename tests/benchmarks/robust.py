"""Hostile and odd files through watching: each ends in a state, and nothing falls over.

    python -m tests.benchmarks.robust FOLDER

The files of FOLDER appear one after the other in a folder that a running indexer watches. Printed:
states and reasons, how often an extractor had to be replaced, the longest wait of a search
meanwhile, and files that are said to be done but are not found by a phrase of their own.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import tempfile
import time
from collections import Counter
from pathlib import Path

from desktop.client import Client, read_endpoint
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from indexer.ledger.ledger import Ledger
from tests.benchmarks.family import MemoryWatch, running_indexer, wait_until_idle


def copy_slowly(source: Path, target: Path, client: Client) -> tuple[int, float]:
    """Copy all files below `source`; how many, and the longest search meanwhile in seconds."""
    count, longest = 0, 0.0
    for folder, _, names in os.walk(os.fsencode(source)):
        inner = os.path.join(os.fsencode(target), os.path.relpath(folder, os.fsencode(source)))
        os.makedirs(inner, exist_ok=True)
        for name in names:
            shutil.copyfile(os.path.join(folder, name), os.path.join(inner, name))
            count += 1
            if count % 50 == 0:
                started = time.monotonic()
                for _ in client.search("the quick brown fox", limit=5):
                    pass
                longest = max(longest, time.monotonic() - started)
    return count, longest


def not_found(client: Client, ledger: Ledger, sample: int) -> list[str]:
    """Of a sample of the files that are done with units, those a phrase of their own misses."""
    done = [r for r in ledger.files() if r.state == "done" and r.units]
    lost = []
    for record in random.Random(5).sample(done, min(sample, len(done))):
        try:
            words = [w for w in client.text(record.path).split() if w.isascii() and w.isalpha()]
        except InklingError:
            lost.append(record.path)
            continue
        name = os.path.basename(record.path)
        query = f'"{" ".join(words[:2])}" in:{Path(record.path).parent.name}' if words else name
        *_, answer = client.search(query, limit=100)
        if words and record.path not in [hit["path"] for hit in answer["hits"]]:
            *_, answer = client.search(name, limit=50)
            if record.path not in [hit["path"] for hit in answer["hits"]]:
                lost.append(record.path)
    return lost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sample", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inkling-robust-") as temporary:
        watched = Path(temporary) / "watched"
        watched.mkdir()
        base = BaseDir(Path(temporary) / "base").create()
        with running_indexer(base) as client:
            endpoint = read_endpoint(base)
            assert endpoint is not None
            watch = MemoryWatch(endpoint.pid, 0.5)
            watch.start()
            client.add([str(watched)])
            wait_until_idle(client)
            started = time.monotonic()
            count, longest = copy_slowly(given.folder, watched, client)
            wait_until_idle(client)
            seconds = time.monotonic() - started
            watch.ended.set()
            status = client.status()
            same = read_endpoint(base)
            ledger = Ledger(base.ledger)
            states = Counter((r.state, r.reason) for r in ledger.files())
            seen = sum(states.values())
            lost = not_found(client, ledger, given.sample)
            ledger.close()
        print(f"{count} files, {seen} of them in the ledger, {seconds:.0f} s")
        for (state, reason), number in states.most_common():
            print(f"  {number:5d} {state} {reason}")
        print(f"the indexer {'went on' if same == endpoint else 'was started anew'}")
        print(f"extractors replaced: {status['reader_restarts']}; longest search {longest:.2f} s")
        print(f"highest resident: {watch.said()}")
        print(f"done but not found, of a sample: {len(lost)}", *lost[:10], sep="\n  ")


if __name__ == "__main__":
    main()
