"""A conversation as Markdown, with links to the places that its sentences rest on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePath

from desktop import strings as s
from desktop.asking import strings as ours
from desktop.asking.conversation import Exchange
from desktop.presentation.paths import printable
from engine.contract.asking import Source
from engine.contract.types import Hit

#: What would become a link, a picture or a tag: what a model writes is text.
_LIVE = re.compile(r"[\[\]<]")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


def uri(hit: Hit) -> str:
    """The file, at its page or its lines."""
    address = Path(hit.path).as_uri()
    place = hit.location
    if place.page is not None:
        return f"{address}#page={place.page}"
    if place.lines is not None:
        first, last = place.lines
        return f"{address}#L{first}" if first == last else f"{address}#L{first}-L{last}"
    return address


def named(hit: Hit) -> str:
    """A source in a few words: its file's name and the place in it."""
    name = printable(PurePath(hit.path).name)
    return ", ".join(filter(None, (name, s.place(hit.location))))


def answer(exchange: Exchange) -> str:
    """One answer, its citations as links, the cited sources below it."""
    parts = []
    for sentence in exchange.sentences:
        marks = [
            _mark(source, doubtful=citation.doubtful)
            for citation in sentence.citations
            if (source := exchange.source(citation.number)) is not None
        ]
        parts.append(sentence.before + _escaped(sentence.text))
        if marks:
            # A mark behind a fence would keep it from closing.
            gap = "\n\n" if sentence.text.rstrip().endswith("```") else " "
            parts.append(gap + " ".join(marks))
    cited = [one for one in exchange.sources if one.number in exchange.cited]
    listed = [f"{one.number}. [{_escaped(named(one.hit))}]({uri(one.hit)})" for one in cited]
    told = [ours.dropped(exchange.dropped)] if exchange.dropped else []
    below = [f"{ours.SOURCES}:\n\n" + "\n".join(listed)] if listed else []
    return "\n\n".join(filter(None, ("".join(parts).strip(), *told, *below)))


def conversation(exchanges: Sequence[Exchange]) -> str:
    """Questions as headings, each with its answer."""
    return "\n\n".join(f"## {_escaped(one.question)}\n\n{answer(one)}".strip() for one in exchanges)


def _mark(source: Source, *, doubtful: bool) -> str:
    return rf"[\[{source.number}{'?' if doubtful else ''}\]]({uri(source.hit)})"


def _escaped(text: str) -> str:
    """Outside of code nothing that a program would follow."""
    made, at = [], 0
    for code in _CODE.finditer(text):
        made += [_LIVE.sub(r"\\\g<0>", text[at : code.start()]), code[0]]
        at = code.end()
    return "".join([*made, _LIVE.sub(r"\\\g<0>", text[at:])])
