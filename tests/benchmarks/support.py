"""What tells that a source does not say what a sentence says: pairs, a fit, and what it catches.

    python -m tests.benchmarks.support SET_DIR… --keep DIR --out PAIRS_DIR [--model ID]
    python -m tests.benchmarks.support --fit PAIRS_DIR [--words] [--to FILE]

Sets as in `tests.benchmarks.answers`. Of units drawn by chance sentences are taken, as they stand
and reworded, and questions of which a set tells the page, in its language or another one: these
are supported.
Sentences of other pages, drawn by chance and of the page that is nearest, and supported ones with
another number, another name, a negation, or half of another sentence are not. `--fit` fits a
logistic model that leaves so many of the supported ones below, prints what it catches with the set
left out that it is tried on, and writes it. A number or a name that the source lacks, and a no
where it says yes, are marked whatever the model says, and count among what may be marked.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import math
import random
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.asking.support import features, nearest, other_language, wrong
from engine.engine import Engine
from engine.models.registry import DEFAULT_MODEL
from engine.search.common_words import JOINING
from engine.search.ranker import Logistic
from engine.search.sentences import sentences
from engine.search.training.logistic import fit_logistic, numbers
from engine.store import Row
from engine.store.spelling import fold
from tests.benchmarks.answers import opened

UNITS = 130  # of a set
FALSE_ALARMS = 0.05
#: Fewer pairs of a kind than this say nothing of how many of it are marked.
FEWEST = 60
#: Kinds of pairs that are supported, and how many sentences a set must have of one to count.
TRUE = ("verbatim", "told", "reworded", "fused", "translated", "asked")
#: What tells of a sentence in its source's language, and of one in another; and by words alone.
BY_ENCODER = (("held", "late", "worst", "names"), ("late", "worst", "names"))
BY_WORDS = (("held", "names"), ())
_WORD = re.compile(r"[^\W_]+")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][a-z]{2,}")
_TELLING = ("According to the document, ", "The file says that ", "It is explained that ",
            "In other words, ", "The source states that ")  # fmt: skip
_NOT = (
    (" is ", " is not "), (" are ", " are not "), (" can ", " cannot "), (" was ", " was not "),
    (" will ", " will not "), (" has ", " has no "), (" not ", " "), (" must ", " must not "),
    (" should ", " should not "), (" were ", " were not "),
)  # fmt: skip
Sets = dict[str, list[dict[str, Any]]]


@dataclass(frozen=True)
class Pair:
    """A sentence, the source it cites, and how it was made."""

    said: str
    row: Row
    how: str


def drawn(engine: Engine, chance: random.Random) -> list[Row]:
    """Units with text, of as many files."""
    files = sorted(engine.file_ids())
    chance.shuffle(files)
    rows: dict[str, Row] = {}
    for file_id in [*files, *files, *files, *files]:
        known = [row for row in engine.file_rows(file_id) if len(row.text.split()) >= 25]
        if known:
            row = chance.choice(known)
            rows[row.unit_id] = row
        if len(rows) == UNITS:
            break
    return list(rows.values())


def of(row: Row) -> list[str]:
    """The unit's sentences that say something."""
    found = [" ".join(row.text[a:b].split()) for a, b in sentences(row.text)]
    return [text for text in found if 6 <= len(_WORD.findall(text)) <= 40]


def reworded(text: str, chance: random.Random) -> str:
    """The same with its clauses turned round, without some of the words that hold it together, and
    with others in the plural."""
    clauses = re.split(r"(?<=[a-z])[,;] ", text.rstrip("."))
    if len(clauses) > 1:
        clauses = [*clauses[1:], clauses[0]]
    words = []
    for word in " ".join(clauses).split():
        plain = fold(word)
        if plain in JOINING and chance.random() < 0.5:
            continue
        if plain.isalpha() and len(plain) > 4 and chance.random() < 0.2:
            word = word[:-1] if word.endswith("s") else f"{word}s"
        words.append(word)
    return " ".join(words)


