"""Tasks of a folder, for machines without a network: `corpus.jsonl` (`_id`, `title`, `text` or
`image`, a path in the folder), `queries.jsonl` (`_id`, `text`), `qrels.tsv` (query, document,
score)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

from datasets import Dataset
from mteb import TaskMetadata
from mteb.abstasks import AbsTaskRetrieval
from PIL import Image

from engine.contract.errors import InklingError


def task_of(folder: Path) -> AbsTaskRetrieval:
    """The task that a folder holds; InklingError if it holds none."""
    for name in ("corpus.jsonl", "queries.jsonl", "qrels.tsv"):
        if not (folder / name).is_file():
            raise InklingError(f"{folder} holds no task: there is no {name} in it.")
    corpus, queries = _rows(folder, "corpus.jsonl"), _rows(folder, "queries.jsonl")
    judged: dict[str, dict[str, int]] = {}
    with (folder / "qrels.tsv").open(encoding="utf-8", newline="") as file:
        for row in csv.reader(file, delimiter="\t"):
            if len(row) == 3 and row[2].strip().isdigit():  # not the head
                judged.setdefault(row[0], {})[row[1]] = int(row[2])
    seen = "image" in corpus[0]
    described = TaskMetadata(
        name=folder.name,
        description=f"The questions of {folder.name}.",
        dataset={"path": str(folder), "revision": "1"},
        type="DocumentUnderstanding" if seen else "Retrieval",
        category="t2i" if seen else "t2t",
        modalities=["text", "image"] if seen else ["text"],
        eval_splits=["test"],
        eval_langs=["eng-Latn"],
        main_score="ndcg_at_10",
        domains=["Written"],
    )

    class FolderTask(AbsTaskRetrieval):
        metadata = described

        def load_data(self, **_: Any) -> None:
            self.dataset = {
                "default": {
                    "test": {
                        "corpus": Dataset.from_list(corpus),
                        "queries": Dataset.from_list(queries),
                        "relevant_docs": judged,
                        "top_ranked": None,
                    }
                }
            }
            self.data_loaded = True

    return FolderTask()


def _rows(folder: Path, name: str) -> list[dict[str, Any]]:
    rows = []
    for line in (folder / name).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        kept = {"id": str(row["_id"])}
        if "image" in row:
            with Image.open(folder / row["image"]) as picture:
                rows.append({**kept, "image": picture.convert("RGB")})
        else:
            rows.append({**kept, "title": row.get("title", ""), "text": row.get("text", "")})
    if not rows:
        raise InklingError(f"{folder / name} is empty.")
    return rows
