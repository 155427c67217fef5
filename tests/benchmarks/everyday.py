"""Everyday questions: one to four words over the sample library, each looked up by hand.

    python -m tests.benchmarks.everyday [--base-dir DIR] [--failures]

`everyday.csv` says which files answer; of several any one will do. Prints hit@1, hit@3 and MRR of
each group, for the words stage (before the model has read the question) and in the end. --base-dir
keeps the index for the next run; --failures lists what is not first.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.contract.query import parse
from engine.engine import Engine
from tests.benchmarks.quality import index

QUESTIONS = Path(__file__).with_suffix(".csv")
LIBRARY = Path(__file__).resolve().parents[2] / "resources" / "sample" / "library"
STAGES = ("words", "rescored")


@dataclass(frozen=True)
class Everyday:
    """A question, and the files of which any one answers it, by the ends of their paths."""

    group: str
    question: str
    answers: tuple[str, ...]

    def rank(self, paths: Iterable[str]) -> int:
        """Of the first answer among these, counted from 1; 0 if none is there."""
        ends = tuple(f" {answer}" for answer in self.answers)
        for rank, path in enumerate(paths, 1):
            if f" {path.replace('/', ' ')}".endswith(ends):
                return rank
        return 0


def questions() -> list[Everyday]:
    """All of them."""
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [Everyday(r["group"], r["question"], tuple(r["answers"].split("|"))) for r in rows]


def ranks(engine: Engine, asked: Sequence[Everyday]) -> dict[str, list[int]]:
    """By stage the rank of each question's first answer; 0 if it is not among 20."""
    found: dict[str, list[int]] = {stage: [] for stage in STAGES}
    for question in asked:
        for answer in engine.search(parse(question.question)):
            if answer.stage in found:
                found[answer.stage].append(question.rank(hit.path for hit in answer.hits))
    return found


def figures(places: Sequence[int]) -> str:
    """hit@1, hit@3 and MRR."""
    means = (
        statistics.fmean(0 < place <= 1 for place in places),
        statistics.fmean(0 < place <= 3 for place in places),
        statistics.fmean(1 / place if place else 0.0 for place in places),
    )
    return "  ".join(f"{mean:.3f}" for mean in means)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--base-dir", type=Path, help="keep the index here for the next run")
    parser.add_argument("--failures", action="store_true", help="list what is not first")
    options = parser.parse_args()
    asked = questions()
    with tempfile.TemporaryDirectory(prefix="inkling-everyday-") as scratch:
        indexer, _ = index(LIBRARY, options.base_dir or Path(scratch) / "base")
        try:
            found = ranks(indexer.index.engine, asked)
        finally:
            indexer.close()
    print(f"{'':11s}    n  " + "  ".join(f"{s}: hit@1  hit@3    MRR" for s in STAGES))
    for group in (*dict.fromkeys(q.group for q in asked), ""):
        chosen = [i for i, q in enumerate(asked) if group in ("", q.group)]
        told = (
            "  ".join((" " * 7, figures([found[stage][i] for i in chosen]))) for stage in STAGES
        )
        print(f"{group or 'all':11s} {len(chosen):4d} " + "".join(told))
    if options.failures:
        for i, question in enumerate(asked):
            places = {stage: found[stage][i] for stage in STAGES}
            if places["rescored"] != 1:
                print(f"{question.group}: {question.question} -> {places}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
