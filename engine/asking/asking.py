"""The front: a question becomes a prompt with the sources that answer it best."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from engine.asking import prompting
from engine.asking.candidates import Candidate
from engine.asking.choosing import choose, continues
from engine.asking.cleaning import quoted
from engine.asking.gathering import Gathered, gather
from engine.asking.prepared import Frame, Prepared, Room
from engine.contract.asking import Given, Source, Turn
from engine.contract.errors import InklingError
from engine.contract.kinds import PIXEL_KINDS
from engine.contract.notices import notice
from engine.contract.types import WITHHELD, Notice, Query
from engine.engine import Engine
from engine.search.answers import place_hit
from engine.search.passages import joined
from engine.search.question_language import unread_by
from engine.store import Row, UnitStore

#: Pictures that go into a prompt at most, and the share of its room that they may take: each costs
#: as much as several passages, and the text beside them answers most questions.
MOST_PICTURES, _PICTURES = 4, 0.5
#: Fewer tokens than this for sources are no use.
_LEAST = 120
_SAMPLE = 3000  # characters that tell how many make a token
_NUMBER = 99  # stands for a source's number while it has none


class Asking:
    """Prepares prompts; for any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def prepare(self, query: Query, question: str, turns: Sequence[Turn], room: Room) -> Prepared:
        """Search, and choose what the model is given. InklingError of the store, or where the
        model's room is too small."""
        return self.compose(self.search(query, turns), question, turns, room)

    def search(self, query: Query, turns: Sequence[Turn] = ()) -> Gathered:
        """What may be evidence for a question, and stays it from earlier turns."""
        engine = self._engine
        before = turns[-1].question if turns else ""
        return gather(engine.runs, engine.store, query, before, [turn.units for turn in turns])

    def compose(
        self, found: Gathered, question: str, turns: Sequence[Turn], room: Room
    ) -> Prepared:
        """The prompt of what was found. InklingError where the room is too small."""
        engine = self._engine
        notices = _notices(engine, found)
        if found.weak:
            return Prepared(weak=True, notices=notices)
        fence = prompting.Fence(secrets.token_hex(4))
        rules = f"{prompting.RULES}\n{prompting.intro(fence)}{prompting.question_part(question)}"
        fixed = room.count(rules) + prompting.OF_CHAT + 2 * prompting.OF_MESSAGE
        history, spent = prompting.earlier(turns, room.count, int(room.tokens * prompting.TURNS))
        budget = room.tokens - fixed - spent
        if budget < _LEAST:
            raise InklingError(
                "The language model takes {tokens} tokens, too few for a question and its sources.",
                hint="Choose a model with a larger context, or let the server give it more.",
                told={"tokens": room.tokens},
            )
        picking = _Picking(engine.store, room, fence)
        chosen = picking.chosen(found.candidates, budget)
        if not chosen:
            return Prepared(weak=True, notices=notices)
        numbered = dict(enumerate(chosen, 1))
        frame = Frame(
            fence,
            question,
            history,
            where={n: prompting.heading(one.best.row) for n, one in numbered.items()},
            rows={n: one.rows for n, one in numbered.items()},
            picture_tokens=room.picture_tokens,
            matches=engine.matches,
            model_id=engine.spec.id,
        )
        sources = tuple(one.source(number) for number, one in numbered.items())
        made = Prepared(sources, notices=notices, frame=frame)
        _fit(made, room)
        return made


def _notices(engine: Engine, found: Gathered) -> tuple[Notice, ...]:
    """What a person should know of the search."""
    run = found.runs[0]
    if run.not_encoded is not None:
        return (notice("words-only", model=engine.spec.title),)
    said = None if run.query.told_by_image else unread_by(engine.spec, run.query.text)
    return () if said is None else (said,)


def _fit(made: Prepared, room: Room) -> None:
    """Count its tokens as a whole, and leave out the last sources where they are too many."""
    while True:
        texts = [text for _, text in made.prompt()]
        tokens = sum(room.count(text) + prompting.OF_MESSAGE for text in texts)
        made.tokens = tokens + prompting.OF_CHAT + len(made.pictures) * room.picture_tokens
        if made.tokens <= room.tokens or len(made.sources) == 1:
            return
        made.sources = made.sources[:-1]


@dataclass(frozen=True, slots=True, eq=False)
class _Place:
    """Neighbouring units as one source."""

    best: Candidate
    rows: Sequence[Row]
    text: str
    tokens: int
    given: Given = "text"

    def source(self, number: int) -> Source:
        row = self.best.row
        hit = place_hit(self.best.run, row, self.best.relevance)
        return Source(number, row.unit_id, hit, self.text, self.given, self.tokens)


