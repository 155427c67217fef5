"""Answers: from ranked files to what a person sees, with title, snippet and evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import cast

from msgspec import structs

from engine.contract.types import Evidence, FileFacts, Hit, Lane, Location, Place
from engine.search import evidence
from engine.search.ports import NameMatch
from engine.search.query_run import QueryRun
from engine.search.token_matches import TokenMatch
from engine.store import Row

#: Further places of the same file shown with a hit.
MORE_PLACES = 3

Proof = Callable[[Row], TokenMatch | None]


def name_hits(names: Iterable[NameMatch]) -> list[Hit]:
    """Files known by name only, before or without any content."""
    return [_name_hit(match, match.score) for match in names]


def run_hits(run: QueryRun, limit: int, *, late_evidence: bool) -> list[Hit]:
    """One hit for each of the best files of a run, at its best unit."""
    candidates = run.candidates
    ranked = run.ranked_files(limit)
    shown = [(file, file.places[: MORE_PLACES + 1]) for file in ranked]
    rows = candidates.rows.of([candidates.unit_ids[i] for _, places in shown for i in places])
    named = {match.file.file_id: match for match in run.names}
    marks = run.context.expansion.marks()
    hits = []
    for file, places in shown:
        known = [
            (row, float(run.scores[i]))
            for i in places
            if (row := rows.get(candidates.unit_ids[i])) is not None
        ]
        if known:
            lanes = cast("tuple[Lane, ...]", tuple(run.lanes_of(places[0])))
            match = _token_match(run, known[0][0]) if late_evidence else None
            hits.append(unit_hit(known, lanes, run.query.text, match, marks))
        elif file.file_id in named:
            hits.append(_name_hit(named[file.file_id], file.score))
    return hits


def _name_hit(match: NameMatch, score: float) -> Hit:
    """A file with nothing of its content, and why there is none."""
    hit = _hit(match.file, score, ("name",))
    return structs.replace(hit, state=match.state, reason=match.reason)


def _token_match(run: QueryRun, row: Row) -> TokenMatch | None:
    return run.context.tokens.of([row]).get(row.unit_id)


def unit_hit(
    ranked: Sequence[tuple[Row, float]],
    lanes: tuple[Lane, ...],
    query_text: str,
    match: TokenMatch | None = None,
    marks: Mapping[str, str] | None = None,
) -> Hit:
    """A file at its best unit; the others of its (row, score) are further places. `marks`: by term
    the word of the query that it stands for."""
    best, score = ranked[0]
    snippet, proof = _prove(best, query_text, match, marks)
    more = [
        Place(_location(row), _prove(row, query_text, None, marks)[0], other)
        for row, other in ranked[1:]
    ]
    return _hit(best.file, score, lanes, snippet, _location(best), tuple(proof), tuple(more))


def _prove(
    row: Row,
    query_text: str,
    match: TokenMatch | None,
    marks: Mapping[str, str] | None,
) -> tuple[str, list[Evidence]]:
    """A snippet of the unit, and what in it, or on its page, answers the query."""
    matches = evidence.word_matches(row.text, query_text, marks)
    record = None if match is None else match.record
    if match is not None and match.record.spans is not None and match.query_words:
        matches += evidence.late_matches(match.similarities, match.record.spans, match.query_words)
    start, end = evidence.snippet_window(row.text, matches)
    proof = evidence.text_evidence(matches, start, end)
    if record is not None and record.word_spans is not None and record.word_boxes is not None:
        proof += evidence.box_evidence(matches, record.word_spans, record.word_boxes, row.page)
    return row.text[start:end], proof


def _location(row: Row) -> Location:
    return Location(row.page, row.lines, row.symbol)


def _hit(
    facts: FileFacts,
    score: float,
    lanes: tuple[Lane, ...],
    snippet: str = "",
    location: Location | None = None,
    proof: tuple[Evidence, ...] = (),
    more: tuple[Place, ...] = (),
) -> Hit:
    return Hit(
        path=facts.path,
        kind=facts.kind,
        picture=facts.picture,
        score=round(score, 5),
        title=PurePath(facts.path).name,
        snippet=snippet,
        location=location or Location(),
        evidence=proof,
        lanes=lanes,
        mtime=facts.mtime,
        size=facts.size,
        attributes=dict(facts.attributes),
        more=more,
    )
