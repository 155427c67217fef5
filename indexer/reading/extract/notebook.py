"""Jupyter notebooks: prose and code cells in order, under the headings of the prose."""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

from indexer.reading.extract.base import ExtractError, Extraction, ExtractOptions, Extractor, Part
from indexer.reading.extract.encodings import clean, decode
from indexer.reading.extract.web import html_text

_HEADING = re.compile(r"^(#{1,6})\s+(.+?)\s*#*$", re.MULTILINE)
#: Characters of what a cell printed: of its beginning and of its end.
_OUTPUT_HEAD, _OUTPUT_TAIL = 8_000, 4_000
#: Forms of a result, the one that says most first;
#: behind them their names of before 2015.
_FORMS = ("text/markdown", "text/html", "image/svg+xml", "text/latex", "text/plain",
          "application/json", "html", "svg", "latex", "json")  # fmt: skip
_MARKUP = frozenset({"text/html", "image/svg+xml", "html", "svg"})
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_ALIKE = 4  # lines of such a run that are kept at either end
_ESCAPES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
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
        if output.get("output_type") in ("error", "pyerr"):
            said = [f"{output.get('ename', '')}: {output.get('evalue', '')}"]
            said += map(str, output.get("traceback", []))
            texts.append(_ESCAPES.sub("", "\n".join(said)))
        else:
            texts.append(_result(output.get("data") or output) or _joined(output.get("text") or ""))
    text = _without_repeats(_DATA_URI.sub("", "\n".join(filter(None, texts))))
    if len(text) <= _OUTPUT_HEAD + _OUTPUT_TAIL:
        return text
    return f"{text[:_OUTPUT_HEAD]}\n…\n{text[-_OUTPUT_TAIL:]}"


def _without_repeats(text: str) -> str:
    """Of lines that differ in their numbers alone, as training prints them, the first and last."""
    lines: list[str] = []
    for _, group in groupby(text.split("\n"), lambda line: _DIGITS.sub("#", line)):
        alike = list(group)
        if len(alike) > 3 * _ALIKE:
            alike[_ALIKE:-_ALIKE] = ["…"]
        lines += alike
    return "\n".join(lines)


def _result(data: dict[str, Any]) -> str:
    """What a person sees of a result."""
    for form in _FORMS:
        if text := _joined(data.get(form) or ""):
            text = html_text(text) if form in _MARKUP else text
            if text.strip():
                return text
    return ""


def _joined(value: object) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


EXTRACTORS = (
    Extractor(
        "notebook",
        3,
        frozenset({"ipynb"}),
        "code",
        extract,
        processor_s=30,
        reads="prose, code, what cells printed, results, errors",
    ),
)