def pairs(engine: Engine, folder: Path, chance: random.Random) -> Iterator[Pair]:
    """Supported ones and others of a set."""
    rows = drawn(engine, chance)
    everything = [(row, of(row)) for row in rows]
    everything = [(row, said) for row, said in everything if said]
    names = sorted({name for row, _ in everything for name in _NAME.findall(row.text)})
    for row, own in everything:
        text = chance.choice(own)
        yield Pair(text, row, "verbatim")
        told = text if text[:2].isupper() else text[:1].lower() + text[1:]
        yield Pair(chance.choice(_TELLING) + told, row, "told")
        yield Pair(reworded(text, chance), row, "reworded")
        if len(own) > 1:
            first, second = chance.sample(own, 2)
            yield Pair(f"{first.rstrip('.')} and {second}", row, "fused")
        other, others = chance.choice(everything)
        if other.file_id != row.file_id:
            yield Pair(chance.choice(others), row, "chance")
            half, rest = text.split(), chance.choice(others).split()
            yield Pair(" ".join(half[: len(half) // 2] + rest[len(rest) // 2 :]), row, "half")
        if (near := nearest_other(engine, row)) is not None and (said := of(near)):
            foreign = [one for one in said if one not in row.text]
            if foreign:
                yield Pair(chance.choice(foreign), row, "near")
        yield from changed(text, row, names, chance)
    if not (folder / "corpus_neutral").is_dir():
        yield from asked(engine, folder, chance)


def nearest_other(engine: Engine, row: Row) -> Row | None:
    """The unit of another file that is nearest in meaning."""
    vector = engine.store.vectors([row.unit_id]).get(row.unit_id)
    if vector is None:
        return None
    found = engine.store.search_vector(vector, None, 3, without=[row.file_id])
    rows = engine.store.rows([one.unit_id for one in found])
    return next((rows[one.unit_id] for one in found if one.unit_id in rows), None)


def changed(text: str, row: Row, names: Sequence[str], chance: random.Random) -> Iterator[Pair]:
    """The sentence with another number, another name, a negation."""
    numbers = list(_NUMBER.finditer(text))
    if numbers:
        one = chance.choice(numbers)
        new = str(int(re.sub(r"\D", "", one[0])[:9]) + chance.choice([1, 2, 7, 10, 100]))
        if new not in row.text:
            yield Pair(text[: one.start()] + new + text[one.end() :], row, "number")
    held = list(_NAME.finditer(text))
    others = [name for name in names if name not in row.text]
    if held and others:
        one = chance.choice(held)
        yield Pair(text[: one.start()] + chance.choice(others) + text[one.end() :], row, "name")
    for before, after in _NOT:
        if before in text:
            yield Pair(text.replace(before, after, 1), row, "negated")
            break


def asked(engine: Engine, folder: Path, chance: random.Random) -> Iterator[Pair]:
    """What people ask for a page in their own words, or in another language than the page's."""
    lines = (folder / "queries.jsonl").read_text("utf-8").splitlines()
    known = [row for row in map(json.loads, lines) if len(row["relevant"]) == 1]
    corpus = (folder / "corpus").resolve()
    ids = {path: file_id for file_id, (path, _) in engine.places().items()}
    chance.shuffle(known)
    found = []
    for row in known[:UNITS]:
        file_id = ids.get(str(corpus / row["relevant"][0]))
        rows = [] if file_id is None else [r for r in engine.file_rows(file_id) if r.text]
        if rows and len(_WORD.findall(row["query"])) >= 4:
            best = max(rows, key=lambda one, said=row["query"]: mean_near(engine, said, one))  # type: ignore[misc]
            found.append((row["query"], best, "lang" in row))
    for text, row, other in found:
        yield Pair(text, row, "translated" if other else "asked")
        foreign = chance.choice(found)
        if foreign[1].file_id != row.file_id:
            yield Pair(foreign[0], row, "translated-other" if other else "asked-other")


def mean_near(engine: Engine, said: str, row: Row) -> float:
    """How near a unit is to a sentence, token by token."""
    near, weights = nearest(engine.matches(said), [row])
    return -1.0 if near is None or weights is None else float(near @ weights / weights.sum())


def collect(folder: Path, keep: Path, out: Path, model: str) -> None:
    """A set's pairs, and how near their tokens are, into OUT/SET.json."""
    neutral = (folder / "corpus_neutral").is_dir()
    chance = random.Random(folder.name)
    rows = []
    with opened(keep / (folder.name + ("-neutral" if neutral else "")), model) as (engine, _):
        for pair in pairs(engine, folder, chance):
            near, weights = nearest(engine.matches(pair.said), [pair.row])
            if near is None or weights is None:
                continue
            arrays = {"near": near.tolist(), "weights": weights.tolist()}
            rows.append({"how": pair.how, "said": pair.said, "text": pair.row.text, **arrays})
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{folder.name}.json").write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    print(f"{folder.name}: {len(rows)} pairs", flush=True)


def fitted_on(sets: Sets, names: Sequence[str]) -> Logistic:
    """From all pairs, every kind of a set alike; so are the kinds that are supported in how many
    may be marked, by what is exact as well."""
    rows = [(f"{name} {row['how']}", row) for name, some in sets.items() for row in some]
    told = np.stack([numbers(names, row) for _, row in rows])
    right = np.array([row["how"] in TRUE for _, row in rows])
    model = fit_logistic(names, told, right, [name for name, _ in rows], FALSE_ALARMS)
    kinds = Counter(row["how"] for _, row in rows)
    known = [row for _, row in rows if row["how"] in TRUE and kinds[row["how"]] >= FEWEST]
    ranked = sorted(
        (0.0 if r["wrong"] else model.probability(r), 1 / kinds[r["how"]]) for r in known
    )
    marked = np.cumsum([share for _, share in ranked]) / sum(share for _, share in ranked)
    below = ranked[int(np.searchsorted(marked, FALSE_ALARMS))][0]
    return Logistic(model.weights, math.floor(below * 1e4) / 1e4)


def shares(model: Logistic, rows: Sequence[dict[str, Any]]) -> dict[str, tuple[float, int]]:
    """By kind: the share that is marked, and of how many."""
    marked: dict[str, list[bool]] = defaultdict(list)
    for row in rows:
        marked[row["how"]].append(row["wrong"] or not model.holds(row))
    return {how: (float(np.mean(some)), len(some)) for how, some in sorted(marked.items())}


def tried(sets: Sets, names: Sequence[str]) -> dict[str, float]:
    """By kind the share that is marked, of each set by what the others gave."""
    total: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for left_out, rows in sets.items():
        model = fitted_on({name: some for name, some in sets.items() if name != left_out}, names)
        told = shares(model, rows)
        for how, share in told.items():
            total[how].append(share)
        print(f"  {left_out:18s}", "  ".join(f"{h} {s:.3f}" for h, (s, _) in told.items()))
    return {
        how: round(sum(s * n for s, n in some) / sum(n for _, n in some), 3)
        for how, some in total.items()
    }


def fit(place: Path, told_by: Sequence[Sequence[str]], to: Path | None) -> None:
    """Try it with each set left out, and write what all give."""
    own, foreign = Sets(), Sets()
    for path in sorted(place.glob("*.json")):
        for row in json.loads(path.read_text("utf-8")):
            near, weights = (np.array(row.pop(name), np.float32) for name in ("near", "weights"))
            row |= features(row["said"], row["text"], near, weights)
            other = other_language(row["said"], row["text"])
            row["wrong"] = wrong(row, translated=other)
            (foreign if other else own).setdefault(path.stem, []).append(row)
    said: dict[str, Any] = {
        "sets": sorted(own), "date": dt.date.today().isoformat(), "false_alarms": FALSE_ALARMS
    }  # fmt: skip
    made: dict[str, Any] = {}
    for name, some, names in zip(("supported", "translated"), (own, foreign), told_by, strict=True):
        if not names:
            continue
        print(name, Counter(row["how"] for rows in some.values() for row in rows))
        some = {key: rows for key, rows in some.items() if len(rows) > 40}
        said[f"{name}: marked of sets left out"] = mean = tried(some, names)
        model = fitted_on(some, names)
        print(f"{name}: {mean}\n{model}")
        made[name] = {"weights": model.weights, "below": model.below}
    if to is not None:
        to.parent.mkdir(parents=True, exist_ok=True)
        to.write_text(json.dumps({**made, "fitted": said}, indent=1) + "\n", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sets", nargs="*", type=Path, metavar="SET_DIR")
    parser.add_argument("--keep", type=Path, help="where the indexes are kept")
    parser.add_argument("--out", type=Path, help="where features are written")
    parser.add_argument("--fit", type=Path, metavar="PAIRS_DIR")
    parser.add_argument("--words", action="store_true", help="by words alone, for any encoder")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="row of engine.models.registry")
    parser.add_argument("--to", type=Path, help="where the fitted model is written")
    options = parser.parse_args()
    for folder in options.sets:
        collect(folder, options.keep, options.out, options.model)
    if options.fit:
        fit(options.fit, BY_WORDS if options.words else BY_ENCODER, options.to)
    return 0


if __name__ == "__main__":
    sys.exit(main())
