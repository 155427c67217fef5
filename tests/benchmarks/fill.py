"""Filling an archive over Ray beside one process: the same archive, in what part of the time; and
the same archive after workers, actors and drivers were killed at random.

    python -m tests.benchmarks.fill [--files 2000] [--kills 20] [--seed 1]

The one process encodes with one thread, as each of Ray's workers does. Wall times count where
nothing else runs; the load before each run is printed.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from tests.conftest import SAMPLE
from tests.indexer.archiving.archives import actors, contents, differences, started

WORDS = (SAMPLE / "README.md").read_text(encoding="utf-8").split()
FORMS = {
    "md": "# {0}\n\n{1}\n\n## {2}\n\n{3}\n",
    "txt": "{0}\n{1}\n{3}\n",
    "py": 'def {2}(value):\n    """{1}"""\n    return value\n\n\nclass {0}:\n    """{3}"""\n',
    "html": "<html><head><title>{0}</title></head><body><p>{1}</p><p>{3}</p></body></html>",
    "csv": "name,text\n{0},{1}\n{2},{3}\n",
}


def library(folder: Path, files: int, seed: int, sample: bool) -> None:
    """The sample library, and made texts of several forms and lengths."""
    chance = random.Random(seed)
    if sample:
        shutil.copytree(SAMPLE / "library", folder / "library")
    there = sum(path.is_file() for path in folder.rglob("*"))
    for number in range(files - there):
        ending = chance.choice([*FORMS])
        said = [" ".join(chance.choices(WORDS, k=chance.randint(20, 160))) for _ in range(2)]
        names = ["".join(c for c in chance.choice(WORDS) if c.isalpha()) or "x" for _ in range(2)]
        path = folder / f"{number % 40:02}" / f"{names[0]}-{number}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        text = FORMS[ending].format(names[0], said[0], names[1], said[1])
        path.write_text(text, encoding="utf-8")


def timed(base: BaseDir, uri: Path, folder: Path, *, ray: bool) -> float:
    load = os.getloadavg()[0]
    began = time.perf_counter()
    process = started(base, uri, folder, ray=ray, stdout=subprocess.PIPE)
    out, _ = process.communicate()
    seconds = time.perf_counter() - began
    print(f"{'Ray' if ray else 'one process'}: {seconds:.1f} s, load before {load:.1f}")
    print(*(f"    {line}" for line in out.decode().splitlines()[-6:]), sep="\n")
    return seconds


def kill_one(base: BaseDir, uri: Path, folder: Path, chance: random.Random) -> str:
    """Start a fill over Ray, and end a part of it at a random moment; which one."""
    process = started(base, uri, folder, ray=True, stdout=subprocess.DEVNULL)
    while process.poll() is None and not actors(process):
        time.sleep(0.05)
    time.sleep(chance.uniform(0.0, 6.0))
    kind = chance.choice(["driver", "actor", "worker"])
    try:
        below = psutil.Process(process.pid).children(recursive=True)
        if kind == "driver":
            victims = [psutil.Process(process.pid)]
        elif kind == "actor":
            victims = actors(process)
        else:  # what an actor has started: extractors and encoders
            victims = [p for p in below if "engine/contract/start.py" in " ".join(p.cmdline())]
            victims = [p for p in victims if p.pid != process.pid and "fill" not in p.cmdline()]
        chance.choice(victims).kill()
    except (psutil.Error, IndexError):
        kind = f"{kind} (had ended)"
    process.wait()
    for child in psutil.wait_procs(below, timeout=60)[1] if kind == "driver" else []:
        print(f"    lives on: {child}")
    return f"{kind}, status {process.returncode}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2_000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    place = Path(tempfile.mkdtemp(prefix="fill-"))
    base = BaseDir(place / "base").create()
    settings = Settings.load(base)
    settings.encoder_threads = 1
    settings.save()
    if options.files:
        folder = place / "files"
        library(folder, options.files, options.seed, sample=True)
        one = timed(base, place / "one", folder, ray=False)
        two = timed(base, place / "two", folder, ray=True)
        apart = differences(contents(place / "one"), contents(place / "two"))
        print(f"Ratio {two / one:.2f}; differences: {apart[:5] or 'none'}")
    if options.kills:
        folder, chance = place / "few", random.Random(options.seed)
        library(folder, 150, options.seed, sample=False)
        started(base, place / "whole", folder, stdout=subprocess.DEVNULL).wait()
        whole = contents(place / "whole")
        equal = 0
        for number in range(options.kills):
            uri = place / f"killed{number}"
            said = kill_one(base, uri, folder, chance)
            started(base, uri, folder, stdout=subprocess.DEVNULL).wait()
            apart = differences(whole, contents(uri))
            equal += not apart
            print(f"{number + 1}: {said}; {apart[:3] or 'equal'}", flush=True)
            shutil.rmtree(uri)
        print(f"{equal} of {options.kills} equal")
    shutil.rmtree(place)


if __name__ == "__main__":
    main()
