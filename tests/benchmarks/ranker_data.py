"""What the ranker is fitted on: every candidate's features for questions whose answer is known.

    python -m tests.benchmarks.ranker_data SET_DIR… [--model ID] --keep DIR --out DIR

Each set (see tests.benchmarks.quality), and the sample library with its everyday questions, is
asked its own questions, names made from its own files, and questions of the other sets, which it
can't answer. One file OUT/SET.npz each, for `python -m engine.search.training.fit_ranker`; --keep
keeps the indexes for the next run.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engine.contract.query import parse
from engine.contract.settings import DEFAULT_MODEL
from engine.search.query_run import QueryRun
from indexer.server.lifecycle import Indexer
from tests.benchmarks import everyday
from tests.benchmarks.quality import index, questions

#: Of each set, so many files are asked for by their names, of others so many questions and names of
#: files, and so many questions whose words are none.
NAMED, FOREIGN, FOREIGN_NAMES, SCRAMBLED = 60, 60, 40, 30


@dataclass(frozen=True)
class Asked:
    """A question, the grades of its answers by path or path#page, and where it comes from."""

    text: str
    grades: dict[str, int]
    by_page: bool
    origin: str  # "own", "name", "foreign"


@dataclass(frozen=True)
class JudgedSet:
    """A folder of files, and what it is asked."""

    name: str
    corpus: Path
    own: Sequence[Asked]
    with_names: bool  # its files have the names that people gave them

    @property
    def files(self) -> list[str]:
        """Below the folder, in order."""
        found = (path for path in self.corpus.rglob("*") if path.is_file())
        return sorted(str(path.relative_to(self.corpus)) for path in found)


def set_in(folder: Path) -> JudgedSet:
    """A set of tests.benchmarks.quality."""
    neutral = (folder / "corpus_neutral").is_dir()
    own = [Asked(q.text, q.grades, q.by_page, "own") for q in questions(folder, neutral)]
    corpus = (folder / ("corpus_neutral" if neutral else "corpus")).resolve()
    return JudgedSet(folder.name + ("-neutral" if neutral else ""), corpus, own, not neutral)


def everyday_set() -> JudgedSet:
    """The sample library and its everyday questions."""
    made = JudgedSet("everyday", everyday.LIBRARY, [], True)
    ranks = {path: f" {path.replace('/', ' ')}" for path in made.files}
    own = []
    for asked in everyday.questions():
        ends = tuple(f" {answer}" for answer in asked.answers)
        grades = {path: 1 for path, spoken in ranks.items() if spoken.endswith(ends)}
        own.append(Asked(asked.question, grades, False, "own"))
    return JudgedSet(made.name, made.corpus, own, True)


