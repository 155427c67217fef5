"""Small Office Open XML packages, written part by part as other programs write them."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

_TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_STRICT = "http://purl.oclc.org/ooxml/officeDocument/relationships"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_NAMESPACES = (
    'xmlns:w="urn:w" xmlns:m="urn:m" xmlns:mc="urn:mc" xmlns:r="urn:r" xmlns:v="urn:v" '
    'xmlns:a="urn:a" xmlns:p="urn:p" xmlns:c="urn:c" xmlns:dgm="urn:d" xmlns:wp="urn:wp"'
)


def xml(body: str) -> str:
    """A root element around a body, with every prefix that the tests use."""
    return f"<root {_NAMESPACES}>{body}</root>"


def relations(targets: Mapping[str, str], *, strict: bool = False) -> str:
    """Relationships of these targets to their kinds; an identifier is r and the place, from 1."""
    types = _STRICT if strict else _TYPES
    rows = "".join(
        f'<Relationship Id="r{n}" Type="{types}/{kind}" Target="{target}"/>'
        for n, (target, kind) in enumerate(targets.items(), 1)
    )
    return f'<Relationships xmlns="{_RELATIONS}">{rows}</Relationships>'


def office(
    path: Path,
    main: str,
    body: str,
    others: Mapping[str, tuple[str, str]] | None = None,
    *,
    strict: bool = False,
) -> Path:
    """A package with a main part and others: by target their kind and body."""
    folder, name = main.split("/")
    others = others or {}
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("_rels/.rels", relations({main: "officeDocument"}, strict=strict))
        archive.writestr(main, xml(body))
        rows = relations({target: kind for target, (kind, _) in others.items()}, strict=strict)
        archive.writestr(f"{folder}/_rels/{name}.rels", rows)
        for target, (_, content) in others.items():
            if content:
                archive.writestr(f"{folder}/{target}", xml(content))
    return path


def word(
    path: Path,
    body: str,
    others: Mapping[str, tuple[str, str]] | None = None,
    *,
    strict: bool = False,
) -> Path:
    """A Word document of this body."""
    return office(path, "word/document.xml", f"<w:body>{body}</w:body>", others, strict=strict)


def sheet(
    path: Path, rows: str, others: Mapping[str, tuple[str, str]] | None = None, names: str = ""
) -> Path:
    """A workbook of one sheet, "Rent 2024"."""
    book = f'<sheets><sheet name="Rent 2024" r:id="r1"/></sheets>{names}'
    first = {"worksheets/sheet1.xml": ("worksheet", f"<sheetData>{rows}</sheetData>")}
    return office(path, "xl/workbook.xml", book, {**first, **(others or {})})
