"""Rights of a team's archive: `python -m tests.benchmarks.team_rights [--cases 10000]`.

Archives of chance are asked by five accounts, call by call, beside archives of only the files that
each may read: every difference is a leak. `--cost`: what rights cost, in processor time, of one
archive that is asked as a whole and by an account that may read half of its classes.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from engine.contract.query import parse
from indexer.team.accounts import Tokens
from tests.indexer.team.archives import QUESTIONS, TEXTS, WORDS, Given, Known, Running
from tests.indexer.team.interference import ACCOUNTS, leaks


def main() -> None:
    """Both, or one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--askings", type=int, default=48, help="of each account and archive")
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--files", type=int, default=5_000)
    options = parser.parse_args()
    if options.cost:
        _cost(options.files)
    else:
        _compare(options.cases, options.seed, options.askings)


def _compare(cases: int, seed: int, askings: int) -> None:
    compared, found = 0, list[str]()
    while compared < cases:
        here, differing = leaks(seed, askings)
        compared, seed = compared + here, seed + 1
        found += differing
        print(f"{compared:,} calls, {len(found)} leaks", flush=True)
    print("\n".join(found[:5]))


def _cost(files: int) -> None:
    """The same files with and without classes: the asker may read all of them either way, so that
    both find the same."""
    random_ = random.Random(7)
    made = []
    for number in range(files):
        name = " ".join(random_.sample(WORDS, 3))
        path = f"/share/{random_.choice(WORDS)}/{number % 97}/{name} {number}.txt"
        texts = tuple(random_.sample(range(len(TEXTS)), 2))
        rights = frozenset({f"group:{number % 50}"})
        made.append(Given(path, "note", texts, rights))
    tokens = Tokens([Known(ACCOUNTS)])
    with tempfile.TemporaryDirectory() as folder:
        service = Running(Path(folder) / "many", made, tokens)
        one = [replace(given, rights=frozenset({"group:0"})) for given in made]
        single = Running(Path(folder) / "one", one, tokens)
        mine = frozenset(f"group:{number}" for number in range(50))
        views = {
            "everything": single.views.of_classes(None),  # type: ignore[arg-type]
            "50 classes": service.views.of_classes(service.names.classes_of(mine)),
            "1 class": single.views.of_classes(single.names.classes_of(mine)),
            "25 of 50": service.views.of_classes(
                service.names.classes_of(frozenset(f"group:{n}" for n in range(25)))
            ),
        }
        spent: dict[str, list[float]] = {name: [] for name in views}
        for round_ in range(12):
            for name, view in views.items():
                for question in QUESTIONS:
                    began = time.process_time()
                    list(view.searcher.search(parse(question), 20))
                    if round_ > 1:  # the first learn and fill what is kept
                        spent[name].append((time.process_time() - began) * 1000)
        whole = statistics.median(spent["everything"])
        for name, times in spent.items():
            median, mean = statistics.median(times), statistics.fmean(times)
            print(f"{name:12} {median:7.2f} ms median {mean:7.2f} mean {median / whole:5.2f} ×")
        service.close()
        single.close()


if __name__ == "__main__":
    main()
