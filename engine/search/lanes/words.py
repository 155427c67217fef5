"""The words lane: units that hold words of the query (BM25), how many of them the whole file holds,
and how many stand side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from engine.search.candidates import Candidates
from engine.search.context import QueryContext
from engine.search.features import Feature, Floats
from engine.search.lanes.lane import Lane, column
from engine.search.pools import files_first, more_files
from engine.search.term_matching import Proximity, sought_terms, term_coverage
from engine.store import Candidate, TextMatches, UnitStore
from engine.store.term_groups import Asked

#: Measured on the tuning sets: deeper pools change nDCG@10 by less than 0.002.
POOL = 100
#: Of these at most so many of one file, while there are other files.
OF_FILE = 3
#: Passages of the candidates' files that are looked through for the question's words.
MATCHES = 600


class Words(Lane):
    """Full text."""

    columns = (
        # BM25 has no scale of its own: it grows with the query's length and the corpus. The best of
        # those that hold next to nothing of the question (its language is another) is no good one.
        Feature(
            "text",
            0.1,
            relative=True,
            leaning={"best_exact_coverage": 0.2, "unreadable": 0.8, "code": -0.1, "digits": 0.2},
        ),
        Feature("term_coverage", 0.04),  # share of the question's words the whole file holds, 0..1
        # Share of the question that the file holds, other forms of its words as far as alike, 0..1.
        Feature("exact_coverage", 0.0),
        Feature("proximity", 0.05, leaning={"code": 0.05}),  # question words side by side, 0..1
    )
    stage = "words"

    def candidates(self, context: QueryContext) -> Sequence[Candidate]:
        asked, condition = context.expansion.asked, context.condition()
        store, copies = context.sources.store, context.copies

        def ask(size: int, without: Sequence[int]) -> Sequence[Candidate]:
            return store.search_text(asked, condition, size, without=without)

        pool = files_first(ask, POOL, OF_FILE, copies)
        if len(pool) < POOL:
            return pool
        return [*pool, *more_files(ask, pool, context.wanted, copies)]

    def features(self, context: QueryContext, candidates: Candidates) -> Mapping[str, Floats]:
        expansion = context.expansion
        owners = sorted({candidates.file_ids[i] for i in candidates.with_unit})
        proposed = context.proposals.get("text", ())
        words = expansion.words
        store = context.sources.store
        matches = _matches(store, expansion.asked, owners, proposed, sought_terms(words))
        weights = context.sources.word_weights.asked(words)
        chosen = set(candidates.unit_ids)
        inside = [match for match in matches.found if match.unit_id in chosen]
        # 0 for what only other lanes found would call a near miss no match (CoSQA 0.598 -> 0.608).
        bm25 = {match.unit_id: match.score for match in inside}
        bm25.update(context.scores_of("text"))
        covered = term_coverage(words, weights, matches)
        quotation = Proximity(words, weights)
        several = [uid for uid in quotation.possible(matches) if uid in chosen]
        near = {uid: quotation.of(t.split()) for uid, t in store.unit_terms(several).items()}
        pairs = list(zip(candidates.unit_ids, candidates.file_ids, strict=True))
        held = [covered.get(file_id) if unit_id else None for unit_id, file_id in pairs]
        return {
            "text": column([bm25.get(unit_id) for unit_id, _ in pairs]),
            "term_coverage": column([(c.share or None) if c else None for c in held]),
            "exact_coverage": column([(c.exact or None) if c else None for c in held]),
            "proximity": column([near.get(unit_id) or None for unit_id, _ in pairs]),
        }


def _matches(
    store: UnitStore,
    asked: Sequence[Asked],
    owners: Sequence[int],
    proposed: Iterable[Candidate],
    terms: Sequence[str],
) -> TextMatches:
    """The best passages of these files that hold any of what is asked, and of those proposed some
    of each: a long file takes no other's places."""
    matches = store.text_within(asked, owners, MATCHES, terms)
    told = len(matches.found)
    while told >= MATCHES:
        there = {match.file_id for match in matches.found}
        missing = sorted({c.file_id for c in proposed if c.file_id not in there})
        found = store.text_within(asked, missing, MATCHES, terms)
        matches, told = matches.with_more(found), len(found.found)
    return matches