class _Picking:
    """One prompt's sources; its costs are those of `choosing`."""

    def __init__(self, store: UnitStore, room: Room, fence: prompting.Fence) -> None:
        self._store, self._room, self._fence = store, room, fence
        self._counted: dict[tuple[str, bool], int] = {}
        self._cut: dict[str, str] = {}
        self._per_character = 0.3
        self._withheld: dict[tuple[int, int | None], bool] = {}

    def chosen(self, candidates: Sequence[Candidate], budget: int) -> list[_Place]:
        """In so many tokens, the most relevant first."""
        known = [one for one in candidates if one.row.text.strip() or self._can_show(one)]
        if not known:
            return []
        self._measure(known)
        room = self._room
        most = 0
        if room.sees and room.picture_tokens > 0:
            most = min(MOST_PICTURES, int(budget * _PICTURES) // room.picture_tokens)
        known = _few_pictures(known, most)
        taken = choose(known, self, self._store.rows, budget)
        pictures = self._pictures(taken, most)
        with_text = [one for one in pictures if one.row.text.strip()]
        if with_text:  # their pixels must be paid for, too
            less = budget - len(with_text) * room.picture_tokens
            taken = choose(known, self, self._store.rows, less)
            pictures = self._pictures(taken, most)
        if not taken and known:
            taken = self._cut_to(known[0], budget)
        return self._places(taken, {one.row.unit_id for one in pictures})

    def about(self, row: Row) -> float:
        """Estimated tokens of a unit with its heading."""
        if not row.text.strip():
            return 40.0 + self._room.picture_tokens
        return (len(row.text) + 120) * self._per_character

    def exact(self, row: Row, *, headed: bool) -> int:
        """Tokens of a unit as it stands in the prompt."""
        key = row.unit_id, headed
        if key not in self._counted:
            self._counted[key] = self._count(row, row.text, headed=headed)
        return self._counted[key]

    def _count(self, row: Row, text: str, *, headed: bool) -> int:
        shown = quoted(text)
        if headed:
            around = self._fence.around(_NUMBER, prompting.heading(row), shown)
            shown = f"\n{''.join(around)}"
        extra = 0 if text.strip() else self._room.picture_tokens
        return self._room.count(shown) + extra + 2

    def _measure(self, candidates: Sequence[Candidate]) -> None:
        """Learn how many characters make a token here."""
        sample = quoted("\n".join(one.row.text[:600] for one in candidates[:8]))[:_SAMPLE]
        if sample:
            self._per_character = max(self._room.count(sample), 1) / len(sample)

    def _can_show(self, one: Candidate) -> bool:
        """Whether the model may see its pixels."""
        row = one.row
        if not self._room.sees or self._room.picture_tokens <= 0 or row.kind not in PIXEL_KINDS:
            return False
        page = row.file_id, row.page
        if page not in self._withheld:
            same = [r for r in self._store.file_rows(row.file_id) if r.page == row.page]
            texts = (text for r in same for text in (r.text, r.context))
            self._withheld[page] = any(WITHHELD in text for text in texts)
        return not self._withheld[page]

    def _pictures(self, taken: Sequence[Candidate], most: int) -> list[Candidate]:
        """Those of which the pixels go along: each page once, by its most relevant unit."""
        shown: dict[tuple[int, int | None], Candidate] = {}
        for one in taken:
            page = one.row.file_id, one.row.page
            if len(shown) < most and page not in shown and self._can_show(one):
                shown[page] = one
        return list(shown.values())

    def _cut_to(self, one: Candidate, budget: int) -> list[Candidate]:
        """The most relevant one, of as much as there is room for."""
        text = one.row.text
        length = len(text)
        while length > 40:
            cut = text[:length].rpartition(" ")[0] or text[:length]
            if self._count(one.row, cut, headed=True) <= budget:
                return [replace(one, row=replace(one.row, text=cut))]
            length = length * 3 // 4
        return []

    def _places(self, taken: Sequence[Candidate], pictures: set[str]) -> list[_Place]:
        """Neighbours joined, the place with the most relevant unit first."""
        runs: list[list[Candidate]] = []
        for one in sorted(taken, key=lambda one: (one.row.file_id, one.ordinal)):
            last = runs[-1][-1] if runs else None
            follows = last is not None and last.ordinal + 1 == one.ordinal
            if last is not None and follows and continues(last.row, one.row):
                runs[-1].append(one)
            else:
                runs.append([one])
        places = [self._place(run, pictures) for run in runs]
        return sorted(places, key=lambda place: -place.best.relevance)

    def _place(self, run: Sequence[Candidate], pictures: set[str]) -> _Place:
        best = max(run, key=lambda one: one.relevance)
        rows = [one.row for one in run]
        text = quoted(joined(row.text for row in rows))
        shown = any(one.row.unit_id in pictures for one in run)
        given: Given = ("both" if text else "picture") if shown else "text"
        tokens = self._count(best.row, text, headed=True)
        if shown and text:
            tokens += self._room.picture_tokens
        return _Place(best, rows, text, tokens, given)


def _few_pictures(candidates: Sequence[Candidate], most: int) -> list[Candidate]:
    """Of those without text, whose pixels are all there is, no more than this."""
    kept, pictures = list[Candidate](), 0
    for one in candidates:
        if not one.row.text.strip():
            pictures += 1
            if pictures > most:
                continue
        kept.append(one)
    return kept
