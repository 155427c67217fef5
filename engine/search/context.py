"""What the lanes share: the sources they look in, and one query's state as it goes by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, Evidence, Kind, Query
from engine.models.registry import ModelSpec
from engine.search.copies import Copies
from engine.search.evidence import Match, WordMatches
from engine.search.expansion import Expansion, expand, merged
from engine.search.phrases import in_name
from engine.search.ports import CopyIndex, NameIndex, NameMatch, SightSource, no_sight
from engine.search.query_encoding import EncodedQuery, QueryEncodings
from engine.search.ranker import Ranker
from engine.search.token_matches import TokenMatches
from engine.search.word_weights import WordWeights
from engine.store import Candidate, Condition, Looks, Row, UnitStore

#: A snippet, and what in it, or on its page, answers.
Proof = tuple[str, list[Evidence]]
#: By unit, with the others of its file if it is a page: these tell what each page repeats.
Proofs = dict[tuple[str, ...], Proof]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where lanes look: one store with one model, and the names of files."""

    store: UnitStore
    spec: ModelSpec
    names: NameIndex
    copies: CopyIndex
    encodings: QueryEncodings
    word_weights: WordWeights
    #: False for a file that was removed a moment ago: no ghosts.
    alive: Callable[[int], bool]
    ranker: Callable[[], Ranker]  # what weighs the features; it may change
    looks: Looks | None = None  # how pictures look
    #: The model that sees pictures, beside the one that reads; it may change.
    sight: Callable[[], SightSource | None] = no_sight


#: Words of a question of which each counts.
SHORT = 4


@dataclass(eq=False)
class QueryContext:
    """One query: its demands, its encodings and what the lanes proposed; made once, used by all."""

    sources: Sources
    query: Query
    #: For each phrase the units that hold its words, where these can be listed.
    candidate_ids: Sequence[tuple[str, ...]]
    most_names: int
    #: How many files are wanted: where there are more than a lane's pool holds, it goes deeper.
    wanted: int
    #: By lane, what it proposed.
    proposals: dict[str, Sequence[Candidate]] = field(default_factory=dict)
    #: Which of the files found have the same contents.
    copies: Copies = field(init=False)
    #: Why looks could not be asked, if they could not.
    not_looked: InklingError | None = None
    #: Why the sight model could not be asked, if it could not.
    not_seen: InklingError | None = None
    #: The sight model for all of this query.
    sight: SightSource | None = field(init=False)
    #: What was shown of units for their words alone.
    proofs: Proofs = field(default_factory=dict)
    _marked: dict[str, Sequence[Match]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.copies = Copies(self.sources.copies, self.query, self.sources.alive)
        self.sight = self.sources.sight()

    @cached_property
    def sight_question(self) -> Encoding:
        """The query as the sight model reads it; blocks while that is loaded. InklingError if
        it can't."""
        assert self.sight is not None
        return self.sight.question(self.query)

    @cached_property
    def names(self) -> list[NameMatch]:
        """Files whose names answer, best first."""
        query = self.query
        found = self.sources.names(query.text.split(), self.most_names, query.filters)
        found = [match for match in found if self.sources.alive(match.file.file_id)]
        if query.phrases or query.excluded:
            found = [match for match in found if in_name(match.file.path, query)]
        return found

    @property
    def asks_model(self) -> bool:
        """Whether there is anything in the question that the model can read."""
        return self.sources.encodings.can_ask(self.query)

    @cached_property
    def expansion(self) -> Expansion:
        """The query's words with what else will do for each. InklingError of the store."""
        text = self.query.text
        return self.sources.store.ask_words(lambda lexicon: expand(lexicon, text))

    @cached_property
    def encoded(self) -> EncodedQuery:
        """The query as the model sees it; blocks while it is loaded. InklingError if it can't."""
        return self.sources.encodings.of(self.read)

    @cached_property
    def read(self) -> Query:
        """The query as the model reads it: with typing errors mended in words that it doesn't know
        either, but in pieces. Blocks as `encoded`."""
        spelling = self.spelling
        if not spelling or len(self.expansion.words) > SHORT:
            return self.query  # a sentence is understood without a word
        mended = replace(self.query, text=spelling)
        typed, meant = map(self.sources.encodings.of, (self.query, mended))
        torn = typed.tears(self.expansion.mended) and meant.pieces <= typed.pieces
        return mended if torn else self.query

    @cached_property
    def spelling(self) -> str:
        """The question as the passages spell it; "" where nothing was mended, or a name is spelt
        as the question is."""
        return "" if self._is_name else self.expansion.spelling(self.query.text)

    @property
    def suggestion(self) -> str:
        """The question as passages and the best name spell it, for a person to see; "" where it is
        spelt so."""
        if self._is_name or not self.names:
            return self.spelling
        return merged(self.query.text, self.expansion, self.names[0].parts.spelling)

    @property
    def _is_name(self) -> bool:
        """Whether some name holds all words as they were typed."""
        return any(match.parts.coverage == 1.0 and not match.parts.typos for match in self.names)

    @cached_property
    def tokens(self) -> TokenMatches:
        """Stored tokens beside the query's."""
        return TokenMatches(
            self.sources.store, self.sources.word_weights, self.read.text, self.encoded
        )

    def marked(self, row: Row) -> Sequence[Match]:
        """The words of a unit that answer the query's; looked for once, for every stage shows them.
        InklingError of the store."""
        if row.unit_id not in self._marked:
            self._marked[row.unit_id] = self._word_matches.of(row.text)
        return self._marked[row.unit_id]

    @cached_property
    def _word_matches(self) -> WordMatches:
        return WordMatches(self.query.text, self.expansion.marks())

    def condition(self, adapter: Adapter | None = None) -> Condition:
        """The query's demands; with an adapter, only for the kinds it encodes."""
        kinds: tuple[Kind, ...] = ()
        if adapter is not None:
            kinds = self.sources.spec.kinds_of(adapter)
        return Condition(
            self.query.filters,
            phrases=self.query.phrases,
            excluded=self.query.excluded,
            kinds=kinds,
            candidate_ids=tuple(self.candidate_ids),
        )

    def scores_of(self, lane: str) -> Mapping[str, float]:
        """Best score by unit id of what a lane proposed."""
        best: dict[str, float] = {}
        for proposal in self.proposals.get(lane, ()):
            best[proposal.unit_id] = max(proposal.score, best.get(proposal.unit_id, proposal.score))
        return best
