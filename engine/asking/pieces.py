"""A streamed answer cut into pieces that stand by themselves: sentences, items, rows, code.

How the stream is cut does not matter: a piece ends only where what follows shows that it does.
Citations after a full stop, or alone on the next line, belong to the piece before.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import regex

from engine.asking import citing

#: A lead is what only leads to what stands below: a heading, a line that ends with a colon, a
#: table's first row. Nothing is a rule between paragraphs, or a list of what the numbers stand for.
Form = Literal["prose", "lead", "code", "nothing"]


@dataclass(frozen=True, slots=True)
class Piece:
    """Text with its citations, and what stands before it: blanks, line ends, marks of items."""

    text: str
    before: str = ""
    form: Form = "prose"
    item: bool = False  # of a list or a table


#: So much of a line shows whether it begins with a mark.
_LOOK = 9
_MARK = re.compile(r"(?:[-*+•–·▪◦]|\(?\d{1,3}[.)]|\(?[a-zA-Z]\))[ \t]")
_BOX = re.compile(r"\[[ xX]\][ \t]")
_HEADING = re.compile(r"#{1,6}[ \t]")
_QUOTE = re.compile(r">[ \t]?")
_FENCE = re.compile(r"(`{3,}|~{3,})")
_RULE = re.compile(r"[-*_=]{3,}[-*_= \t]*$|(?:[-*_][ \t]+){2,}[-*_][ \t]*$")
_SPACED_RULE = re.compile(r"[-*_] [-*_] [-*_]")
_UNDERLINE = re.compile(r"[-=*_]{2}|(?:[-*_][ \t]){2}")
_TABLE_RULE = re.compile(r"\|?[ \t]*:?-{2,}[-| :\t]*$")
_DEFINITION = re.compile(r"\[\^?[\w .-]{1,20}\]:(?:\s|$)")
_BOLD = re.compile(r"(\*\*|__)[^\n]+\1$")
_PROGRAM = re.compile(r"tool|function_call", re.IGNORECASE)

_END = regex.compile(r"\n|[.!?…‽]+|[。！？｡｡؟۔।॥።։]+[。！？!?]*")
_CLOSERS = re.compile(r"[\"'”’»“›)\]】」』*_`]*")
_ALWAYS = frozenset("。！？｡؟۔।॥።։")  # ends of sentences that no blank follows
_OPENERS = "[【〔("
_LONGEST_CITATION = 60
_LAST_WORD = regex.compile(r"[\p{L}\p{M}\p{N}.'’-]+$")
_SHORT = """
dr mr mrs ms prof st mt gen col lt capt rev hon gov vs eg e.g ie i.e cf al approx resp
z.b z d.h d u.a u bzw ca evtl ggf inkl exkl vgl hrsg zzgl einschl s.o s.u sog gem
mme mlle sra srta dott т.е tzv np tj
"""
_BEFORE_NUMBERS = """
no nos fig figs sec eq ch chap vol pp p art nr abs s bd str tel max min n núm pág pag env г д стр
jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun
"""
#: Shortened before anything, and before numbers alone: elsewhere a sentence ends with them.
_ALWAYS_SHORT, _SHORT_BEFORE_NUMBERS = (
    frozenset(words.split()) for words in (_SHORT, _BEFORE_NUMBERS)
)
_MONTHS = regex.compile(
    r"(?:jan|feb|mär|märz|mar|apr|mai|maj|jun|jul|aug|sep|okt|oct|nov|dez|dec|gen|ago|helmi|tammi"
    r"|janv|févr|avr|juil|août)[\p{L}.]*",
    regex.IGNORECASE,
)
#: Words before a number that counts in order ("am 3. Tag").
_ORDINAL = re.compile(
    r"\b(?:am|dem|der|den|im|zum|zur|vom|des|das|die|seit|bis|ab|jede[rmns]?|de[nt]|o)\s+\d{1,2}$",
    re.IGNORECASE,
)


class Splitter:
    """Takes text as it comes and gives whole pieces."""

    def __init__(self) -> None:
        self._rest = ""
        self._looked = 0  # characters of it in which no piece ends
        self._before = ""
        self._at_line = True  # nothing of the line was taken but its marks
        self._form: Form | None = None  # as the line's marks say
        self._item = False
        self._in_table = False

    def read(self, text: str) -> list[Piece]:
        """The pieces that are whole now."""
        self._rest += text
        return self._pieces(last=False)

    def end(self) -> list[Piece]:
        """What is left at the end of the stream."""
        return self._pieces(last=True)

    @property
    def rest(self) -> str:
        """What is no whole piece yet."""
        return self._before + self._rest

    def _pieces(self, *, last: bool) -> list[Piece]:
        found = list[Piece]()
        while self._begin(last):
            end = self._whole(last)
            if end is None:
                break
            found.append(self._cut(end))
        return found

    # Where a piece begins

    def _begin(self, last: bool) -> bool:
        """Go to where a piece begins; False where more must be read for that."""
        while True:
            blank = len(self._rest) - len(self._rest.lstrip())
            if "\n" in self._rest[:blank]:
                self._at_line, self._form, self._item = True, None, False
                if "\n\n" in self._rest[:blank]:
                    self._in_table = False
            self._take(blank)
            if not self._rest:
                return False
            if not self._at_line:
                return True
            if len(self._rest) < _LOOK and "\n" not in self._rest and not last:
                return False
            if not self._take_mark():
                self._at_line = False
                return True

    def _take(self, length: int) -> None:
        self._before += self._rest[:length]
        self._rest = self._rest[length:]

    def _take_mark(self) -> bool:
        """Take the mark that the line begins with, if it does."""
        if _SPACED_RULE.match(self._rest):
            return False
        for pattern in (_MARK, _HEADING, _QUOTE, _BOX):
            if found := pattern.match(self._rest):
                self._form = "lead" if pattern is _HEADING else self._form
                self._item = self._item or pattern is _MARK
                self._take(found.end())
                return True
        return False

    # Where it ends

    def _whole(self, last: bool) -> int | None:
        """Where the piece ends; None where more must be read to tell."""
        rest = self._rest
        if fence := _FENCE.match(rest):
            return self._end_of_code(fence[1], last)
        whole_line = rest[0] == "|" or _UNDERLINE.match(rest) or _DEFINITION.match(rest)
        if whole_line or self._form == "lead":
            end = rest.find("\n")
            if end < 0:
                return len(rest) if last else None
            return end if rest[0] == "|" else self._with_citations(end, last)
        for found in _END.finditer(rest, self._looked):
            told = self._end_at(found.start(), found.end(), last)
            if told != 0:
                return told
            self._looked = found.end()
        return len(rest) if last else None

    def _end_of_code(self, fence: str, last: bool) -> int | None:
        closing = re.compile(rf"\n[ \t]*{fence}[^\S\n]*").search(self._rest)
        if closing is None:
            return len(self._rest) if last else None
        return self._with_citations(closing.end(), last)

    def _end_at(self, start: int, end: int, last: bool) -> int | None:
        """Where the piece ends, if it does after these marks; 0 if not, None if more must be
        read."""
        rest = self._rest
        if rest[start] == "\n":
            follows = rest[start:].lstrip()
            if not follows:
                return start if last else None
            ended = re.search(r"[^\w\s,;–-][\"'”’»)\]*_`]*[ \t]*$", rest[:start])
            single = rest[start:].lstrip(" \t\r\n")[:1].islower() and "\n\n" not in re.sub(
                r"[ \t]", "", rest[start : len(rest) - len(follows)]
            )
            if single and not ended and not self._item:
                if len(follows) < _LOOK and "\n" not in follows and not last:
                    return None
                return start if _MARK.match(follows) else 0
            return self._with_citations(start, last)
        always = rest[end - 1] in _ALWAYS
        closers = _CLOSERS.match(rest, end)
        closed, end = (closers[0], closers.end()) if closers else ("", end)
        if end == len(rest):
            return end if last else None
        if rest[end] in _OPENERS and not always:
            if citing.RUN.match(rest, end) is None:
                return 0 if _closed(rest[end:]) or last else None
        elif not (rest[end].isspace() or always):
            return 0
        if closed and not always and not rest[end:].lstrip(" \t") and not last:
            return None
        sure = always or rest[start - 1 : start] in ("]", "】")  # a citation stands before it
        if not sure and (self._goes_on(start, end) or self._is_spoken(closed, end)):
            return 0 if self._known_next(end) or last else None
        if not sure and rest[start] == "." and not self._known_next(end) and not last:
            return None
        return self._with_citations(end, last)

    def _known_next(self, end: int) -> bool:
        """Whether enough of what follows is there to tell if a sentence goes on."""
        follows = self._follows(end)
        if follows and follows[0] in _OPENERS:
            return _closed(follows)
        return follows[:1] == "\n" or len(follows) >= _LOOK or bool(re.match(r"\w+\W", follows))

    def _is_spoken(self, closed: str, end: int) -> bool:
        """Whether what ends is only what someone says in the sentence: "Really?" she said."""
        return any(mark in closed for mark in "\"'”’»“") and self._follows(end)[:1].islower()

    def _follows(self, end: int) -> str:
        return self._rest[end:].lstrip(" \t")

    def _goes_on(self, start: int, end: int) -> bool:
        """Whether a full stop only shortens a word, or counts."""
        if self._rest[start:end] != ".":
            return self._rest[start] == "…" and self._follows(end)[:1].islower()
        before, follows = self._rest[:start], self._follows(end)
        if not follows or follows[0] == "\n" or citing.ONE.match(follows):
            return False
        told = _LAST_WORD.search(before)
        word = told[0].strip("'’-") if told else ""
        if word.isdigit() and len(word) <= 2:
            return bool(_MONTHS.match(follows) or _ORDINAL.search(before)) or follows[0].islower()
        if word.casefold() in _ALWAYS_SHORT or (len(word) == 1 and word.isupper()):
            return True
        if word.casefold() in _SHORT_BEFORE_NUMBERS and follows[0].isdigit():
            return True
        return follows[0].islower() and len(word) <= 5

    def _with_citations(self, end: int, last: bool) -> int | None:
        """Behind the citations that follow the end of a piece; None if more must be read."""
        while True:
            rest = self._rest
            follows = rest[end:].lstrip()
            at = len(rest) - len(follows)
            if not follows:
                return end if last else None
            if follows[0] not in _OPENERS:
                return end
            new_line = "\n" in rest[end:at]
            found = citing.RUN.match(rest, at)
            if found is None:
                return end if last or _closed(follows) else None
            stop = re.compile(r"[ \t]*[.。!?,;]*").match(rest, found.end())
            after = stop.end() if stop else found.end()
            if after == len(rest):
                return after if last else None
            if new_line:
                # Alone on its line, or the beginning of the next sentence.
                if rest[after:].lstrip(" \t")[:1] not in ("", "\n"):
                    return end
                if not rest[after:].strip(" \t"):
                    return after if last else None
            if rest[after] == ":" or rest[found.end()] == ":":
                return end
            end = after

    # What it is

    def _cut(self, end: int) -> Piece:
        text, self._rest, self._looked = self._rest[:end], self._rest[end:], 0
        before, self._before = self._before, ""
        form, item = self._form or "prose", self._item
        if fence := _FENCE.match(text):
            info, _, code = text.partition("\n")
            hidden = _PROGRAM.search(info[len(fence[1]) :])
            return Piece(code, before, "nothing" if hidden else "code")
        bare = text.rstrip()
        if _DEFINITION.match(text) or _RULE.match(bare) or _TABLE_RULE.match(bare):
            return Piece(text, before, "nothing")
        if text[0] == "|":
            first, self._in_table = not self._in_table, True
            cells = [cell.strip() for cell in bare.strip("|").split("|")]
            row = " | ".join(cell for cell in cells if cell)
            return Piece(row, before, "lead" if first else "prose", item=True)
        self._in_table = False
        without = citing.taken(bare)[0].rstrip()
        if without.rstrip("*_").endswith((":", "：")) or _BOLD.fullmatch(without):
            form = "lead"
        return Piece(text, before, form, item)


def _closed(text: str) -> bool:
    """Whether enough of what begins with a bracket is there to tell if it is a citation."""
    return len(text) > _LONGEST_CITATION or bool(re.search(r"[\]】〕)\n]", text))


def code_and_citations(text: str) -> tuple[str, str]:
    """The lines of a piece of code, and what follows its fence."""
    closing = list(re.finditer(r"(?:^|\n)[ \t]*(?:`{3,}|~{3,})", text))
    if not closing:
        return text, ""
    return text[: closing[-1].start()], text[closing[-1].end() :]
