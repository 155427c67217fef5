"""The sample library keeps its promises: small, complete, and every question's answer is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

QUESTIONS = Path(__file__).resolve().parents[1] / "resources" / "sample" / "questions.jsonl"
ROWS: list[dict[str, Any]] = [
    json.loads(line) for line in QUESTIONS.read_text(encoding="utf-8").splitlines()
]


def test_the_library_is_small_and_varied(sample_library: Path) -> None:
    files = [path for path in sample_library.rglob("*") if path.is_file()]
    assert 40 <= len(files) <= 60
    assert sum(path.stat().st_size for path in files) < 6_000_000
    assert len({path.suffix for path in files}) >= 18


def test_every_file_is_asked_for(sample_library: Path) -> None:
    files = {str(p.relative_to(sample_library)) for p in sample_library.rglob("*") if p.is_file()}
    assert files == {row["path"] for row in ROWS if row["path"]}


def test_questions_are_of_every_sort() -> None:
    assert len(ROWS) >= 40
    assert len({row["query"] for row in ROWS}) == len(ROWS)
    assert {row["asks"] for row in ROWS} == {"semantic", "exact", "filtered", "none"}
    assert {row["kind"] for row in ROWS} == {"screenshot", "image", "pdf", "code", "note", None}
    assert all((row["asks"] == "none") == (row["path"] is None) for row in ROWS)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "page" in row], ids=lambda row: row["query"]
)
def test_pages_exist(row: dict[str, Any], sample_library: Path) -> None:
    import pymupdf

    with pymupdf.open(sample_library / row["path"]) as document:
        assert 1 <= row["page"] <= len(document)


@pytest.mark.parametrize(
    "row", [row for row in ROWS if "lines" in row], ids=lambda row: row["query"]
)
def test_lines_hold_the_symbol(row: dict[str, Any], sample_library: Path) -> None:
    lines = (sample_library / row["path"]).read_text(encoding="utf-8").splitlines()
    first, last = row["lines"]
    assert 1 <= first <= last <= len(lines)
    assert row.get("symbol", "") in lines[first - 1]
