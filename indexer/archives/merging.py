"""What archives answer, joined with this machine's answer as it comes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import structs

from engine.contract.types import Answer, Coverage
from engine.search.ranker import Ranker
from engine.search.union import union
from indexer.archives.asked import Asked
from indexer.archives.known import ArchiveError

#: What comes within this time of this machine's last stage is shown together.
TOGETHER_S = 0.15


def merged(
    local: Answer, asked: Asked, ranker: Ranker, limit: int, *, newest: bool
) -> Iterator[Answer]:
    """This machine's answer with those of archives that came by now, whenever one comes."""
    answers, errors = [local], list[ArchiveError]()
    for came in asked.arrivals(TOGETHER_S):
        for one in came:
            if one.error is not None:
                errors.append(one.error)
            elif one.answer is not None:
                answers.append(one.answer)
        joined = union(answers, ranker, limit, newest=newest)
        yield lean(structs.replace(joined, coverage=_without(local.coverage, errors)))


def _without(coverage: Coverage, errors: Sequence[ArchiveError]) -> Coverage:
    """As it was, and which archives are not in the answer."""
    if not errors:
        return coverage
    said = " ".join([coverage.message, *(error.message for error in errors)]).strip()
    away = {error.name: error.fault for error in errors}
    return structs.replace(coverage, complete=False, message=said, away=away)


def lean(answer: Answer) -> Answer:
    """Without what was needed to join it."""
    if answer.statistics is None and not any(hit.features for hit in answer.hits):
        return answer
    hits = tuple(structs.replace(hit, features={}, content="") for hit in answer.hits)
    return structs.replace(answer, hits=hits, statistics=None)
