"""What hangs on a PDF's pages beside their print: remarks, form fields, link targets, files."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from indexer.reading.extract.base import ExtractError
from indexer.reading.extract.members import Members

#: Gives at most so many bytes of a file.
Reading = Callable[[int], bytes]

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


def pinned_files(page: Any) -> list[tuple[str, Reading]]:
    """Files that are pinned to a page, by name."""
    found: list[tuple[str, Reading]] = []
    with suppress(Exception):  # as of remarks
        if page.first_annot is not None:
            for annotation in page.annots():
                if annotation.type[1] == _FILE:
                    found.append(_pinned(annotation))
    return found


def _pinned(annotation: Any) -> tuple[str, Reading]:
    """Read while its page is at hand."""
    name, data = "attachment", None
    with suppress(Exception):
        name = annotation.file_info.get("filename") or name
        data = bytes(annotation.get_file())

    def read(most: int) -> bytes:
        if data is None:
            raise ExtractError("broken")
        return data[:most]

    return name, read


def add_embedded_files(document: Any, members: Members) -> list[str]:
    """Add the files that are embedded in a document; what else is to be told of them."""
    try:
        names: list[str] = document.embfile_names()
    except Exception:  # noqa: BLE001 - a damaged list must not lose the pages
        return ["The list of files attached to it is damaged; these are not read."]
    for name in names[:_MOST_FILES]:
        shown = name
        with suppress(Exception):
            info = document.embfile_info(name)
            shown = info.get("ufilename") or info.get("filename") or name

        def read(most: int, name: str = name) -> bytes:
            try:
                return bytes(document.embfile_get(name))[:most]
            except Exception as error:
                raise ExtractError("broken") from error

        members.add(shown, read)
    if len(names) > _MOST_FILES:
        return [f"Only the first {_MOST_FILES} of {len(names):,} files attached to it are read."]
    return []
