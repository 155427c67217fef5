"""Alternatives: the answers to the questions that one with OR stands for, as one answer."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from engine.contract.types import Answer, Hit


def best_of(answers: Sequence[Answer], limit: int) -> Answer:
    """One answer of a stage: each file by its best score in any of them, best first."""
    best: dict[str, Hit] = {}
    for hit in (hit for answer in answers for hit in answer.hits):
        if hit.path not in best or hit.score > best[hit.path].score:
            best[hit.path] = hit
    hits = _folded(sorted(best.values(), key=lambda hit: -hit.score))[:limit]
    relaxed = dict.fromkeys(answer.pattern_relaxed for answer in answers if answer.pattern_relaxed)
    weak = all(answer.weak for answer in answers)
    told = [answer for answer in answers if answer.matches is not None]
    match = {hit.path for answer in told for hit in answer.hits[: answer.matches]}
    last = max((n for n, hit in enumerate(hits, 1) if hit.path in match), default=0)
    spelt = dict.fromkeys(answer.spelling for answer in answers if answer.spelling)
    said = [answer.coverage for answer in answers if answer.coverage.message]
    return structs.replace(
        answers[-1],
        hits=tuple(hits),
        took_ms=max(answer.took_ms for answer in answers),
        weak=weak,
        phrase_relaxed=any(answer.phrase_relaxed for answer in answers),
        coverage=said[0] if said else answers[-1].coverage,
        spelling=", ".join(spelt),
        pattern_relaxed=" ".join(relaxed),
        matches=last if len(told) == len(answers) else None,
        statistics=None,  # of each question others
    )


def _folded(hits: Sequence[Hit]) -> list[Hit]:
    """Without those for which a better one stands: each alternative's name may choose another."""
    kept: list[Hit] = []
    stood_for: set[str] = set()
    for hit in hits:
        if hit.path not in stood_for:
            kept.append(hit)
            stood_for.update(copy.path for copy in hit.copies)
    return kept
