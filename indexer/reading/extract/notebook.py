"""Jupyter notebooks: prose and code cells in order, under the headings of the prose."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.encodings import clean, decode

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$", re.MULTILINE)
_MAX_OUTPUT = 1_000  # characters of what a cell printed
_DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[\w+/=]+")


def extract(path: Path, options: ExtractOptions) -> Extraction:
    """One part a cell; small neighbours are joined by chunking."""
    try:
        notebook = json.loads(decode(path.read_bytes()))
        cells = notebook.get("cells") or [
            cell for sheet in notebook.get("worksheets", []) for cell in sheet["cells"]
        ]
        language = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")
    except (ValueError, AttributeError, KeyError, TypeError) as error:
        raise ExtractError("broken", str(error)) from error
    parts: list[Part] = []
    path_now: list[tuple[int, str]] = []
    for cell in cells:
        text = _source(cell)
        if cell.get("cell_type") in ("markdown", "heading"):
            for found in _HEADING.finditer(text):
                path_now = [step for step in path_now if step[0] < len(found[1])]
                path_now.append((len(found[1]), found[2][:200]))
        else:
            text = "\n".join(filter(None, (text, _output(cell))))
        if text.strip():
            heading = tuple(title for _, title in path_now)
            parts.append(Part(clean(text).strip(), heading=heading))
    title = next((part.heading[0] for part in parts if part.heading), "")
    return Extraction(kind="code", parts=parts, title=title, language=str(language).lower())


def _source(cell: dict[str, Any]) -> str:
    return _DATA_URI.sub("", _joined(cell.get("source", cell.get("input", ""))))


def _output(cell: dict[str, Any]) -> str:
    texts = []
    for output in cell.get("outputs", []):
        text = output.get("text") or output.get("data", {}).get("text/plain") or ""
        texts.append(_joined(text)[:_MAX_OUTPUT])
    return "\n".join(texts)[:_MAX_OUTPUT]


def _joined(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


EXTRACTORS = (Extractor("notebook", 1, frozenset({"ipynb"}), "code", extract, processor_s=30),)
