"""Rescan of an unchanged tree against `find` with the same stat calls; names lane, too.

    python -m tests.benchmarks.rescan [--files 100000] [--rounds 7]

Both walk the same tree by turns, so that a busy machine slows both alike. Wall and processor time
are medians; the file system's cache is warm for both.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from indexer.ledger.ledger import Ledger
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import scan_root

WORDS = [
    "alpha", "budget", "client", "draft", "final", "gamma", "img", "index", "invoice", "main",
    "meeting", "model", "notes", "photo", "quarterly", "report", "scan", "server", "test", "view",
]  # fmt: skip
ENDINGS = ["py", "js", "md", "txt", "png", "jpg", "pdf", "html", "json", "rs", "go", "docx"]
QUERIES = [
    "report", "invoice 17", "quarterly report", "img 2041", "notes_final", "main py",
    "the budget of the meeting", "xyzzy", "d399", "photo_view12_3.png",
]  # fmt: skip


def make_tree(root: Path, files: int) -> None:
    """Folders of 25 files, three deep, with some ignore files as repositories have them."""
    chance = random.Random(1)
    for number in range(files // 25):
        folder = root / chance.choice(WORDS) / f"{chance.choice(WORDS)}{number % 97}" / f"d{number}"
        folder.mkdir(parents=True)
        for inner in range(25):
            name = f"{chance.choice(WORDS)}_{chance.choice(WORDS)}{number}_{inner}"
            (folder / f"{name}.{chance.choice(ENDINGS)}").write_bytes(b"x" * (1 + number % 7))
        if number % 40 == 0:
            (folder.parent / ".gitignore").write_text("*.log\nbuild/\n/out/*.bin\n*.py[cod]\n")


def timed_find(root: Path) -> tuple[float, float]:
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        ["find", str(root), "-printf", "%s %T@ %i\n"], stdout=subprocess.DEVNULL, check=True
    )
    wall, after = time.perf_counter() - begin, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


def timed_scan(ledger: Ledger) -> tuple[float, float]:
    begin, processor = time.perf_counter(), time.process_time()
    result = scan_root(ledger, ledger.roots()[0], IgnoreRules())
    assert (result.added, result.changed, result.removed) == ([], [], [])
    return time.perf_counter() - begin, time.process_time() - processor


def rescan(ledger: Ledger, root: Path, rounds: int) -> None:
    finds, scans = [], []
    for _ in range(rounds):
        finds.append(timed_find(root))
        scans.append(timed_scan(ledger))
    for index, name in enumerate(("wall", "processor")):
        find = statistics.median(row[index] for row in finds)
        scan = statistics.median(row[index] for row in scans)
        print(f"{name:10} find {find:.3f} s   rescan {scan:.3f} s   ratio {scan / find:.2f}")


def names(ledger: Ledger) -> None:
    for query in QUERIES:
        times = []
        for _ in range(9):
            begin = time.process_time()
            hits = ledger.find_names(query.split(), 20)
            times.append(time.process_time() - begin)
        print(f"names      {statistics.median(times) * 1e3:6.1f} ms  {len(hits):2} hits  {query}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="inkling-rescan-"))
    try:
        root = base / "tree"
        (base / "state").mkdir()
        make_tree(root, chosen.files)
        ledger = Ledger(base / "state" / "ledger.sqlite")
        ledger.add_root(root)
        begin, processor = time.perf_counter(), time.process_time()
        added = scan_root(ledger, ledger.roots()[0], IgnoreRules()).added
        print(
            f"first      {time.perf_counter() - begin:.1f} s wall, "
            f"{time.process_time() - processor:.1f} s processor for {len(added)} files"
        )
        rescan(ledger, root, chosen.rounds)
        names(ledger)
        ledger.close()
        size = os.path.getsize(base / "state" / "ledger.sqlite")
        begin = time.perf_counter()
        Ledger(base / "state" / "ledger.sqlite").close()
        print(f"open       {time.perf_counter() - begin:.2f} s for {size / 1e6:.0f} MB")
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    main()
