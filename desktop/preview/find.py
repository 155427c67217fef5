"""Find in a preview: in the text on the screen, in the pages of a document."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit

from desktop.client import Client


def find_in_text(view: QPlainTextEdit | QTextEdit, text: str, *, backwards: bool) -> bool:
    """Select the next occurrence, round the end; whether there is one."""
    flags = QTextDocument.FindFlag.FindBackward if backwards else QTextDocument.FindFlag(0)
    if view.find(text, flags):
        return True
    cursor = view.textCursor()
    end = cursor.MoveOperation.End if backwards else cursor.MoveOperation.Start
    cursor.movePosition(end)
    view.setTextCursor(cursor)
    return view.find(text, flags)


def next_page(pages: Sequence[int], here: int, *, backwards: bool) -> int:
    """The page to turn to of those (ascending, at least one) that have the text."""
    order = pages[::-1] if backwards else pages
    beyond = [p for p in order if (p < here if backwards else p > here)]
    return (beyond or order)[0]


def pages_with(client: Client, path: str, wanted: str) -> list[int]:
    """The pages of a document whose text, as indexed, contains this."""
    units = client.explain(path)["units"]
    pages = sorted({int(unit["page"]) for unit in units if unit.get("page")})
    wanted = " ".join(wanted.casefold().split())
    return [
        page for page in pages if wanted in " ".join(client.text(path, page).casefold().split())
    ]
