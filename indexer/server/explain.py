"""Explain: why a file is, or is not, in the index and among the answers to a query."""

from __future__ import annotations

import os
from typing import Any

from engine.contract.errors import REASONS
from engine.contract.types import Query
from indexer.indexing.index import Index
from indexer.ledger.ledger import FileRecord, Ledger
from indexer.sources.ignore import IgnoreRules


def explain(
    index: Index, rules: IgnoreRules, path: str, query: Query | None = None
) -> dict[str, Any]:
    """State, reason and rule of one file, its units, and for a query its place in each lane."""
    path = os.path.abspath(path)
    record = index.ledger.file(path)
    if record is None:
        return {"path": path, **_unknown(index, rules, path)}
    answer: dict[str, Any] = {
        "path": path,
        "state": record.state,
        "reason": record.reason,
        "sentence": REASONS[record.reason].sentence if record.reason else "",
        "detail": record.detail,
        "rule": record.rule,
        "kind": record.kind,
        "units": _units(index, record),
    }
    if query is not None:
        answer["query"] = index.engine.explain(query, record.id)
    return answer


def _units(index: Index, record: FileRecord) -> list[dict[str, Any]]:
    return [
        {
            "page": row.page,
            "lines": row.lines,
            "symbol": row.symbol,
            "context": row.context,
            "text": row.text[:200],
        }
        for row in index.engine.file_rows(record.id)
    ]


def _unknown(index: Index, rules: IgnoreRules, path: str) -> dict[str, Any]:
    """What the ledger does not know: a folder, or outside the folders, ignored, not there."""
    root = index.root_of(path)
    if not root:
        sentence = "It is in none of the watched folders; add one with `inkling add`."
        return {"state": "unknown", "reason": "outside", "sentence": sentence, "rule": ""}
    if not os.path.lexists(path):
        sentence = "There is no such file."
        return {"state": "unknown", "reason": "missing", "sentence": sentence, "rule": ""}
    ignored = rules.decision(root, path, os.path.isdir(path)) if path != root else None
    if ignored is not None:
        sentence = f"It is left out by the rule “{ignored.rule}” in {ignored.source}."
        return {"state": "ignored", "reason": "ignored", "sentence": sentence, "rule": ignored.rule}
    if os.lstat(path).st_dev != os.stat(root).st_dev:
        sentence = "It is on a disk of its own inside the folder; add that disk with `inkling add`."
        return {"state": "unknown", "reason": "other-disk", "sentence": sentence, "rule": ""}
    if os.path.isdir(path) and not os.path.islink(path):
        return {
            "state": "folder",
            "reason": "",
            "sentence": _of_folder(index.ledger, path),
            "rule": "",
        }
    if os.path.islink(path):
        sentence = "It is a symbolic link, and links are not followed."
        return {"state": "unknown", "reason": "link", "sentence": sentence, "rule": ""}
    sentence = "It has not been looked at yet; the next scan will."
    return {"state": "unknown", "reason": "unseen", "sentence": sentence, "rule": ""}


def _of_folder(ledger: Ledger, path: str) -> str:
    counts = ledger.counts_below(path)
    return f"It is a folder: {counts['done']:,} of its {sum(counts.values()):,} files are indexed."