def name_questions(files: Sequence[str], chance: random.Random) -> Iterator[Asked]:
    """Files by their names as people type them: whole, the words in any order, begun, misspelt."""
    by_stem: dict[str, list[str]] = {}
    for path in files:
        by_stem.setdefault(Path(path).stem, []).append(path)
    telling = sorted(stem for stem in by_stem if re.search(r"[^\W\d_]{4}", stem))
    for n, stem in enumerate(chance.sample(telling, min(NAMED, len(telling)))):
        words = re.findall(r"[^\W_]+", stem)
        typed = [stem, " ".join(words)]
        chance.shuffle(words)
        typed.append(" ".join(words))
        typed.append(stem[: max(4, len(stem) * 2 // 3)])
        place = chance.randrange(1, max(2, len(stem) - 1))
        typed.append(stem[:place] + stem[place + 1 :])
        yield Asked(typed[n % len(typed)], dict.fromkeys(by_stem[stem], 1), False, "name")


def scrambled(questions: Sequence[str], chance: random.Random) -> list[str]:
    """Of some questions up to four words, their letters in any order: words that there are not."""
    made = []
    for text in chance.sample(questions, min(SCRAMBLED, len(questions))):
        words = [word for word in re.findall(r"[^\W\d_]+", text) if len(word) > 3][:4]
        made.append(" ".join("".join(chance.sample(word, len(word))) for word in words))
    return [text for text in made if text]


def ask(indexer: Indexer, corpus: Path, asked: Asked) -> tuple[QueryRun, list[str]]:
    """The finished run, and of each candidate the path, or path#page."""
    run = indexer.index.engine.run(parse(asked.text))
    found = run.candidates
    rows = found.rows.of(found.unit_ids)
    named = {match.file.file_id: match.file.path for match in run.names}
    labels = []
    for unit_id, file_id in zip(found.unit_ids, found.file_ids, strict=True):
        row = rows.get(unit_id)
        path = named.get(file_id, "") if row is None else row.file.path
        label = str(Path(path).relative_to(corpus)) if path else ""
        labels.append(f"{label}#{row.page}" if asked.by_page and row is not None else label)
    return run, labels


def collect(indexer: Indexer, corpus: Path, everything: Sequence[Asked], out: Path) -> None:
    """Ask, and write arrays: candidates one after another, `question` says whose they are."""
    names = sorted(indexer.index.engine.run(parse("a")).weights)
    features, owner, grades, items, rescored = [], [], [], [], []
    shapes = []
    for number, asked in enumerate(everything):
        run, labels = ask(indexer, corpus, asked)
        features.append(np.stack([run.features.raw(name) for name in names], axis=1))
        owner.append(np.full(len(labels), number, np.int32))
        grades.append(np.array([asked.grades.get(label, 0) for label in labels], np.int8))
        known: dict[str, int] = {}
        items.append(np.array([known.setdefault(label, len(known)) for label in labels], np.int32))
        chosen = np.zeros(len(labels), np.bool_)
        chosen[run.rescored] = True
        rescored.append(chosen)
        shapes.append(run.signals)
        if number % 100 == 0:
            print(f"  {number} of {len(everything)}", flush=True)
    out.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        out,
        features=np.concatenate(features),
        question=np.concatenate(owner),
        grade=np.concatenate(grades),
        item=np.concatenate(items),
        rescored=np.concatenate(rescored),
        signals=np.array([[shape[key] for key in sorted(shape)] for shape in shapes], np.float32),
        meta=json.dumps(
            {
                "features": names,
                "signals": sorted(shapes[0]),
                "questions": [
                    {"text": a.text, "origin": a.origin, "by_page": a.by_page,
                     "relevant": len(a.grades), "best": sorted(a.grades.values())[::-1][:10]}
                    for a in everything
                ],
            }
        ),
    )  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET_DIR")
    parser.add_argument("--keep", type=Path, required=True, help="where the indexes are kept")
    parser.add_argument("--out", type=Path, required=True, help="where the arrays are written")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="row of engine.models.registry")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="ask these sets alone")
    options = parser.parse_args()
    sets = [everyday_set(), *map(set_in, options.sets)]
    for some in sets:
        if options.only and some.name not in options.only:
            continue
        chance = random.Random(some.name)
        options.keep.mkdir(parents=True, exist_ok=True)
        indexer, seconds = index(some.corpus, options.keep / some.name, options.model)
        print(f"{some.name}: indexed in {seconds:.0f} s", flush=True)
        try:
            names = name_questions(some.files, chance) if some.with_names else ()
            others = [q.text for other in sets if other is not some for q in other.own]
            strangers = chance.sample(others, min(FOREIGN, len(others)))
            files = [path for other in sets if other is not some for path in other.files]
            there = {Path(path).stem for path in some.files}
            missing = sorted(path for path in files if Path(path).stem not in there)
            names_of_others = [asked.text for asked in name_questions(missing, chance)]
            strangers += names_of_others[:FOREIGN_NAMES]
            strangers += scrambled([q.text for q in some.own], chance)
            foreign = (Asked(text, {}, False, "foreign") for text in strangers)
            everything = [*some.own, *names, *foreign]
            collect(indexer, some.corpus, everything, options.out / f"{some.name}.npz")
        finally:
            indexer.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
