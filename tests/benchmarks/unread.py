"""How often a question is taken for one that the model does not read: of English sets how many
false alarms, of others how many are told.

    python -m tests.benchmarks.unread SET_DIR…

A set is a folder with queries.jsonl; a question without `lang` counts as English.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections import Counter, defaultdict
from pathlib import Path

from engine.models.registry import MODELS
from engine.search.question_language import unread_by

EVERYDAY = Path(__file__).with_name("everyday.csv")


def questions(folders: list[Path]) -> dict[str, list[str]]:
    """By set and language."""
    found: dict[str, list[str]] = defaultdict(list)
    for folder in folders:
        for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found[f"{folder.name} {row.get('lang', 'en')}"].append(row["query"])
    with EVERYDAY.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[f"everyday {row['group']}"].append(row["question"])
    return found


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("sets", type=Path, nargs="*")
    started = time.process_time()
    unread_by(MODELS["minilm"], "loads what tells languages")
    print(f"loaded in {time.process_time() - started:.2f} s of processor time")
    for name, asked in sorted(questions(arguments.parse_args().sets).items()):
        told = [said for text in asked if (said := unread_by(MODELS["minilm"], text))]
        by = Counter(said.told.get("language", said.code) for said in told)
        share = len(told) / len(asked)
        print(f"{name:28} {len(asked):4} questions, told {share:6.1%}  {dict(by.most_common(4))}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
