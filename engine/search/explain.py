"""Explain: where a file stands in each lane of a finished run, and what each feature adds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.search.features import Floats
from engine.search.ports import NameMatch
from engine.search.query_run import QueryRun

#: Keys under which scripts knew a feature before it had its present name.
FORMER_KEYS = {"term_coverage": "held", "proximity": "quoted"}


def explain(run: QueryRun, file_id: int) -> dict[str, object]:
    """By feature the file's rank among files and its best candidate's score, None where the lane
    tells nothing of it; so for the fused and the rescored score. `weights`; `shares`: of its best
    candidate's score, what each feature adds; `signals` of the question."""
    answer: dict[str, object] = {
        feature: _rank(run.candidates.file_ids, run.features.raw(feature), file_id)
        for feature in run.weights
    }
    answer["name"] = _name_rank(run.names, file_id)
    answer["fused"] = _rank(run.candidates.file_ids, run.fused, file_id)
    answer["rescored"] = _rank(run.candidates.file_ids, run.scores, file_id)
    weights = dict(run.weights)
    for now, former in FORMER_KEYS.items():
        if now in answer:
            answer[former], weights[former] = answer[now], weights[now]
    answer["weights"] = weights
    answer["shares"] = _shares(run, file_id)
    answer["signals"] = {name: round(value, 4) for name, value in run.signals.items()}
    return answer


def _shares(run: QueryRun, file_id: int) -> dict[str, float]:
    """The parts of a name, `name_…`, add to `name`."""
    places = [i for i, owner in enumerate(run.candidates.file_ids) if owner == file_id]
    if not places:
        return {}
    best = max(places, key=lambda i: run.scores[i])
    shares: dict[str, float] = {}
    for feature, weight in run.weights.items():
        whole = feature.partition("_")[0]
        row = whole if whole in run.weights else feature
        added = weight * float(run.features.value(feature)[best])
        shares[row] = round(shares.get(row, 0.0) + added, 4)
    return shares


def _name_rank(names: Sequence[NameMatch], file_id: int) -> dict[str, float] | None:
    """Among all files whose names answer, not only those considered."""
    for rank, match in enumerate(names, 1):
        if match.file.file_id == file_id:
            return {"rank": rank, "score": match.score}
    return None


def _rank(file_ids: Sequence[int], scores: Floats, file_id: int) -> dict[str, float] | None:
    best: dict[int, float] = {}
    for owner, score in zip(file_ids, scores.tolist(), strict=True):
        if not np.isnan(score):
            best[owner] = max(score, best.get(owner, score))
    if file_id not in best:
        return None
    rank = 1 + sum(score > best[file_id] for score in best.values())
    return {"rank": rank, "score": round(best[file_id], 4)}
