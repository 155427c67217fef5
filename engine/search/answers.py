"""Answers: from ranked files to what a person sees, with title, snippet and evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from os.path import basename
from pathlib import PurePath
from typing import cast

from msgspec import structs

from engine.contract.kinds import PIXEL_KINDS
from engine.contract.types import (
    Copy,
    Evidence,
    FileFacts,
    Hit,
    Lane,
    Location,
    Place,
    TextEvidence,
)
from engine.search import evidence
from engine.search.context import Proof, Proofs
from engine.search.copies import Copies, standing
from engine.search.late_interaction import directions
from engine.search.ports import NameMatch, SameContents
from engine.search.query_run import NAMES, QueryRun, RankedFile
from engine.search.raw_values import features_of
from engine.search.running_lines import running_lines
from engine.search.sentences import best_sentence, sentences
from engine.search.token_matches import TokenMatch
from engine.store import Row

#: Further places of the same file shown with a hit.
MORE_PLACES = 3
#: Of so many hits, likeliest first, the sentence is looked for that means what was asked. (48 hits
#: of a question take 12 ms of processor time, 7 without any sentence.)
MOST_SENTENCES = 20
_BEGIN = 4  # words by which two texts are told apart before all of them are compared
#: Copies listed with a hit.
MOST_COPIES = 20

#: The words of a unit that answer the query's.
Marked = Callable[[Row], Sequence[evidence.Match]]


def name_hits(names: Sequence[NameMatch], copies: Copies, limit: int) -> list[Hit]:
    """Files known by name only, before or without any content."""
    best: dict[int, NameMatch] = {}
    owners = copies.owners([match.file.file_id for match in names])
    for owner, match in zip(owners, names, strict=True):
        best.setdefault(owner, match)
    return [
        folded_hit(_name_hit(match, match.score), copies.of(match.file.file_id), names)
        for match in list(best.values())[:limit]
    ]


def _distinct(run: QueryRun, file: RankedFile) -> list[tuple[Row, float]]:
    """The file's best units with their scores, each text once: a page may be there twice."""
    known: list[tuple[Row, float]] = []
    said: dict[str, list[str]] = {}  # texts by how they begin: hardly ever is all of one compared
    for place in file.places:
        unit_id = run.candidates.unit_ids[place]
        row = run.candidates.rows.of([unit_id]).get(unit_id)
        if row is None:
            continue
        same = said.setdefault(_begins(row.text), [])
        if not same or not row.text.strip() or _words(row.text) not in map(_words, same):
            same.append(row.text)
            known.append((row, float(run.scores[place])))
        if len(known) > MORE_PLACES:
            break
    return known


def _begins(text: str) -> str:
    return " ".join(text.split(None, _BEGIN)[:_BEGIN]).casefold()


def _words(text: str) -> str:
    return " ".join(text.split()).casefold()


def folded_hit(hit: Hit, same: SameContents | None, names: Sequence[NameMatch] = ()) -> Hit:
    """A hit in one of several copies, as a hit of the one that stands for all."""
    if same is None:
        return hit
    stands = standing(same, names[:NAMES])
    others = [file for file in same.files if file is not stands]
    listed = tuple(Copy(f.path, f.kind, f.mtime, f.size) for f in others[:MOST_COPIES])
    hit = structs.replace(hit, copies=listed, copy_count=len(others))
    if stands.path == hit.path:
        return hit
    if PurePath(stands.path).suffix != PurePath(hit.path).suffix:
        # The same words in another format stand on other lines and pages.
        proof = tuple(e for e in hit.evidence if isinstance(e, TextEvidence))
        hit = structs.replace(hit, location=Location(), evidence=proof, more=())
    return structs.replace(
        hit,
        path=stands.path,
        title=basename(stands.path),
        kind=stands.kind,
        picture=stands.picture,
        mtime=stands.mtime,
        size=stands.size,
        attributes=dict(stands.attributes),
    )


def run_hits(
    run: QueryRun, ranked: Sequence[RankedFile], *, late_evidence: bool, raw: bool = False
) -> list[Hit]:
    """One hit for each of these files of a run, at its best unit; `raw`: with what it was ranked
    by."""
    candidates = run.candidates
    shown = [i for file in ranked for i in file.places[: MORE_PLACES + 1]]
    candidates.rows.of([candidates.unit_ids[i] for i in shown])  # all at once
    named = {match.file.file_id: match for match in run.names}
    found = run.found_by()
    features = features_of(run, ranked) if raw else None
    hits: list[Hit] = []
    for n, file in enumerate(ranked):
        known = _distinct(run, file)
        if known:
            lanes = tuple(
                cast("Lane", name) for name, told in found.items() if told[file.places[0]]
            )
            match = _token_match(run, known[0][0]) if late_evidence else None
            sentence = len(hits) < MOST_SENTENCES
            context = run.context
            hit = unit_hit(
                known, lanes, context.marked, match, sentence=sentence, proofs=context.proofs
            )
        elif file.file_id in named:
            hit = _name_hit(named[file.file_id], file.score)
        else:
            continue
        if features is not None:
            hit = structs.replace(hit, features=features[n])
        hits.append(folded_hit(hit, file.same, run.names))
    return hits


