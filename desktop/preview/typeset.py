"""A Markdown document set to be read: spacing, headings, code, tables, notes at its head."""

from __future__ import annotations

import re
from collections.abc import Iterator

from PySide6.QtGui import (
    QColor,
    QFont,
    QTextBlock,
    QTextBlockFormat,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
    QTextFormat,
    QTextFrameFormat,
    QTextTable,
    QTextTableCellFormat,
)

from desktop import theme
from desktop.presentation import highlight
from desktop.theme import GRID, HALF

#: Steps that a heading is larger than the text, by its level: 1.5 and 1.2 times.
_LARGER = {1: 2, 2: 1}
_KEEP = QTextCursor.MoveMode.KeepAnchor
_IMAGE = "\ufffc"
_HEAD = re.compile(r"\A---[ \t]*\n(.*?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
_MOST_HEAD = 12  # lines of a note's head that are shown
#: Of a block: it belongs to the note's head.
IS_HEAD = int(QTextFormat.Property.UserProperty) + 1
_PROPERTY = QTextFormat.Property


def split_head(text: str) -> tuple[list[str], str]:
    """The lines of a note's head (front matter), and the note without it."""
    found = _HEAD.match(text)
    if found is None:
        return [], text
    lines = [line.rstrip() for line in found[1].split("\n") if line.strip()]
    if len(lines) > _MOST_HEAD:
        lines = [*lines[:_MOST_HEAD], "…"]
    return lines, text[found.end() :]


def is_code(block: QTextBlock) -> bool:
    """Fenced or indented."""
    return bool(block.blockFormat().hasProperty(_PROPERTY.BlockCodeLanguage))


def quoted(block: QTextBlock) -> int:
    """How deep a quotation is: 0 for none."""
    return int(block.blockFormat().intProperty(_PROPERTY.BlockQuoteLevel))


def set_document(document: QTextDocument, text: str, base: QFont, c: theme.Colours) -> None:
    """Fill a document with Markdown; `base`: the font of its text."""
    features = QTextDocument.MarkdownFeature
    head, text = split_head(text)
    document.setUndoRedoEnabled(False)
    document.setIndentWidth(3 * GRID)
    document.setMarkdown(text, features.MarkdownDialectGitHub | features.MarkdownNoHTML)
    cursor = QTextCursor(document)
    cursor.beginEditBlock()
    _pictures_to_words(document, c)
    for block in blocks(document):
        _set_block(cursor, block, base, c)
    _colour_code(document, cursor, c)
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            _style_table(frame, c)
    _put_head(document, head, base, c)
    cursor.endEditBlock()


def blocks(document: QTextDocument) -> Iterator[QTextBlock]:
    """All of a document."""
    block = document.begin()
    while block.isValid():
        yield block
        block = block.next()


def _put_head(document: QTextDocument, lines: list[str], base: QFont, c: theme.Colours) -> None:
    """The head in small and muted lines above the note."""
    if not lines:
        return
    look = QTextCharFormat()
    look.setFont(theme.font(base, -1))
    look.setForeground(c.muted)
    style = QTextBlockFormat()
    style.setProperty(IS_HEAD, True)
    cursor = QTextCursor(document)
    first = document.begin()
    given, given_look = first.blockFormat(), first.charFormat()
    cursor.insertBlock(given, given_look)  # what was the first block goes on below
    for number, line in enumerate(lines):
        cursor.setPosition(document.findBlockByNumber(number).position())
        style.setBottomMargin(2 * GRID if number == len(lines) - 1 else 2)
        cursor.setBlockFormat(style)
        cursor.insertText(line, look)
        if number < len(lines) - 1:
            cursor.insertBlock(style, look)


def _pictures_to_words(document: QTextDocument, c: theme.Colours) -> None:
    """None is fetched, from the disk or from the network: what they are called instead."""
    cursor = document.find(_IMAGE)
    while not cursor.isNull():
        given = cursor.charFormat().toImageFormat()
        name = given.stringProperty(_PROPERTY.ImageAltText) or given.name().rsplit("/", 1)[-1]
        look = QTextCharFormat()
        look.setForeground(c.muted)
        look.setFontItalic(True)
        cursor.insertText(f"[{name}]" if name else "", look)
        cursor = document.find(_IMAGE, cursor)


def _set_block(cursor: QTextCursor, block: QTextBlock, base: QFont, c: theme.Colours) -> None:
    cursor.setPosition(block.position())
    cursor.mergeBlockFormat(_block_style(block, cursor.currentTable() is not None, c))
    level = block.blockFormat().headingLevel()
    if level or quoted(block):
        cursor.setPosition(block.position() + block.length() - 1, _KEEP)
        cursor.mergeCharFormat(_heading(level, c) if level else _coloured(c.muted))
    fixed = QTextCharFormat()
    fixed.setFontFamilies(theme.fixed_font().families())
    fixed.setFontPointSize(max(base.pointSizeF() - 0.5, 1.0))
    if not is_code(block):
        fixed.setBackground(c.raised)
    for part in block.textFormats():
        if part.format.fontFixedPitch() or is_code(block):
            cursor.setPosition(block.position() + part.start)
            cursor.setPosition(block.position() + part.start + part.length, _KEEP)
            cursor.mergeCharFormat(fixed)


def _heading(level: int, c: theme.Colours) -> QTextCharFormat:
    """Half as large again as the text and less: Qt makes the first level twice as large."""
    style = QTextCharFormat()
    style.setProperty(_PROPERTY.FontSizeAdjustment, _LARGER.get(level, 0))
    style.setFontWeight(QFont.Weight.DemiBold)
    if level > 3:
        style.setForeground(c.muted)
    return style


def _coloured(colour: QColor) -> QTextCharFormat:
    style = QTextCharFormat()
    style.setForeground(colour)
    return style


def _colour_code(document: QTextDocument, cursor: QTextCursor, c: theme.Colours) -> None:
    """Blocks of code in the colours of their language."""
    for lines in _code(document):
        language = lines[0].blockFormat().stringProperty(_PROPERTY.BlockCodeLanguage)
        text = "\n".join(block.text() for block in lines)
        start = lines[0].position()
        for run in highlight.runs_in(text, language):
            cursor.setPosition(start + run.start)
            cursor.setPosition(start + run.start + run.length, _KEEP)
            cursor.mergeCharFormat(_coloured(highlight.colour(run.role, c.dark)))


def _code(document: QTextDocument) -> Iterator[list[QTextBlock]]:
    """The lines of each block of code."""
    found: list[QTextBlock] = []
    for block in blocks(document):
        if is_code(block) and (not found or same_code(found[-1], block)):
            found.append(block)
        elif found:
            yield found
            found = [block] if is_code(block) else []
    if found:
        yield found


def same_code(above: QTextBlock, below: QTextBlock) -> bool:
    """Whether two lines are of one block of code."""
    key = _PROPERTY.BlockCodeLanguage
    return bool(
        above.isValid()
        and below.isValid()
        and is_code(above)
        and is_code(below)
        and above.blockFormat().property(key) == below.blockFormat().property(key)
        and above.blockFormat().indent() == below.blockFormat().indent()
    )


def _style_table(table: QTextTable, c: theme.Colours) -> None:
    """Hairlines, room around the text, a bold head: Qt's reader leaves its first cell plain."""
    style = table.format().toTableFormat()
    style.setBorder(1)
    style.setBorderBrush(c.line)
    style.setBorderStyle(QTextFrameFormat.BorderStyle.BorderStyle_Solid)
    style.setBorderCollapse(True)
    style.setCellPadding(6)
    style.setTopMargin(GRID)
    style.setBottomMargin(GRID)
    table.setFormat(style)
    for column in range(table.columns()):
        cell = table.cellAt(0, column)
        look = QTextTableCellFormat()
        look.setFontWeight(QFont.Weight.DemiBold)
        look.setVerticalAlignment(QTextCharFormat.VerticalAlignment.AlignTop)
        look.setBackground(c.raised)
        cell.setFormat(look)
        cursor = cell.firstCursorPosition()
        cursor.setPosition(cell.lastPosition(), _KEEP)
        bold = QTextCharFormat()
        bold.setFontWeight(QFont.Weight.DemiBold)
        cursor.mergeCharFormat(bold)


def _block_style(block: QTextBlock, in_table: bool, c: theme.Colours) -> QTextBlockFormat:
    """The spacing of a paragraph, heading, quotation or line of code, on the grid."""
    given, style = block.blockFormat(), QTextBlockFormat()
    if is_code(block):
        first = not same_code(block.previous(), block)
        last = not same_code(block, block.next())
        style.setLeftMargin(given.leftMargin() + GRID + HALF)
        style.setRightMargin(GRID + HALF)
        style.setTopMargin(2.5 * GRID if first else 0)
        style.setBottomMargin(2.5 * GRID if last else 0)
        style.setNonBreakableLines(False)  # a long line would make the whole note be scrolled
        return style
    style.setLineHeight(115, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
    if given.hasProperty(_PROPERTY.BlockTrailingHorizontalRulerWidth):
        style.setBackground(c.line)
        style.setTopMargin(GRID)
        style.setBottomMargin(GRID)
    elif in_table:
        style.setTopMargin(0)
        style.setBottomMargin(0)
    elif given.headingLevel():
        style.setTopMargin(2 * GRID if block.position() else 0)
        style.setBottomMargin(GRID)
    elif quoted(block):
        style.setLeftMargin(2 * GRID * quoted(block))
        style.setRightMargin(0)
        style.setTopMargin(HALF if quoted(block.previous()) else GRID + HALF)
        style.setBottomMargin(HALF if quoted(block.next()) else GRID + HALF)
    elif block.textList() is None:
        style.setTopMargin(HALF)
        style.setBottomMargin(GRID)
    else:
        style.setTopMargin(0)
        style.setBottomMargin(GRID if block.next().textList() is None else HALF)
    return style
