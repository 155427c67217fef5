"""Reads a model's answer as it streams in: what it proves is shown, all else is dropped.

A sentence stands if it cites a source that there is. A heading, or a line that ends with a colon,
stands with the first piece below that does, and cites what that cites, if its words are those of
the question or of these sources; a piece of code stands if a source holds it, on the citations
after it or else of the line that led to it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Protocol

from engine.asking import citing
from engine.asking.cleaning import code_text, plain, seen, streamed
from engine.asking.hiding import Visible
from engine.asking.pieces import Piece, Splitter, code_and_citations
from engine.contract.asking import Citation, Draft, Dropped, Event, Sentence
from engine.contract.errors import InklingError

#: What begins like this is an object, a list or a page of some format, and no sentence.
_DATA = re.compile(r"""\s*(?:[{}]|\[\s*["'{\[]|["'][^"'\n]{1,60}["']\s*:(?!\w)|<[?!a-zA-Z/])""")
_WORD = re.compile(r"\w")
#: Of the words of a piece of code, so many must stand in the sources it cites: people run code. Of
#: a heading they say what is below; a heading is soon missed, and soon misused.
CODE_HELD, LEAD_HELD = 0.6, 0.5


class Prover(Protocol):
    """Tells how far the sources support what is said."""

    failed: InklingError | None  # why that can't be measured, if it can't

    @property
    def numbers(self) -> Collection[int]:
        """Those of the sources."""

    def proof(self, text: str, numbers: Sequence[int]) -> list[Citation]:
        """A citation for each of these numbers."""

    def held(self, text: str, numbers: Sequence[int], *, asked: bool = False) -> float:
        """0..1: how much of the words of a text stands in these sources; `asked`: or in the
        question."""


class AnswerReader:
    """One answer's way from text to proven sentences; takes text as it comes, in order."""

    def __init__(self, prover: Prover) -> None:
        self.dropped = 0  # sentences that cite nothing
        self.doubtful = 0  # sentences with a citation that does not support them
        self._prover = prover
        self._visible, self._splitter = Visible(), Splitter()
        self._draft = _Drafted()
        self._leads: list[Piece] = []
        self._leads_to_dropped = False
        self._cited: tuple[int, ...] = ()  # by the piece before, where that leads to code
        self._gap = ""  # before a piece that was dropped, where a line ended
        self._shown = False

    @property
    def failed(self) -> InklingError | None:
        """Why support is not measured, if it can't be."""
        return self._prover.failed

    def read(self, text: str) -> list[Event]:
        """What more of the answer tells."""
        return self._events(self._visible.read(streamed(text)), last=False)

    def end(self) -> list[Event]:
        """What was left of the last sentence."""
        events = self._events(self._visible.end(), last=True)
        if self._leads:
            events.append(self._drop(len(self._leads)))
            self._leads.clear()
        return events

    def _events(self, shown: str, *, last: bool) -> list[Event]:
        pieces = self._splitter.read(shown)
        if last:
            pieces += self._splitter.end()
        events = [event for piece in pieces for event in self._piece(piece)]
        if events:
            held = "".join(lead.before + lead.text for lead in self._leads)
            self._draft, shown = _Drafted(), held + self._splitter.rest
        text = self._draft.read(shown)
        if text and not last:
            events.append(Draft(text))
        return events

    def _piece(self, piece: Piece) -> list[Event]:
        if piece.form == "nothing":
            return []
        if piece.form == "code":
            return self._code(piece)
        text, cited = citing.taken(seen(piece.text))
        said = " ".join(plain(text).split())
        known = self._known(cited)
        if not known and piece.form == "lead" and not _DATA.match(said):
            dropped = list[Event]()
            if self._leads_to_dropped and self._leads:
                dropped = [self._drop(len(self._leads))]
                self._leads.clear()
            self._leads_to_dropped = False
            self._leads.append(piece)
            return dropped
        if not known or not _stands(said):
            return [self._dropped(piece)]
        return self._sentence(piece, said, known)

    def _code(self, piece: Piece) -> list[Event]:
        code, after = code_and_citations(seen(piece.text))
        known = self._known(citing.taken(after)[1]) or list(self._cited)
        if not known or self._prover.held(code, known) < CODE_HELD:
            return [self._dropped(piece)]
        return self._sentence(piece, code_text(code).strip("\n"), known)

    def _known(self, numbers: Sequence[int]) -> list[int]:
        return [number for number in numbers if number in self._prover.numbers]

    def _sentence(self, piece: Piece, said: str, known: Sequence[int]) -> list[Event]:
        events = list[Event]()
        for lead in self._leads:
            above = " ".join(plain(citing.taken(seen(lead.text))[0]).split())
            if _stands(above) and self._prover.held(above, known, asked=True) >= LEAD_HELD:
                proof = [Citation(number) for number in known]
                events.append(self._stand(lead, above, proof))
            else:
                events.append(self._dropped(lead))
        self._leads.clear()
        proof = (
            [Citation(number) for number in known]
            if piece.form == "code"
            else self._prover.proof(said, known)
        )
        self._cited = tuple(known) if said.endswith((":", "：")) else ()
        return [*events, self._stand(piece, said, proof)]

    def _stand(self, piece: Piece, said: str, proof: Sequence[Citation]) -> Sentence:
        self.doubtful += any(citation.doubtful for citation in proof)
        before = piece.before if "\n" in piece.before or not self._gap else self._gap
        before = before if self._shown else before.lstrip()
        self._shown, self._gap, self._leads_to_dropped = True, "", False
        return Sentence(said, before, tuple(proof))

    def _dropped(self, piece: Piece) -> Dropped:
        if "\n" in piece.before:
            self._gap = piece.before
        self._leads_to_dropped, self._cited = True, ()
        return self._drop(1)

    def _drop(self, count: int) -> Dropped:
        self.dropped += count
        return Dropped(self.dropped)


def _stands(said: str) -> bool:
    """Whether it is a sentence: words, and not the form of data or a list of citations alone."""
    alone = re.fullmatch(r"\w+\s?[:：][\s,;]*", said)
    return bool(_WORD.search(said)) and not alone and not _DATA.match(said)


class _Drafted:
    """What is shown of a sentence while it is written: nothing in it is markup or opens."""

    def __init__(self) -> None:
        self._last = ""  # that was shown
        self._held = False  # a bracket after a bracket: of two citations, or of a link

    def read(self, text: str) -> str:
        """What more is shown with more of the text."""
        kept = list[str]()
        for char in text:
            if self._held:
                self._held = False
                if char.isdigit():
                    kept.append("[")
                    self._last = "["
            if self._last == "]" and char == "[":
                self._held = True
                continue
            doubled = self._last == "/" and char == "/"
            if char in "<>" or doubled or (self._last == "]" and char == "("):
                continue
            kept.append(char)
            self._last = char
        return "".join(kept)
