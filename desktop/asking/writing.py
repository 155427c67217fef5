"""An answer set to be read, piece by piece as it comes: what is written stays where it stands.

What a model writes is text: of Markdown only what sets it (headings, items, code, emphasis) is
read; a link or a picture stands there as it was typed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Literal

from PySide6.QtGui import (
    QColor,
    QFont,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextOption,
)

from desktop import theme
from desktop.theme import GRID, HALF
from engine.contract.asking import Citation

#: Of a block: what it is, where a painter has to know.
BLOCK = int(QTextFormat.Property.UserProperty) + 1
Block = Literal["text", "item", "heading", "code", "quote", "row", "question", "note"]
Style = Literal["text", "draft", "note"]

_HEADING = re.compile(r"#{1,6}\s+")
_ITEM = re.compile(r"(\s*)([-*+•–·▪◦]|\(?(?:\d{1,3}|[a-zA-Z])[.)])\s+")
_QUOTE = re.compile(r">\s?")
_FENCE = re.compile(r"\s*(```|~~~)")
_RULE_OF_TABLE = re.compile(r"\s*\|?[\s:|-]+\|[\s:|-]*")
_EMPHASIS = re.compile(
    r"`(?P<code>[^`\n]+)`"
    r"|\*\*(?P<bold>[^\s*](?:[^*\n]*[^\s*])?)\*\*"
    r"|(?<![\w*])\*(?P<italic>[^\s*](?:[^*\n]*[^\s*])?)\*(?![\w*])"
)
#: Of the addresses of citations, the only ones there are: behind it, which of `Writer.chips`.
SCHEME = "cite"
#: Of a draft's line so much is there that its beginning says what it is.
_SETTLED = 8
#: Between a sentence and its first citation, and between that and the next: they stay on its line.
GAP, _THIN = "\u202f\u202f", "\u202f"


@dataclass(frozen=True, slots=True)
class Chip:
    """A citation in the document."""

    start: int  # positions, with its brackets
    end: int
    exchange: int
    number: int
    doubtful: bool
    unread: bool  # whether the source says it could not be told


@dataclass(frozen=True, slots=True)
class _State:
    """Where writing goes on."""

    block: bool = True  # with a new block
    gap: bool = False  # apart from what is above
    code: bool = False  # within a fence
    line: int = 0  # characters of the line so far


class Writer:
    """Writes at the end of a document."""

    def __init__(self, document: QTextDocument, base: QFont, c: theme.Colours) -> None:
        self._document, self._base, self._c = document, base, c
        self.chips: list[Chip] = []
        self._state = _State()
        self._tail = ""  # what stands there until something takes its place
        self._mark = 0  # where that begins
        self._before = _State()
        self._formats = (QTextBlockFormat(), QTextCharFormat())  # of the block where it begins
        document.clear()
        document.setUndoRedoEnabled(False)
        document.setDefaultFont(base)
        document.setDocumentMargin(2 * GRID)
        option = document.defaultTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        document.setDefaultTextOption(option)
        self._empty = True

    # What is written

    def question(self, text: str) -> int:
        """A question, as it was typed; the position where it begins."""
        self.drop_tail()
        self._begin("question", gap=not self._empty)
        start = self._cursor().position()
        self._put(" ".join(text.split()), self._char("question", "text"))
        self._state = _State(gap=True)
        return start

    def sentence(self, before: str, text: str, citations: Sequence[Citation], of: int) -> None:
        """A proven sentence, its citations behind it; `of`: which exchange it is in."""
        self.drop_tail()
        self._write(before + text, "text")
        if not citations:
            return
        if self._state.block and not self._state.code:  # a piece of code has ended
            self._begin("text", gap=True)
            self._state = replace(self._state, block=False, gap=False)
        for gap, citation in zip((GAP, *repeat(_THIN, len(citations) - 1)), citations, strict=True):
            self._put(gap, self._char("text", "text"))
            self._chip(citation, of)
        self._state = replace(self._state, line=_SETTLED)

    def note(self, text: str) -> None:
        """A quiet line of Inkling's own below an answer."""
        self.drop_tail()
        self._begin("note", gap=True)
        self._put(text, self._char("note", "note"))
        self._state = _State(gap=True)

    def tail(self, text: str, style: Style) -> None:
        """What stands at the end until something takes its place: a draft, what is waited for."""
        if text == self._tail:
            return
        more = text[len(self._tail) :]
        ready = self._state.line >= _SETTLED and not self._state.block
        if self._tail and text.startswith(self._tail) and "\n" not in more and ready:
            self._put(more, self._char("code" if self._state.code else "text", style))
        else:
            self.drop_tail()
            self._hold()
            if style == "note":
                self._begin("note", gap=True)
                self._put(text, self._char("note", "note"))
            else:
                self._write(text, style)
        self._tail = text

    def drop_tail(self) -> None:
        """Take that away."""
        if not self._tail:
            return
        cursor = self._cursor()
        cursor.setPosition(self._mark, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        # What is left of two blocks takes the format of the second where the first is empty.
        cursor.setBlockFormat(self._formats[0])
        cursor.setBlockCharFormat(self._formats[1])
        self._state, self._tail = self._before, ""

    def _hold(self) -> None:
        cursor = self._cursor()
        self._mark, self._before = cursor.position(), self._state
        self._formats = (cursor.blockFormat(), cursor.blockCharFormat())

    # Blocks

    def _write(self, text: str, style: Style) -> None:
        for number, line in enumerate(text.split("\n")):
            if number:
                self._state = replace(self._state, block=True, line=0)
            self._line(line, style)

    def _line(self, line: str, style: Style) -> None:
        state = self._state
        if not state.block:  # it goes on
            self._runs(line, "code" if state.code else "text", style)
            self._state = replace(state, line=state.line + len(line))
        elif _FENCE.match(line):
            self._state = _State(gap=True, code=not state.code)
        elif state.code:
            self._begin("code", gap=state.gap)
            self._put(line, self._char("code", style))
            self._state = replace(state, block=False, gap=False, line=len(line))
        elif not line.strip():
            self._state = replace(state, gap=True)
        elif not _RULE_OF_TABLE.fullmatch(line):
            kind, shown, depth = _read(line)
            self._begin(kind, gap=state.gap or kind == "heading", depth=depth)
            self._runs(shown, kind, style)
            self._state = replace(state, block=False, gap=False, line=len(line))

    def _begin(self, kind: Block, *, gap: bool, depth: int = 0) -> None:
        """A new block at the end."""
        form = QTextBlockFormat()
        form.setProperty(BLOCK, kind)
        form.setLineHeight(128.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        above = {"question": 3 * GRID, "heading": 2 * GRID}.get(kind, GRID + HALF)
        form.setTopMargin(0 if self._empty else above if gap else HALF)
        if kind == "item":
            step = round(2.5 * GRID)
            form.setLeftMargin(step * (depth + 1))
            form.setTextIndent(-step)
            tabs = [QTextOption.Tab(step, QTextOption.TabType.LeftTab)]
            form.setTabPositions(tabs)
        elif kind in ("code", "quote"):
            form.setLeftMargin(GRID + HALF)
            form.setRightMargin(GRID + HALF)
            if kind == "code":
                form.setTopMargin(2 * GRID if gap else 0)
                form.setLineHeight(112.0, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor = self._cursor()
        if self._empty:
            cursor.setBlockFormat(form)
        else:
            cursor.insertBlock(form)
        cursor.setBlockCharFormat(self._char(kind, "text"))
        self._empty = False

    # Letters

    def _runs(self, text: str, kind: Block, style: Style) -> None:
        """Text with its emphasis; of a draft, which may end within one, as it comes."""
        plain = self._char(kind, style)
        if style == "draft" or kind in ("code", "row"):
            self._put(text, plain)
            return
        for run, what in _emphasised(text):
            form = QTextCharFormat(plain)
            if what == "code":
                form.setFontFamilies(theme.fixed_font().families())
                form.setBackground(self._c.raised)
            elif what == "bold":
                form.setFontWeight(QFont.Weight.DemiBold)
            elif what == "italic":
                form.setFontItalic(True)
            self._put(run, form)

    def _char(self, kind: Block, style: Style) -> QTextCharFormat:
        form = QTextCharFormat()
        size = self._base.pointSizeF()
        colour = self._c.text
        if kind in ("code", "row"):
            form.setFontFamilies(theme.fixed_font().families())
            form.setFontPointSize(size - 1)
        elif kind in ("heading", "question"):
            form.setFontWeight(QFont.Weight.DemiBold)
            form.setFontPointSize(size + (1 if kind == "question" else 0.5))
        elif kind == "note":
            form.setFontPointSize(size - 1)
        if style != "text" or kind == "quote":
            colour = self._c.muted
        form.setForeground(colour)
        return form

    def _chip(self, citation: Citation, of: int) -> None:
        """[1]: the brackets are there for who copies it or hears it, and are the room of a shape
        that the view paints."""
        plain = self._char("text", "text")
        start = self._cursor().position()
        form = QTextCharFormat(plain)
        form.setAnchor(True)
        form.setAnchorHref(f"{SCHEME}:{len(self.chips)}")
        form.setFontPointSize(max(self._base.pointSizeF() - 1.5, 6))
        form.setFontWeight(QFont.Weight.Medium)
        form.setForeground(self._c.muted if citation.doubtful else self._c.link)
        hidden = QTextCharFormat(form)
        hidden.setForeground(QColor(0, 0, 0, 0))
        said = f"{citation.number}{'?' if citation.doubtful else ''}"
        for text, its in (("[", hidden), (said, form), ("]", hidden)):
            self._put(text, its)
        end = self._cursor().position()
        unread = citation.support is None and not citation.doubtful
        self.chips.append(Chip(start, end, of, citation.number, citation.doubtful, unread))

    def _put(self, text: str, form: QTextCharFormat) -> None:
        self._cursor().insertText(text.replace("\u2029", " "), form)

    def _cursor(self) -> QTextCursor:
        cursor = QTextCursor(self._document)
        cursor.movePosition(QTextCursor.MoveOperation.End)
        return cursor


def _read(line: str) -> tuple[Block, str, int]:
    """What a line is, what is shown of it, and how deep it stands."""
    if found := _HEADING.match(line):
        return "heading", line[found.end() :], 0
    if found := _ITEM.match(line):
        sign = found[2] if found[2][-1] in ".)" else "•"
        return "item", f"{sign}\t{line[found.end() :]}", min(len(found[1]) // 2, 3)
    if found := _QUOTE.match(line):
        return "quote", line[found.end() :], 0
    if line.lstrip().startswith("|"):
        return "row", line, 0
    return "text", line.lstrip(), 0


def _emphasised(text: str) -> Iterator[tuple[str, str]]:
    """Runs of text and how each is set: "", code, bold or italic."""
    at = 0
    for found in _EMPHASIS.finditer(text):
        if found.start() > at:
            yield text[at : found.start()], ""
        what = found.lastgroup or ""
        yield found[what], what
        at = found.end()
    if at < len(text):
        yield text[at:], ""
