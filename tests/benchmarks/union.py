"""Union: how well the answers of two indexes that each hold half of a set are joined into one.

    python -m tests.benchmarks.union SET_DIR… --keep DIR [--halves N]

DIR holds the sets' indexes as `tests.benchmarks.quality --keep` left them. A set's files are split
at random N times into this machine's half and an archive's; nDCG@10 of the undivided index is
compared with those of the joined answers: judged by one ranker (`union`, engine.search.union, which
is what Inkling does), with BM25 as each index has it (`as told`), by the scores that each index
gave (`by score`), by rank (`by rank`), by how probable each index says that a hit answers
(`probable`, which other models' answers meet by), and of the larger half alone.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from msgspec import structs

from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.settings import DEFAULT_MODEL, Settings
from engine.contract.types import Answer, Filters, Unit
from engine.search.late_interaction import directions, quantise
from engine.search.ports import NameMatch
from engine.search.searcher import Searcher
from engine.search.union import Ranked, by_chance, union
from engine.store import Store, StoredUnit
from engine.store.segments import TokenRecord
from indexer.server.lifecycle import Indexer
from tests.benchmarks.quality import measures, questions

#: Hits that each index answers with.
LIMIT = 20
WAYS = ("undivided", "union", "as told", "by score", "by rank", "probable", "one half")


def stored(engine_store: Store, file_id: int) -> list[StoredUnit]:
    """A file's units as they were written."""
    rows = engine_store.file_rows(file_id)
    vectors = engine_store.vectors([row.unit_id for row in rows])
    made = []
    for row in rows:
        record = None
        if row.ref is not None:
            (told,) = engine_store.tokens([row.ref])
            record = TokenRecord(quantise(directions(told.tokens)), told.spans)
        ordinal = int(row.unit_id.partition(":")[2])
        unit = Unit(
            file_id, ordinal, row.kind, row.text, row.context, row.page, row.lines, row.symbol,
            row.language,
        )  # fmt: skip
        made.append(StoredUnit(unit, row.file, vectors.get(row.unit_id), record))
    return made


class Part:
    """Some files of an index, as an index of their own."""

    def __init__(self, indexer: Indexer, place: Path, file_ids: Sequence[int]) -> None:
        engine = indexer.index.engine
        self.store = Store.open(place, engine.spec.space, engine.spec.dim)
        for start in range(0, len(file_ids), 100):
            some = file_ids[start : start + 100]
            self.store.replace_files({i: stored(engine.store, i) for i in some})
        self.store.maintain(force=True)
        self._mine, self._find = set(file_ids), engine._names
        self.searcher = Searcher(
            self.store, engine.encoders, engine.spec, self._names, ranker=engine.ranker
        )

    def _names(self, words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
        found = self._find(words, 10 * limit, filters)
        return [match for match in found if match.file.file_id in self._mine][:limit]

    def answer(self, text: str, archive: str = "") -> Answer:
        *_, last = self.searcher.search(parse(text), LIMIT, raw=True)
        return structs.replace(
            last, hits=tuple(structs.replace(hit, archive=archive) for hit in last.hits)
        )

    def close(self) -> None:
        self.searcher.close()
        self.store.close()


def ways(whole: Answer, halves: Sequence[Answer], ranker: object) -> Mapping[str, Answer]:
    """The question's answers, by how they were made."""
    told = [
        structs.replace(one, statistics=structs.replace(one.statistics, holding={}))
        for one in halves
        if one.statistics is not None
    ]
    hits = [hit for one in halves for hit in one.hits]

    def sorted_by(key: str) -> Answer:
        value = {"by score": lambda h: h.score, "probable": lambda h: h.features["probability"]}
        return structs.replace(whole, hits=tuple(sorted(hits, key=value[key], reverse=True)))

    bare = [structs.replace(hit, features={}) for hit in hits]
    by_ranks = by_chance(
        [Ranked([h for h in bare if h.archive == name], None, False) for name in ("", "b")]
    )
    return {
        "undivided": whole,
        "union": union(halves, ranker, LIMIT),  # type: ignore[arg-type]
        "as told": union(told or halves, ranker, LIMIT),  # type: ignore[arg-type]
        "by score": sorted_by("by score"),
        "by rank": structs.replace(whole, hits=tuple(by_ranks.hits)),
        "probable": sorted_by("probable") if all(h.features for h in hits) else whole,
        "one half": halves[0],
    }


def run(folder: Path, base: Path, divisions: int) -> None:
    corpus = (folder / ("corpus_neutral" if base.name.endswith("-neutral") else "corpus")).resolve()
    asked = [q for q in questions(folder, base.name.endswith("-neutral")) if not q.by_page]
    settings = Settings.load(BaseDir(base).create())
    settings.set("model", DEFAULT_MODEL)
    indexer = Indexer(BaseDir(base), settings).open()
    try:
        ids = sorted(indexer.index.engine.file_ids())
        figures: dict[str, list[float]] = {way: [] for way in WAYS}
        same = []
        with tempfile.TemporaryDirectory(prefix="inkling-union-") as scratch:
            whole = Part(indexer, Path(scratch, "whole"), ids)
            wholes = {q.text: whole.answer(q.text) for q in asked}
            for n in range(divisions):
                mixed = random.Random(n).sample(ids, len(ids))
                half = len(mixed) // 2
                parts = [
                    Part(indexer, Path(scratch, f"{n}-{i}"), some)
                    for i, some in enumerate((mixed[half:], mixed[:half]))
                ]
                for q in asked:
                    answers = [p.answer(q.text, "ab"[i] if i else "") for i, p in enumerate(parts)]
                    made = ways(wholes[q.text], answers, indexer.index.engine.ranker())
                    for way, answer in made.items():
                        figures[way].append(measures(q.grades, _paths(answer, corpus))[0])
                    first = [_paths(a, corpus)[:10] for a in (made["union"], wholes[q.text])]
                    same.append(first[0] == first[1])
                for part in parts:
                    part.close()
            whole.close()
        print(f"{folder.name}: {len(asked)} questions, {len(ids)} files, {divisions} divisions")
        print("  " + "  ".join(f"{w} {statistics.fmean(figures[w]):.4f}" for w in WAYS))
        print(f"  the ten first are the undivided index's for {statistics.fmean(same):.1%}")
    finally:
        indexer.close()


def _paths(answer: Answer, corpus: Path) -> list[str]:
    found: Iterable[Path] = (Path(hit.path) for hit in answer.hits)
    return [str(path.relative_to(corpus)) for path in found]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET_DIR")
    parser.add_argument("--keep", type=Path, required=True, help="where the indexes are kept")
    parser.add_argument("--halves", type=int, default=2, help="how often each set is divided")
    options = parser.parse_args()
    for folder in options.sets:
        neutral = (folder / "corpus_neutral").is_dir()
        name = folder.name + ("-neutral" if neutral else "")
        base = options.keep / name
        run(folder, base if base.is_dir() else options.keep / folder.name, options.halves)
    return 0


if __name__ == "__main__":
    sys.exit(main())
