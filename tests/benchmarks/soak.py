"""A long run: memory over time, growth of the index over many edits, search while it works.

    python -m tests.benchmarks.soak [--minutes 10] [--edits 10000] [--files 400]

A real indexer watches a folder of notes. First it rests, is asked, and single edits are timed until
they are found; then it is asked while files are edited all the time. At the end the index is
compared in size with a fresh one of the same folder, and the processes are looked at when they
have had nothing to do for a while.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path

import psutil

from desktop.client import Client, read_endpoint
from engine.contract.paths import BaseDir
from tests.benchmarks.family import (
    MemoryWatch,
    in_words,
    resident,
    running_indexer,
    wait_until_idle,
)
from tests.end_to_end.truth import Unrest

QUESTIONS = ["the old bridge over the river", "copper lantern", "winter harvest in the orchard",
             "thunder", "letter about the cellar", "violin and salt"]  # fmt: skip


def ask(client: Client, number: int) -> float:
    """Milliseconds until the rescored answer to one of many different questions."""
    words = random.Random(number).sample(" ".join(QUESTIONS).split(), 3)
    started = time.perf_counter()
    for _ in client.search(" ".join(words), limit=20):
        pass
    return (time.perf_counter() - started) * 1000


def seconds_until(client: Client, phrase: str, there: bool) -> float:
    """Until an exact phrase is found, or is found no more."""
    started = time.perf_counter()
    while True:
        *_, answer = client.search(f'"{phrase}"', limit=3)
        if bool(answer["hits"]) == there:
            return time.perf_counter() - started
        time.sleep(0.02)


def freshness(folder: Path, client: Client, times: int = 10) -> None:
    """How soon an edit is found, and how soon a deleted file is not; the indexer has no work."""
    found, gone = [], []
    path = folder / "fresh.txt"
    for number in range(times):
        for word in ("umbrella", "xylophone"):  # made, then edited
            path.write_text(f"{word} number {number}\n")
            found.append(seconds_until(client, f"{word} number {number}", True))
            wait_until_idle(client)
        path.unlink()
        gone.append(seconds_until(client, f"xylophone number {number}", False))
        wait_until_idle(client)
    print(f"an edit is found after {statistics.median(found):.2f} s, at most {max(found):.2f}")
    print(f"a deleted file is gone after {statistics.median(gone):.2f} s, at most {max(gone):.2f}")


def edit(unrest: Unrest, client: Client, edits: int, seconds: float) -> list[float]:
    """Rewrite random files evenly over the time; latencies of a question a second."""
    files = sorted(unrest.folder.rglob("*.txt"))
    chance = random.Random(7)
    started, done, asked = time.monotonic(), 0, 0
    times = []
    while (passed := time.monotonic() - started) < seconds or done < edits:
        due = min(edits, int(edits * passed / seconds) + 1)
        while done < due:
            chance.choice(files).write_text(unrest.text())
            done += 1
        if passed > asked:
            times.append(ask(client, asked))
            asked += 1
        time.sleep(0.01)
    return times


def size_of_a_fresh_index(folder: Path, base: BaseDir) -> int:
    with running_indexer(base) as client:
        client.add([str(folder)])
        wait_until_idle(client)
        return int(client.status()["index_bytes"])


def at_rest(pid: int, seconds: float) -> None:
    """Memory and processor time of all processes after a while without work."""
    time.sleep(90.0)  # the encoder is let go after a minute
    family = psutil.Process(pid)

    def processor() -> float:
        members = (family, *family.children(recursive=True))
        return sum(sum(p.cpu_times()[:2]) for p in members)

    before = processor()
    time.sleep(seconds)
    used = (processor() - before) / seconds
    print(f"at rest: {used:.1%} of a core; {in_words(resident(pid))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--edits", type=int, default=10_000)
    parser.add_argument("--files", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="inkling-soak-") as temporary:
        unrest = Unrest(Path(temporary) / "notes", seed=11)
        unrest.create(given.files)
        base = BaseDir(Path(temporary) / "base").create()
        with running_indexer(base) as client:
            endpoint = read_endpoint(base)
            assert endpoint is not None
            watch = MemoryWatch(endpoint.pid, 1.0)
            watch.start()
            client.add([str(unrest.folder)])
            wait_until_idle(client)
            freshness(unrest.folder, client)
            idle = [ask(client, -n) for n in range(1, 61)][10:]
            busy = edit(unrest, client, given.edits, given.minutes * 60)
            wait_until_idle(client)
            watch.ended.set()
            print(f"{given.edits} edits of {given.files} files in {given.minutes:.0f} minutes")
            rest, work = statistics.median(idle), statistics.median(busy)
            print(f"search: median at rest {rest:.0f} ms, during edits {work:.0f} ms", end="")
            print(f", {work / rest:.2f} times")
            every = max(1, len(watch.line) // 10)
            for seconds, memory in watch.line[every - 1 :: every]:
                print(f"  {seconds / 60:5.1f} min  {in_words(memory)}")
            print(f"highest resident: {watch.said()}")
            at_rest(endpoint.pid, 20.0)
            grown = int(client.status()["index_bytes"])
        fresh = size_of_a_fresh_index(unrest.folder, BaseDir(Path(temporary) / "fresh").create())
        print(f"index {grown / 1e6:.1f} MB, fresh {fresh / 1e6:.1f} MB: {grown / fresh:.2f} times")


if __name__ == "__main__":
    main()
