"""Answers with proof: is the evidence in the prompt, and what does preparing one cost?

    python -m tests.benchmarks.answers SET_DIR… --keep DIR [--questions N]
    python -m tests.benchmarks.answers --time DIR

A set is one of `tests.benchmarks.quality`, its index kept by that under DIR/NAME. Printed is the
share of its questions with a file (or page, where pages are known) that answers among the first ten
and fifty of the search, and in the prompt, by the prompt's tokens; a token is taken for 3.6
characters. `--time`: time of a prompt beyond its search's over the library that
`tests.benchmarks.search --dir DIR` made.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("MALLOC_ARENA_MAX", "2")

import numpy as np

from engine import Engine, NameMatch
from engine.asking.asking import Asking
from engine.asking.gathering import Gathered
from engine.asking.prepared import Prepared, Room
from engine.contract.asking import Turn
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import Filters
from engine.models.registry import DEFAULT_MODEL, model_spec
from engine.search.query_run import QueryRun
from indexer.ledger.ledger import Ledger
from indexer.reading.work import name_match
from tests.benchmarks.made_library import MadeLibrary
from tests.benchmarks.quality import Question, questions
from tests.benchmarks.store_arrays import has_arrays
from tests.waiting import until

BUDGETS = (1_000, 2_000, 4_000, 8_000)
CHARACTERS = 3.6  # of a token


def count(text: str) -> int:
    """Tokens, about."""
    return round(len(text) / CHARACTERS)


@contextmanager
def opened(base: Path, model: str = DEFAULT_MODEL) -> Iterator[tuple[Engine, Ledger]]:
    """The engine over an index that is kept, with nothing that writes to it."""
    place = BaseDir(base)
    ledger = Ledger(place.ledger)

    def names(words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        return list(map(name_match, ledger.find_names(list(words), limit, filters)))

    engine = Engine(place, model_spec(model), names)
    try:
        yield engine, ledger
    finally:
        engine.close()
        ledger.close()


def ranking(runs: Sequence[QueryRun], label: Callable[[str, int | None], str]) -> list[str]:
    """What the search finds, best first, each once; of several runs the first."""
    run = runs[0]
    units = [
        i for i in np.argsort(-run.scores, kind="stable").tolist() if run.candidates.unit_ids[i]
    ]
    rows = run.candidates.rows.of([run.candidates.unit_ids[i] for i in units])
    known = (rows[run.candidates.unit_ids[i]] for i in units if run.candidates.unit_ids[i] in rows)
    return list(dict.fromkeys(label(row.file.path, row.page) for row in known))


def given(prepared: Prepared, label: Callable[[str, int | None], str]) -> set[str]:
    """What is in a prompt."""
    return {label(s.hit.path, s.hit.location.page) for s in prepared.sources}


class Evidence:
    """One set's questions with what was found for each; found once, composed often."""

    def __init__(self, folder: Path, engine: Engine, most: int | None) -> None:
        neutral = (folder / "corpus_neutral").is_dir()
        self.corpus = (folder / ("corpus_neutral" if neutral else "corpus")).resolve()
        known = questions(folder, neutral)
        paged = {q.text for q in known if q.by_page}
        chosen = [q for q in known if q.by_page or q.text not in paged]
        step = max(1, len(chosen) // most) if most else 1
        self.questions: list[Question] = chosen[::step]
        self.asking = Asking(engine)
        self.found: list[Gathered] = [
            self.asking.search(parse(q.text, plain=True)) for q in self.questions
        ]

    def label(self, question: Question) -> Callable[[str, int | None], str]:
        """How a place is called among what answers the question."""

        def name(path: str, page: int | None) -> str:
            told = str(Path(path).relative_to(self.corpus))
            return f"{told}#{page}" if question.by_page else told

        return name

    def hit_at(self, first: int) -> float:
        """Share of the questions with an answer among the first so many."""
        return statistics.fmean(
            any(x in q.grades for x in ranking(found.runs, self.label(q))[:first])
            for q, found in zip(self.questions, self.found, strict=True)
        )

    def in_prompt(self, tokens: int) -> tuple[float, float, float]:
        """Share with an answer in a prompt of so many tokens; mean sources, and mean tokens."""
        room = Room(tokens, count)
        shares, sources, spent = [], [], []
        for q, found in zip(self.questions, self.found, strict=True):
            made = self.asking.compose(found, q.text, [], room)
            assert made.tokens <= tokens
            shares.append(bool(given(made, self.label(q)) & q.grades.keys()))
            if made.sources:
                sources.append(len(made.sources))
                spent.append(made.tokens)
        return statistics.fmean(shares), statistics.fmean(sources), statistics.fmean(spent)


def evidence(folders: Sequence[Path], keep: Path, most: int | None) -> None:
    """The table."""
    head = "  ".join(f"{tokens:>6,}" for tokens in BUDGETS)
    print(f"{'set':20s} {'n':>4s} weak hit@10 hit@50  {head}  of hit@10 at 4,000; sources, tokens")
    for folder in folders:
        name = folder.name + ("-neutral" if (folder / "corpus_neutral").is_dir() else "")
        with opened(keep / name) as (engine, _):
            asked = Evidence(folder, engine, most)
            weak = sum(found.weak for found in asked.found)
            ten, fifty = asked.hit_at(10), asked.hit_at(50)
            told = {tokens: asked.in_prompt(tokens) for tokens in BUDGETS}
        shares = "  ".join(f"{told[tokens][0]:6.3f}" for tokens in BUDGETS)
        share, sources, tokens = told[4_000]
        count_of = len(asked.questions)
        print(
            f"{folder.name:20s} {count_of:4d} {weak:4d} {ten:6.3f} {fifty:6.3f}  {shares}"
            f"  {share / max(ten, 1e-9):.3f}; {sources:.1f}, {tokens:.0f}",
            flush=True,
        )


def timed(place: Path, asked: int) -> None:
    """What preparing costs beyond the search, of a question and of one that follows another."""
    spec = model_spec(DEFAULT_MODEL)
    library = MadeLibrary(spec.dim, spec.token_dim)
    with opened(place / "base") as (engine, _):
        library.learn(engine)
        until(lambda: has_arrays(engine.store), "for the arrays", seconds=1_800)
        texts = [library.text(3 + n % 6) for n in range(asked + 5)]
        asking, room = Asking(engine), Room(4_000, count)
        before = Turn(texts[0], "Said before.", ("1:0", "2:0"))
        work: dict[str, Callable[[str], object]] = {
            "search to its last answer": lambda text: list(engine.search(parse(text))),
            "runs of the search": lambda text: engine.runs(parse(text)),
            "question to prompt": lambda text: asking.prepare(parse(text), text, [], room),
            "of one that follows": lambda text: asking.prepare(parse(text), text, [before], room),
        }
        took: dict[str, list[tuple[float, float]]] = {what: [] for what in work}
        for text in texts:
            for what, done in work.items():
                before_it = time.perf_counter(), time.process_time()
                done(text)
                clock, processor = time.perf_counter(), time.process_time()
                took[what].append((clock - before_it[0], processor - before_it[1]))
        print(f"{engine.count()} units; milliseconds of {asked} questions: clock, processor time")
        for what, each in took.items():
            rest = np.array(each[5:]) * 1000
            middle, least = np.median(rest, axis=0), rest.min(axis=0)
            told = ", ".join(
                f"{a:6.1f} (least {b:6.1f})" for a, b in zip(middle, least, strict=True)
            )
            print(f"  {what:28s} {told}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sets", nargs="*", type=Path, metavar="SET_DIR")
    parser.add_argument("--keep", type=Path, help="where the indexes are kept")
    parser.add_argument("--questions", type=int, help="of each set, about so many")
    parser.add_argument("--time", type=Path, metavar="DIR", help="of tests.benchmarks.search")
    options = parser.parse_args()
    if options.time:
        timed(options.time, 40)
    if options.sets:
        evidence(options.sets, options.keep, options.questions)
    return 0


if __name__ == "__main__":
    sys.exit(main())