def place_hit(run: QueryRun, row: Row, score: float) -> Hit:
    """A file at this very unit, whether or not it is its best; no copy stands for it."""
    context = run.context
    places = [i for i, unit_id in enumerate(run.candidates.unit_ids) if unit_id == row.unit_id]
    told = run.found_by().items()
    lanes = tuple(cast("Lane", name) for name, found in told if places and found[places[0]])
    asked = context.asks_model and run.not_encoded is None
    match = _token_match(run, row) if asked else None
    return unit_hit([(row, score)], lanes, context.marked, match, sentence=True)


def _name_hit(match: NameMatch, score: float) -> Hit:
    """A file with nothing of its content, and why there is none."""
    hit = _hit(match.file, score, ("name",))
    return structs.replace(hit, state=match.state, reason=match.reason)


def _token_match(run: QueryRun, row: Row) -> TokenMatch | None:
    return run.context.tokens.of([row]).get(row.unit_id)


def unit_hit(
    ranked: Sequence[tuple[Row, float]],
    lanes: tuple[Lane, ...],
    marked: Marked,
    match: TokenMatch | None = None,
    *,
    sentence: bool = False,
    proofs: Proofs | None = None,
) -> Hit:
    """A file at its best unit; the others of its (row, score) are further places. `sentence`:
    whether the one that answers is looked for where the words do not. `proofs`: by words alone,
    for the next stage to find them made."""
    best, score = ranked[0]
    pages = [(row.page, row.text) for row, _ in ranked]
    known: Proofs = {} if proofs is None else proofs

    def by_words(row: Row) -> Proof:
        others = () if row.page is None else sorted(other.unit_id for other, _ in ranked)
        key = (row.unit_id, *others)
        if key not in known:
            known[key] = _prove(row, marked, pages)
        return known[key]

    if match is None:
        snippet, proof = by_words(best)
    else:
        snippet, proof = _prove(best, marked, pages, match, sentence=sentence)
    more = [Place(_location(row), by_words(row)[0], other) for row, other in ranked[1:]]
    return _hit(best.file, score, lanes, snippet, _location(best), tuple(proof), tuple(more))


def _prove(
    row: Row,
    marked: Marked,
    pages: Sequence[tuple[int | None, str]],
    match: TokenMatch | None = None,
    *,
    sentence: bool = False,
) -> Proof:
    """A snippet of the unit, and what in it, or on its page, answers the query; `pages`: number and
    text of the file's units, which tell what each page repeats."""
    if not row.text:  # a picture without text: the words it is known by
        return row.context, []
    own = running_lines(row.text, row.page, pages)
    matches = [*marked(row)]
    told = None if match is None or match.record.spans is None else match
    if told is not None and told.query_words:
        assert told.record.spans is not None
        matches += evidence.late_matches(
            row.text, told.similarities, told.record.spans, told.query_words, told.threshold
        )
    matches = [one for one in matches if own[0] <= one.start and one.end <= own[1]]
    meant = _sentence(row, matches, told, own) if sentence and told is not None else None
    start, end = evidence.snippet_window(row.text, _around(matches, meant), own)
    proof = evidence.text_evidence(matches, start, end)
    if meant is not None:
        low, high = max(meant[0], start), min(meant[1], end)
        proof.insert(0, TextEvidence(low - start, high - start))
    record = None if match is None else match.record
    if record is not None and record.word_spans is not None and record.word_boxes is not None:
        if meant is not None:
            proof += evidence.line_boxes(meant, record.word_spans, record.word_boxes, row.page)
        proof += evidence.box_evidence(matches, record.word_spans, record.word_boxes, row.page)
    return row.text[start:end], proof


def _sentence(
    row: Row, matches: Sequence[evidence.Match], told: TokenMatch, own: tuple[int, int]
) -> tuple[int, int] | None:
    """The sentence that means what is asked, where the words do not say it."""
    weights, spans = told.weights, told.record.spans
    if weights is None or spans is None or not told.query_words:
        return None
    if evidence.said_share(matches, told.query_words, weights.tolist()) >= evidence.HALF:
        return None
    # What is written in a picture, and a row of a table, ends with its line.
    by_line = row.kind == "code" or (row.page is None and row.kind in PIXEL_KINDS)
    found = sentences(row.text, *own, by_line=by_line or " | " in row.text)
    tokens = directions(told.record.tokens)
    return best_sentence(row.text, found, told.similarities, weights, tokens, spans)


def _around(
    matches: Sequence[evidence.Match], sentence: tuple[int, int] | None
) -> Sequence[evidence.Match]:
    """What a snippet is chosen for: the sentence, where there is one."""
    if sentence is None:
        return matches
    low, high = sentence
    return [evidence.Match(low, min(high, low + evidence.SNIPPET_CHARS // 2), "", 1.0)]


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
        title=basename(facts.path),
        snippet=snippet,
        location=location or Location(),
        evidence=proof,
        lanes=lanes,
        mtime=facts.mtime,
        size=facts.size,
        attributes=dict(facts.attributes),
        more=more,
    )
