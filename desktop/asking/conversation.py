"""A conversation: questions, and what has come of their answers. Knows no widget; nothing of it is
written anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field

from engine.contract.asking import (
    Draft,
    Dropped,
    Event,
    Failed,
    Finished,
    Found,
    Sentence,
    Source,
    Turn,
)
from engine.contract.errors import InklingError

#: So many go along with a question: the indexer takes 50.
_MOST_TURNS = 40


@dataclass(slots=True, eq=False)
class Exchange:
    """A question and what has come of its answer so far."""

    question: str
    found: Found | None = None
    sentences: list[Sentence] = field(default_factory=list)
    draft: str = ""  # of the sentence that is being written: not to be believed yet
    dropped: int = 0
    finished: Finished | None = None
    error: InklingError | None = None

    def take(self, event: Event) -> None:
        """One more event of the answer."""
        match event:
            case Found():
                self.found = event
            case Draft():
                self.draft += event.text
            case Sentence():
                self.sentences.append(event)
                self.draft = ""
            case Dropped():
                self.dropped, self.draft = event.count, ""
            case Finished():
                self.finished, self.draft = event, ""
                self.dropped = max(self.dropped, event.dropped)
            case Failed():
                self.fail(_error(event))

    def fail(self, error: InklingError) -> None:
        """Nothing more comes; what was proven stays."""
        self.error, self.draft = error, ""

    def stop(self) -> None:
        """The person has stopped it."""
        self.finished, self.draft = Finished("stopped", dropped=self.dropped), ""

    @property
    def running(self) -> bool:
        """More is to come."""
        return self.finished is None and self.error is None

    @property
    def complete(self) -> bool:
        """It has come to its end, with something to read."""
        ended = self.finished is not None and self.finished.ending in ("complete", "length")
        return ended and bool(self.sentences)

    @property
    def weak(self) -> bool:
        """Nothing that was found matches well: no model was asked."""
        nothing = self.finished is not None and self.finished.ending == "nothing"
        return nothing or (self.found is not None and self.found.weak)

    @property
    def sources(self) -> tuple[Source, ...]:
        return self.found.sources if self.found is not None else ()

    def source(self, number: int) -> Source | None:
        """The source that a citation names."""
        return next((one for one in self.sources if one.number == number), None)

    @property
    def cited(self) -> frozenset[int]:
        """Numbers of the sources that sentences rest on."""
        return frozenset(c.number for one in self.sentences for c in one.citations)

    @property
    def text(self) -> str:
        """The proven sentences, without their citations."""
        return "".join(one.before + one.text for one in self.sentences).strip()

    def as_turn(self) -> Turn:
        """As the next question of the conversation goes with it."""
        units = [one.unit for one in self.sources if one.number in self.cited]
        return Turn(self.question, self.text, tuple(units))


class Conversation:
    """Questions that build on each other, the newest last."""

    def __init__(self) -> None:
        self.exchanges: list[Exchange] = []

    @property
    def last(self) -> Exchange | None:
        return self.exchanges[-1] if self.exchanges else None

    @property
    def running(self) -> bool:
        return self.last is not None and self.last.running

    def ask(self, question: str) -> Exchange:
        """One more question."""
        self.exchanges.append(Exchange(question))
        return self.exchanges[-1]

    def turns(self) -> list[Turn]:
        """What the last question builds on: answers that there are."""
        return [one.as_turn() for one in self.exchanges[:-1] if one.sentences][-_MOST_TURNS:]


def _error(event: Failed) -> InklingError:
    try:
        return InklingError.of(event.error)
    except (KeyError, TypeError, ValueError):
        return InklingError("The answer broke off.")
