"""What hangs on a PDF's pages beside their print: remarks, form fields, link targets, files."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

#: Kinds of annotations whose words are printed on the page, or that are no words.
_PRINTED = ("FreeText", "Widget", "Link", "Popup")
_FILE = "FileAttachment"
_ADDRESS = re.compile(r"[A-Za-z][\w+.-]*:")
_MOST_LINKS = 40  # of one page
_MOST_FILES = 500


def remarks(page: Any, text: str) -> str:
    """Notes, comments on highlights, values of fields and targets of links that the page's text
    does not hold, a line each."""
    found: dict[str, None] = {}
    with suppress(Exception):  # a damaged annotation must not lose the page
        if page.first_annot is not None:
            for annotation in page.annots():
                if annotation.type[1] not in _PRINTED:
                    found[(annotation.info.get("content") or "").strip()] = None
    with suppress(Exception):
        if page.first_widget is not None:
            for widget in page.widgets():
                found[str(widget.field_value or "").strip()] = None
                found[str(widget.field_label or "").strip()] = None
    with suppress(Exception):
        link, links = page.first_link, 0
        while link is not None and links < _MOST_LINKS:
            if _ADDRESS.match(uri := link.uri or ""):  # others lead within the document
                found[uri] = None
            link, links = link.next, links + 1
    if not any(found):
        return ""
    held = _squeezed(text)
    told = (line for line in found if line not in ("", "Off") and _squeezed(line) not in held)
    return "\n".join(told)


def _squeezed(text: str) -> str:
    return "".join(text.split())


def pinned_files(page: Any) -> list[tuple[str, bytes]]:
    """Files that are pinned to a page, by name."""
    found: list[tuple[str, bytes]] = []
    with suppress(Exception):
        if page.first_annot is not None:
            for annotation in page.annots():
                if annotation.type[1] == _FILE:
                    name = annotation.file_info.get("filename") or "attachment"
                    found.append((name, bytes(annotation.get_file())))
    return found


def embedded_files(document: Any) -> list[tuple[str, bytes]]:
    """Files that are embedded in a document, by name; those that are damaged are left out."""
    names: list[str] = []
    with suppress(Exception):
        names = document.embfile_names()
    found: list[tuple[str, bytes]] = []
    for name in names[:_MOST_FILES]:
        with suppress(Exception):
            info = document.embfile_info(name)
            shown = info.get("ufilename") or info.get("filename") or name
            found.append((shown, bytes(document.embfile_get(name))))
    return found
