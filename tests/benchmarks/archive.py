"""What a put of 100 files costs by the size of the archive, in processor time.

python -m tests.benchmarks.archive [--units 200000] [--puts 20]: fills an archive in a temporary
folder with files of two units, and compares its first puts with its last, new files and changed.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from statistics import median

from engine.archive import Archive
from tests.archives import SPEC, Entry, entry

FILES, UNITS = 100, 2


def put(archive: Archive, name: str, word: str = "apple") -> float:
    """Processor milliseconds of one put."""
    files = entries(archive, name, FILES, word)
    started = time.process_time()
    archive.put(files)
    return (time.process_time() - started) * 1000


def entries(archive: Archive, name: str, count: int, word: str = "apple") -> list[Entry]:
    """Files that are called by a name and a number."""
    return [entry(archive, f"{name}-{i}", UNITS, word=word) for i in range(count)]


def main() -> None:
    """See above."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--units", type=int, default=200_000)
    parser.add_argument("--puts", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = Archive.create(Path(folder, "archive"), "x", SPEC)
        first = median(put(archive, f"first{i}") for i in range(options.puts))
        at_once = 5_000
        for start in range(0, options.units // UNITS, at_once):
            archive.put(entries(archive, f"bulk{start}", at_once))
        new = median(put(archive, f"new{i}") for i in range(options.puts))
        changed = median(put(archive, f"new{i}", "pear") for i in range(options.puts))
        started = time.process_time()
        told = len(archive.changes(archive.commit - 1).files)
        changes = (time.process_time() - started) * 1000
        units = archive._units.count()
        print(f"{units} units: new {new:.0f} ms, changed {changed:.0f}; empty {first:.0f}")
        print(f"new / empty {new / first:.2f}, changed / empty {changed / first:.2f}")
        print(f"the changes of one commit ({told} files): {changes:.0f} ms")


if __name__ == "__main__":
    main()
