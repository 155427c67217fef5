"""Fit the ranker of an encoder to judged questions, and say what each feature is worth.

    python -m engine.search.training.fit_ranker FEATURES.npz… --encoder ID [--without FEATURE]…
        [--ridge R] [--anew] [--out engine/search/fitted/ID.json]

FEATURES come from `python -m tests.benchmarks.ranker_data`, one file a set. Each set is left out in
turn: its figures come from weights that never saw it. The weights that are written come from all.
Fitting begins with the encoder's weights as they are fitted now, or with the rows of the lanes.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.search.ranker import Logistic, Ranker
from engine.search.training.answered import fit_answered, warned
from engine.search.training.judged import Judged, load
from engine.search.training.listwise import RIDGE, fit_weights
from engine.search.training.matching import cut, fit_matching

Sets = Mapping[str, Sequence[Judged]]
#: Questions a set is asked of its own, and names made from its files.
ANSWERABLE = ("own", "name")


def mean_ndcg(questions: Sequence[Judged], ranker: Ranker) -> float:
    """Mean nDCG@10."""
    return float(np.mean([q.ndcg(q.scores(ranker)) for q in questions]))


def left_out(sets: Sets, leave: str) -> Sets:
    """The others."""
    return {name: questions for name, questions in sets.items() if name != leave}


def report(
    sets: Sets, start: Ranker, without: Sequence[str], ridge: float
) -> dict[str, dict[str, float]]:
    """Print and give each set's figures, by weights that did not see it."""
    figures: dict[str, dict[str, float]] = {}
    print(f"{'set':24s} {'origin':8s} {'asked':>5s}  begun with  fitted, left out")
    for name, questions in sets.items():
        ranker = Ranker(fit_weights(left_out(sets, name), start, without, ridge))
        for origin in ANSWERABLE:
            mine = [q for q in questions if q.origin == origin]
            if not mine:
                continue
            before, after = mean_ndcg(mine, start), mean_ndcg(mine, ranker)
            figures.setdefault(name, {})[origin] = round(after, 4)
            print(
                f"{name:24s} {origin:8s} {len(mine):5d}  {before:10.4f}  {after:16.4f}", flush=True
            )
    return figures


def report_answered(sets: Sets) -> tuple[Logistic, dict[str, dict[str, float]]]:
    """Print and give how often a set's answerable and other questions are warned of."""
    figures = {}
    print(f"{'set':24s} warned of answerable, of others (left out)")
    for name, questions in sets.items():
        figures[name] = warned(fit_answered(left_out(sets, name)), questions)
        print(f"{name:24s} {figures[name]}", flush=True)
    return fit_answered(sets), figures


def report_matching(sets: Sets, start: Ranker, ridge: float) -> dict[str, dict[str, float]]:
    """Print and give which share of a set's right hits and of the others is called only similar."""
    figures = {}
    print(f"{'set':24s} only similar, of the right hits and of others (left out)")
    for name, questions in sets.items():
        others = left_out(sets, name)
        ranker = Ranker(fit_weights(others, start, (), ridge))
        figures[name] = cut(fit_matching(others, ranker), ranker, questions)
        print(f"{name:24s} {figures[name]}", flush=True)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("files", nargs="+", type=Path, metavar="FEATURES.npz")
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--without", action="append", default=[], metavar="FEATURE")
    parser.add_argument("--ridge", type=float, default=RIDGE)
    parser.add_argument("--anew", action="store_true", help="begin with the rows of the lanes")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    sets = {path.stem: load(path) for path in options.files}
    start = Ranker() if options.anew else Ranker.of(options.encoder)
    figures = report(sets, start, options.without, options.ridge)
    answered, warnings = report_answered(sets)
    similar = report_matching(sets, start, options.ridge)
    weights = fit_weights(sets, start, options.without, options.ridge)
    matching = fit_matching(sets, Ranker(weights))
    for feature, row in weights.items():
        print(
            f"{feature:16s}", " ".join(f"{signal} {weight:+.3f}" for signal, weight in row.items())
        )
    if options.out is not None:
        told: dict[str, Any] = {
            "encoder": options.encoder,
            "date": dt.date.today().isoformat(),
            "ndcg_at_10_left_out": figures,
            "warned_left_out": warnings,
            "only_similar_left_out": similar,
        }
        made = msgspec.json.format(
            msgspec.json.encode(Ranker(weights, answered, matching, told)), indent=1
        )
        options.out.write_bytes(made + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
