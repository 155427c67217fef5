"""Search: lanes, fusion, late interaction, grouping by file, evidence; in stages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Adapter, Answer, Encoding, FileFacts, Filters, Hit, Lane, Query
from engine.encoders.pool import EncoderPool
from engine.models.registry import ModelSpec
from engine.search import fusion
from engine.search.answers import HitMaker
from engine.search.evidence import words_of_tokens
from engine.search.late_interaction import maxsim
from engine.search.word_weights import WordWeights
from engine.search.wording import asked_words, quoted, shares_held
from engine.store import Candidate, Row, Store, build_where
from engine.store.analyzer import query_terms

#: Candidates from each lane, and how many of the fused ones are rescored. Measured on the tuning
#: sets: deeper pools change nDCG@10 by less than 0.002.
POOL = 100
RESCORED = 60
NAME_POOL = 40
#: Passages of the candidates' files that are looked through for the question's words.
MATCHES = 600
#: Words beside its quotations that make a question a sentence: in `"exact phrase" word` the
#: quotation marks are meant.
SENTENCE = 3


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A file whose name or folders carry words of the query; score 0..1."""

    file: FileFacts
    score: float


class NameLane(Protocol):
    """The names lane: the ledger's, or none."""

    def __call__(self, words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        """Best first; with no words the newest files that the filters allow."""


@dataclass(slots=True)
class Candidates:
    """Units under consideration, one row each, with the raw score of every lane."""

    unit_ids: list[str]
    file_ids: list[int]
    lanes: dict[str, set[Lane]]
    scores: fusion.LaneScores
    fused: fusion.Floats
    rows: Mapping[str, Row] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A query as the model sees it: one encoding for each adapter in play."""

    by_adapter: Mapping[Adapter, Encoding]

    @property
    def pieces(self) -> int:
        """Tokens that stand for typed words."""
        spans = next(iter(self.by_adapter.values())).spans if self.by_adapter else None
        return 0 if spans is None else int((spans[:, 0] >= 0).sum())


@dataclass(frozen=True, slots=True)
class Words:
    """The question's words in the candidates and their files; what is not there holds none."""

    bm25: dict[str, float]  # by unit
    held: Mapping[int, float]  # by file, 0..1
    quoted: Mapping[str, float]  # by unit, 0..1


class Searcher:
    """Answers queries over one store with one model."""

    def __init__(
        self,
        store: Store,
        encoders: EncoderPool,
        spec: ModelSpec,
        names: NameLane,
        *,
        alive: Callable[[int], bool] = lambda file_id: True,
    ) -> None:
        self._store = store
        self._encoders = encoders
        self._spec = spec
        self._names = names
        self._alive = alive  # False for a file removed a moment ago: no ghosts
        self._weights_of = WordWeights(store)
        self._beside = ThreadPoolExecutor(2, thread_name_prefix="text-lane")
        self._cache: dict[tuple[str, Adapter, str | None], Encoding] = {}

    def close(self) -> None:
        self._beside.shutdown()

    def search(self, query: Query, limit: int = 20) -> Iterator[Answer]:
        """Yield names, fused, rescored; each replaces the one before. Stop by closing it."""
        started = time.perf_counter()

        def answer(hits: Sequence[Hit], stage: str, weak: bool = False) -> Answer:
            took = (time.perf_counter() - started) * 1000
            return Answer(tuple(hits), stage, round(took, 2), weak, loose)  # type: ignore[arg-type]

        quoting = bool(query.phrases)
        query, among = self._as_it_can_be_met(query)
        loose = quoting and not query.phrases
        # Words are looked up while the model reads the question.
        text = self._beside.submit(self._text_lane, query, among)
        names = self._names(query.text.split(), max(limit, NAME_POOL), query.filters)
        if query.phrases or query.excluded:
            names = [n for n in names if _name_allows(n.file.path, query)]
        maker = HitMaker(query.text, self._store)
        yield answer(maker.from_names(names[:limit]), "names")
        if not query.text and query.image is None:
            # Only filters: the newest files they allow.
            yield answer(maker.from_names(names[:limit]), "fused")
            yield answer(maker.from_names(names[:limit]), "rescored")
            return
        encoded = self.encode(query)
        shape = fusion.shape_of(query.text, latin_only=self._spec.latin_only)
        weights = fusion.weights_for(shape)
        found = self.candidates(query, encoded, names, text.result(), weights, among)
        top = self._best_per_file(found, found.fused, names, weights, limit)
        yield answer(maker.from_units(top, found), "fused")
        scores = self.rescore(query, found, encoded, weights)
        top = self._best_per_file(found, scores, names, weights, limit)
        hits = maker.from_units(top, found, encoded.by_adapter)
        yield answer(
            hits,
            "rescored",
            weak=fusion.is_weak(found.scores, shape, encoded.pieces / max(shape.words, 1)),
        )

    def encode(self, query: Query) -> Encoded:
        """Encode for each adapter that the filters allow; repeated queries cost nothing."""
        kinds = set(query.filters.kinds)
        adapters: list[Adapter] = []
        if kinds != {"code"}:
            adapters.append("retrieval")
        if "code" in self._spec.adapters and (not kinds or "code" in kinds):
            adapters.append("code")
        return Encoded({adapter: self._encode_one(query, adapter) for adapter in adapters})

    def _encode_one(self, query: Query, adapter: Adapter) -> Encoding:
        key = (query.text, adapter, query.image)
        if key not in self._cache:
            parts = []
            if query.text:
                parts += self._encoders.encode_queries([query.text], adapter)
            if query.image is not None and "image" in self._spec.modalities:
                parts += self._encoders.encode_images([query.image], adapter, urgent=True)
            if len(self._cache) > 256:
                self._cache.clear()
            self._cache[key] = parts[0] if len(parts) == 1 else _together(parts)
        return self._cache[key]

    def candidates(
        self,
        query: Query,
        encoded: Encoded,
        names: Sequence[NameMatch],
        text: Mapping[str, Candidate],
        weights: fusion.Weights,
        among: Sequence[Sequence[str]],
    ) -> Candidates:
        """The union of what the lanes find, with every lane's score filled in."""
        dense: dict[str, float] = {}
        files: dict[str, int] = {uid: c.file_id for uid, c in text.items()}
        for adapter, encoding in self._dense_lanes(encoded):
            scope = _where(query, among, None if self._spec.shared_single else adapter)
            for c in self._store.search_vector(encoding.single, scope, POOL):
                dense[c.unit_id] = max(c.score, dense.get(c.unit_id, -1.0))
                files[c.unit_id] = c.file_id
        found = [uid for uid in files if self._alive(files[uid])]
        known = {} if self._spec.shared_single else self._store.rows(found)
        groups = self._groups(found, known, encoded)
        self._fill_dense(found, dense, encoded, groups)
        words = self._words(query, found, files)
        # 0 for what only other lanes found would call a near miss no match (CoSQA 0.598 -> 0.608).
        scored = words.bm25 | {uid: c.score for uid, c in text.items()}
        by_name = {n.file.file_id: n.score for n in names}
        scores = fusion.LaneScores(
            dense=np.array([dense.get(uid, 0.0) for uid in found], dtype=np.float32),
            text=np.array([scored.get(uid, 0.0) for uid in found], dtype=np.float32),
            name=np.array([by_name.get(files[uid], 0.0) for uid in found], dtype=np.float32),
            document=self._document_scores(found, dense, encoded, groups),
            held=np.array([words.held.get(files[uid], 0.0) for uid in found], dtype=np.float32),
            quoted=np.array([words.quoted.get(uid, 0.0) for uid in found], dtype=np.float32),
        )
        if len(groups) > 1 and scores.document is not None:
            scores.dense = fusion.by_rank(scores.dense, list(groups.values()))
            scores.document = fusion.by_rank(scores.document, list(groups.values()))
        lanes: dict[str, set[Lane]] = {uid: set() for uid in found}
        for uid in found:
            if uid in scored:
                lanes[uid].add("text")
            if files[uid] in by_name:
                lanes[uid].add("name")
        for i in np.argsort(-scores.dense)[: POOL // 2]:
            lanes[found[int(i)]].add("dense")
        fused = fusion.first_stage(scores, weights)
        return Candidates(found, [files[uid] for uid in found], lanes, scores, fused, known)

    def _groups(
        self, unit_ids: Sequence[str], rows: Mapping[str, Row], encoded: Encoded
    ) -> dict[Adapter, NDArray[np.intp]]:
        """Candidates by the adapter whose space their vectors are in."""
        first = next(iter(encoded.by_adapter))
        owners = [
            self._adapter_of(rows[uid], encoded) if uid in rows else first for uid in unit_ids
        ]
        chosen = {
            adapter: np.array([i for i, owner in enumerate(owners) if owner == adapter], np.intp)
            for adapter in encoded.by_adapter
        }
        return {adapter: places for adapter, places in chosen.items() if len(places)}

    def _text_lane(self, query: Query, among: Sequence[Sequence[str]]) -> dict[str, Candidate]:
        terms = query_terms(query.text)
        found = self._store.search_text(terms, _where(query, among), POOL)
        return {c.unit_id: c for c in found}

    def _as_it_can_be_met(self, query: Query) -> tuple[Query, list[list[str]]]:
        """The query, and for each phrase the units that hold its words where these can be listed.

        A sentence quotes from memory, and what it quotes may have been misread: if nothing holds
        the quotations as they stand, they are words like the others.
        """
        listed = (self._store.holding(phrase) for phrase in query.phrases)
        among = [unit_ids for unit_ids in listed if unit_ids is not None]
        beside = len(query.text.split()) - sum(len(p.split()) for p in query.phrases)
        if not query.phrases or beside < SENTENCE or self._store.exists(_where(query, among)):
            return query, among
        names = self._names(query.text.split(), NAME_POOL, query.filters)
        if any(_name_allows(name.file.path, query) for name in names):
            return query, among
        return replace(query, phrases=()), []

    def _words(self, query: Query, unit_ids: Sequence[str], files: Mapping[str, int]) -> Words:
        """What the candidates' files hold of the question's words."""
        terms = query_terms(query.text)
        owners = sorted({files[uid] for uid in unit_ids})
        matches = self._store.text_within(terms, owners, MATCHES)
        words = asked_words(query.text)
        rarity = self._weights_of.tokens([word.text for word in words])
        chosen = set(unit_ids)
        among = [m for m in matches if m.unit_id in chosen]
        return Words(
            bm25={m.unit_id: m.score for m in among},
            held=shares_held(words, rarity, matches),
            quoted={m.unit_id: quoted(words, rarity, m.terms.split()) for m in among},
        )

    def _dense_lanes(self, encoded: Encoded) -> list[tuple[Adapter, Encoding]]:
        lanes = list(encoded.by_adapter.items())
        return lanes[:1] if self._spec.shared_single else lanes

    def _fill_dense(
        self,
        unit_ids: Sequence[str],
        dense: dict[str, float],
        encoded: Encoded,
        groups: Mapping[Adapter, NDArray[np.intp]],
    ) -> None:
        """Cosine for candidates that only other lanes found."""
        for adapter, places in groups.items():
            single = encoded.by_adapter[adapter].single
            missing = [uid for i in places if (uid := unit_ids[int(i)]) not in dense]
            if missing:
                vectors = self._store.vectors(missing)
                dense.update((uid, float(vector @ single)) for uid, vector in vectors.items())

    def _document_scores(
        self,
        unit_ids: Sequence[str],
        dense: Mapping[str, float],
        encoded: Encoded,
        groups: Mapping[Adapter, NDArray[np.intp]],
    ) -> fusion.Floats:
        """[k] cosine of the question with the whole file of each candidate."""
        whole = self._store.vectors(unit_ids, "document")
        scores = np.array([dense.get(uid, 0.0) for uid in unit_ids], dtype=np.float32)
        for adapter, places in groups.items():
            single = encoded.by_adapter[adapter].single
            for i in places:
                if (vector := whole.get(unit_ids[int(i)])) is not None:
                    scores[i] = vector @ single
        return scores

    def _rarity(self, query: Query, encoding: Encoding) -> fusion.Floats | None:
        """[m] weights of the query's tokens; None where they are not words (pictures)."""
        words = words_of_tokens(query.text, encoding.spans)
        return self._weights_of.tokens(words) if words else None

    def rescore(
        self, query: Query, found: Candidates, encoded: Encoded, weights: fusion.Weights
    ) -> fusion.Floats:
        """Late interaction over the top fused units: final scores [k]."""
        late = np.full(len(found.unit_ids), np.nan, dtype=np.float32)
        scored: list[NDArray[np.intp]] = []
        top = np.argsort(-found.fused)[:RESCORED]
        rows = self._rows(found, [found.unit_ids[int(i)] for i in top])
        for adapter, encoding in encoded.by_adapter.items():
            chosen = [
                int(i)
                for i in top
                if (row := rows.get(found.unit_ids[int(i)])) is not None
                and row.ref is not None
                and (self._adapter_of(row, encoded) == adapter)
            ]
            if not chosen:
                continue
            scored.append(np.array(chosen, np.intp))
            refs = [rows[found.unit_ids[i]].ref for i in chosen]
            records = self._store.tokens([ref for ref in refs if ref is not None])
            docs = [record.tokens for record in records]
            late[chosen] = maxsim(
                encoding.tokens, docs, weights=self._rarity(query, encoding)
            ).scores
            for i, record in zip(chosen, records, strict=True):
                if not len(record.tokens):
                    late[i] = np.nan  # lost with a damaged segment: not known is not bad
                    continue
                found.lanes[found.unit_ids[i]].add("late")
        if not self._spec.shared_single:
            late = fusion.by_rank(late, scored)
        found.scores.late = late
        final = fusion.second_stage(found.scores, weights)
        rest = np.ones(len(final), dtype=bool)
        rest[top] = False
        if rest.any() and not rest.all():
            # What was not rescored stays below what was, in its fused order.
            floor = final[top].min()
            final[rest] = floor - 1 + found.fused[rest] - found.fused[rest].max(initial=0.0)
        return final

    def _adapter_of(self, row: Row, encoded: Encoded) -> Adapter:
        wanted: Adapter = "code" if row.kind == "code" else "retrieval"
        return wanted if wanted in encoded.by_adapter else next(iter(encoded.by_adapter))

    def _rows(self, found: Candidates, unit_ids: Sequence[str]) -> Mapping[str, Row]:
        missing = [uid for uid in unit_ids if uid not in found.rows]
        if missing:
            found.rows = {**found.rows, **self._store.rows(missing)}
        return found.rows

    def _best_per_file(
        self,
        found: Candidates,
        scores: fusion.Floats,
        names: Sequence[NameMatch],
        weights: fusion.Weights,
        limit: int,
    ) -> list[tuple[FileFacts | None, float, list[int]]]:
        """The best files: (facts of name-only ones, score, their units' rows best first)."""
        by_file: dict[int, list[int]] = {}
        for i in np.argsort(-scores, kind="stable"):
            by_file.setdefault(found.file_ids[int(i)], []).append(int(i))
        ranked: list[tuple[FileFacts | None, float, list[int]]] = [
            (None, float(scores[units[0]]), units) for units in by_file.values()
        ]
        for match in names:
            if match.file.file_id not in by_file:
                ranked.append((match.file, weights.name * match.score, []))
        ranked.sort(key=lambda entry: -entry[1])
        ranked = ranked[:limit]
        self._rows(found, [found.unit_ids[i] for _, _, units in ranked for i in units[:4]])
        return ranked

    def lanes(self, query: Query) -> tuple[list[NameMatch], Candidates, fusion.Floats]:
        """All that the last stage knows: name matches, candidates with every lane's scores, and
        their final scores [k]; for explaining and measuring."""
        query, among = self._as_it_can_be_met(query)
        names = self._names(query.text.split(), NAME_POOL, query.filters)
        encoded = self.encode(query)
        weights = self._weights(query)
        text = self._text_lane(query, among)
        found = self.candidates(query, encoded, names, text, weights, among)
        final = self.rescore(query, found, encoded, weights)
        return names, found, final

    def _weights(self, query: Query) -> fusion.Weights:
        return fusion.weights_for(fusion.shape_of(query.text, latin_only=self._spec.latin_only))

    def explain(self, query: Query, file_id: int) -> dict[str, object]:
        """Where a file stands in every lane for a query: rank of its best unit and that score."""
        names, found, final = self.lanes(query)
        weights = self._weights(query)
        lanes = {
            "text": found.scores.text,
            "held": found.scores.held,
            "quoted": found.scores.quoted,
            "dense": found.scores.dense,
            "document": found.scores.document,
            "late": found.scores.late,
            "fused": found.fused,
            "rescored": final,
        }
        answer: dict[str, object] = {
            "name": _name_rank(names, file_id),
            "weights": {lane: getattr(weights, lane) for lane in weights.__dataclass_fields__},
        }
        for lane, scores in lanes.items():
            if lane in ("text", "held", "quoted") and scores is not None:
                scores = np.where(scores > 0, scores, np.nan)  # 0: the lane did not find it
            answer[lane] = _unit_rank(found.file_ids, scores, file_id)
        return answer


def _name_rank(names: Sequence[NameMatch], file_id: int) -> dict[str, float] | None:
    for rank, match in enumerate(names, 1):
        if match.file.file_id == file_id:
            return {"rank": rank, "score": match.score}
    return None


def _unit_rank(
    file_ids: Sequence[int], scores: fusion.Floats | None, file_id: int
) -> dict[str, float] | None:
    """Rank among files and score of a file's best unit; None if the lane did not see it."""
    if scores is None:
        return None
    best: dict[int, float] = {}
    for owner, score in zip(file_ids, scores.tolist(), strict=True):
        if score == score:  # NaN: not rescored
            best[owner] = max(score, best.get(owner, score))
    if file_id not in best:
        return None
    rank = 1 + sum(score > best[file_id] for score in best.values())
    return {"rank": rank, "score": round(best[file_id], 4)}


def _where(
    query: Query, among: Sequence[Sequence[str]], adapter: Adapter | None = None
) -> str | None:
    """The query's demands as a prefilter, and which kinds an adapter's lane is for."""
    return build_where(
        query.filters,
        phrases=query.phrases,
        excluded=query.excluded,
        kinds=("code",) if adapter == "code" else (),
        not_kinds=("code",) if adapter == "retrieval" else (),
        among=among,
    )


def _together(parts: Sequence[Encoding]) -> Encoding:
    """A sentence and a picture as one query: both directions count alike, all tokens count."""
    single = np.sum([part.single for part in parts], axis=0)
    single = single / max(float(np.linalg.norm(single)), 1e-9)
    tokens = np.concatenate([part.tokens for part in parts])
    return replace(parts[0], single=single.astype(np.float32), tokens=tokens, spans=None)


def _name_allows(path: str, query: Query) -> bool:
    """A file known by name only holds no phrase; it is shown if its name does."""
    name = path.lower()
    return all(p.lower() in name for p in query.phrases) and not any(
        word.lower() in name for word in query.excluded
    )
