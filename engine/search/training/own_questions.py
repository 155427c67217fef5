"""A person's own judged questions: how well they are answered, and a ranker fitted to them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np

from engine.contract.errors import InklingError
from engine.contract.judgements import Judgement
from engine.search.query_run import QueryRun
from engine.search.ranker import Ranker
from engine.search.training.judged import Judged

#: Fewer tell nothing; and so many parts, each of which the others' fit is tried on.
FEWEST, PARTS = 8, 4
#: A person judges tens of questions, not thousands: weights are drawn to the shipped ones more.
RIDGE = 1.0


def judged(run: QueryRun, question: str, said: Sequence[Judgement]) -> Judged:
    """A finished run, and what was said of its answers, one of which at least is right: the pages
    that answer, or the files where not every answer names its page. What nothing was said of is no
    answer."""
    found = run.candidates
    rows = found.rows.of(found.unit_ids)
    named = {match.file.file_id: match.file.path for match in run.names}
    right = [one for one in said if one.right]
    by_page = all(one.page is not None for one in right)
    wanted = {one.label if by_page else one.path for one in right}
    labels = []
    for unit_id, file_id in zip(found.unit_ids, found.file_ids, strict=True):
        row = rows.get(unit_id)
        path = named.get(file_id, "") if row is None else row.file.path
        labels.append(f"{path}#{row.page}" if by_page and row is not None else path)
    known: dict[str, int] = {}
    rescored = np.zeros(len(labels), np.bool_)
    rescored[run.rescored] = True
    return Judged(
        question,
        "own",
        run.features,
        np.array([label in wanted for label in labels], np.int8),
        np.array([known.setdefault(label, len(known)) for label in labels], np.int32),
        rescored,
        dict(run.signals),
        [1] * min(len(wanted), 10),
    )


def figures(questions: Sequence[Judged], ranker: Ranker) -> tuple[float, float]:
    """Mean nDCG@10, and the share of questions with a right answer among the first ten."""
    scores = [q.scores(ranker) for q in questions]
    pairs = list(zip(questions, scores, strict=True))
    ndcg = np.mean([q.ndcg(told) for q, told in pairs])
    hits = np.mean([any(q.first_grades(told)) for q, told in pairs])
    return float(ndcg), float(hits)


def refitted(questions: Sequence[Judged], start: Ranker) -> tuple[Ranker, tuple[float, float]]:
    """A ranker fitted to all of them, and the figures of fits that did not see what they are tried
    on. InklingError where that can't be done."""
    usable = [q for q in questions if q.grades.any()]
    if len(usable) < FEWEST:
        raise InklingError(
            "Of your questions {usable} have an answer that was found; fitting takes {fewest}.",
            hint="Judge more: `inkling judge QUESTION FILE`.",
            told={"usable": len(usable), "fewest": FEWEST},
        )
    try:
        from engine.search.training.listwise import fit_weights  # takes torch
    except ImportError as error:
        raise InklingError(
            "Fitting takes libraries that are not installed: {names}.",
            hint="Any model that is downloaded brings them: `inkling model list`.",
            told={"names": error.name or "torch"},
        ) from error

    def fit(some: Sequence[Judged]) -> Ranker:
        weights = fit_weights({"own": some}, start, ridge=RIDGE)
        return Ranker(weights, start.answered, start.matching)

    seen: list[tuple[float, float]] = []
    for part in range(PARTS):
        mine = [q for n, q in enumerate(questions) if n % PARTS == part]
        others = [q for n, q in enumerate(questions) if n % PARTS != part and q.grades.any()]
        ranker = fit(others) if others else start
        seen += [figures([q], ranker) for q in mine]
    ndcg, hits = np.mean(seen, axis=0).tolist()
    ranker = fit(usable)
    told = {
        "fitted to": "a person's own questions",
        "questions": len(usable),
        "date": dt.date.today().isoformat(),
        "ndcg_at_10_left_out": round(ndcg, 4),
    }
    return Ranker(ranker.weights, start.answered, start.matching, told), (ndcg, hits)
