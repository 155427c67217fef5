"""What each way of storing the multi-vectors costs in bytes and in quality.

    python -m tests.benchmarks.storage_formats SET_DIR… [--keep DIR]

The candidates are those of the real search over an index made by the real pipeline (`--keep` finds
or keeps it, like `tests.benchmarks.quality`). Their texts are encoded once more by the model in
use; each format stores the tokens in its way, and the candidates are ranked by late interaction
alone and by all lanes together. Codes are of a codebook that is learnt from the candidates. Prints
bytes a unit and a file, and nDCG@10; and what MaxSim over records costs in either form.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engine.contract.query import parse
from engine.contract.types import Encoding, Query, TextInput
from engine.search.evidence import words_of_tokens
from engine.search.late_interaction import maxsim, pool, quantise
from engine.search.word_weights import WordWeights
from engine.store import Row
from engine.store.codebook import Codebook, learn
from engine.store.segments import TokenRecord
from engine.store.token_record import pack_coded, pack_record, unpack_record
from indexer.server.lifecycle import Indexer
from tests.benchmarks.quality import index, measures, questions

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Format:
    """A way to store tokens: what is read back of them, and how many bits a number takes."""

    name: str
    pooled: float
    bits: int
    stored: Callable[[Floats], Floats]
    book: Codebook | None = None  # by which records have codes


def _int8(tokens: Floats) -> Floats:
    return quantise(tokens).astype(np.float32) / 127


def _binary(tokens: Floats) -> Floats:
    return np.where(tokens >= 0, 1, -1).astype(np.float32) / np.float32(np.sqrt(tokens.shape[1]))


def _fp16(tokens: Floats) -> Floats:
    return tokens.astype(np.float16).astype(np.float32)


FORMATS = (
    Format("fp16", 1, 16, _fp16),
    Format("int8", 1, 8, _int8),
    Format("int8, pooled by 2", 2, 8, _int8),
    Format("int8, pooled by 4", 4, 8, _int8),
    Format("binary", 1, 1, _binary),
    Format("binary, pooled by 2", 2, 1, _binary),
)
#: Passages that a search rescores.
RESCORED = 60
TRIES = 50


class Tokens:
    """The candidates' tokens as the model gives them, encoded when first asked for."""

    def __init__(self, indexer: Indexer) -> None:
        self._encoders = indexer.index.engine.encoders
        self._spec = indexer.index.engine.spec
        self.weights = WordWeights(indexer.index.engine.store)
        self._known: dict[str, Encoding] = {}

    def of(self, rows: Mapping[str, Row]) -> dict[str, Encoding]:
        for adapter in self._spec.adapters:
            mine = [
                row
                for uid, row in rows.items()
                if uid not in self._known and self._spec.adapter_for(row.kind) == adapter
            ]
            texts = [TextInput(row.text, row.context) for row in mine]
            for row, made in zip(mine, self._encoders.encode_texts(texts, adapter), strict=True):
                self._known[row.unit_id] = replace(made, tokens=made.tokens.astype(np.float16))  # type: ignore[arg-type]
        return {uid: self._known[uid] for uid in rows}

    def codes(self) -> Format:
        """The format of a codebook that is learnt from them."""
        pooled = [
            pool(made.tokens.astype(np.float32), 2, spans=made.spans).tokens
            for made in self._known.values()
        ]
        book = learn(np.concatenate(pooled), 1)

        def stored(tokens: Floats) -> Floats:
            return book.decode(book.encode(tokens).rows)

        return Format("codes, pooled by 2", 2, 0, stored, book)

    def sizes(self, format: Format) -> list[int]:
        """Bytes of each unit's record: tokens, and where each stands."""
        return [_record_bytes(encoding, format) for encoding in self._known.values()]

    def print_costs(self, book: Codebook) -> None:
        """Processor time of reading records and of MaxSim over them, int8 beside codes."""
        some = list(self._known.values())[:RESCORED]
        pooled = [pool(made.tokens.astype(np.float32), 2, spans=made.spans) for made in some]
        records = [TokenRecord(quantise(p.tokens), spans=p.spans) for p in pooled]
        plain = [pack_record(record) for record in records]
        codes = [
            pack_coded(record, book.encode(p.tokens))
            for record, p in zip(records, pooled, strict=True)
        ]
        books = {book.id: book}
        query = pooled[0].tokens[:10]
        for name, data in (("int8", plain), ("codes", codes)):
            took = []
            for _ in range(TRIES):
                started = time.process_time()
                maxsim(query, [unpack_record(one, books).tokens for one in data])
                took.append(time.process_time() - started)
            size = sum(map(len, data))
            print(
                f"  {len(some)} records, 10 query tokens, {name}: {size / 1000:,.0f} kB,"
                f" {min(took) * 1000:.2f} ms"
            )


def _record_bytes(encoding: Encoding, format: Format) -> int:
    tokens = encoding.tokens.astype(np.float32)
    pooled = pool(tokens, format.pooled, spans=encoding.spans)
    made = TokenRecord(quantise(pooled.tokens), spans=pooled.spans)
    if format.book is not None:
        return len(pack_coded(made, format.book.encode(pooled.tokens)))
    return len(pack_record(made)) - pooled.tokens.size + pooled.tokens.size * format.bits // 8


class Ranked:
    """One question's candidates under every format."""

    def __init__(self, indexer: Indexer, tokens: Tokens, corpus: Path, query: Query) -> None:
        self._run = indexer.index.engine.run(query)
        found = self._run.candidates
        self._top = self._run.rescored
        chosen = [found.unit_ids[i] for i in self._top]
        rows = found.rows.of(chosen)
        self._files = [str(Path(rows[u].file.path).relative_to(corpus)) for u in chosen]
        made = tokens.of({unit_id: rows[unit_id] for unit_id in chosen})
        self._units = [(rows[unit_id], made[unit_id]) for unit_id in chosen]
        self._weights = tokens.weights
        self._late: dict[str, Floats] = {}

    def _late_of(self, format: Format) -> Floats:
        if format.name not in self._late:
            scores = [self._score(row, made, format, self._weights) for row, made in self._units]
            self._late[format.name] = np.array(scores, dtype=np.float32)
        return self._late[format.name]

    def _score(self, row: Row, made: Encoding, format: Format, weights: WordWeights) -> float:
        encoded = self._run.context.encoded
        asked = encoded.by_adapter[encoded.adapter_for(row.kind)]
        pooled = pool(made.tokens.astype(np.float32), format.pooled, spans=made.spans)
        best = (asked.tokens @ format.stored(pooled.tokens).T).max(axis=1)
        words = words_of_tokens(self._run.query.text, asked.spans)
        return float(np.average(best, weights=weights.tokens(words)))

    def by_late(self, format: Format) -> list[str]:
        return self._ordered(self._late_of(format))

    def by_all(self, format: Format) -> list[str]:
        late = np.full(len(self._run.candidates), np.nan, dtype=np.float32)
        late[self._top] = self._late_of(format)
        final = self._run.final_scores(self._run.features.replaced("late", late))
        return self._ordered(final[self._top])

    def _ordered(self, scores: Floats) -> list[str]:
        return [self._files[int(i)] for i in np.argsort(-scores, kind="stable")]


def measure(folder: Path, base: Path) -> None:
    """Print one set's table."""
    neutral = (folder / "corpus_neutral").is_dir()
    corpus = (folder / ("corpus_neutral" if neutral else "corpus")).resolve()
    indexer, _ = index(corpus, base)
    try:
        tokens = Tokens(indexer)
        asked = [q for q in questions(folder, neutral) if not q.by_page]
        ranked = [Ranked(indexer, tokens, corpus, parse(q.text)) for q in asked]
        units, files = indexer.index.engine.count(), indexer.index.ledger.counts()["done"]
        print(f"{folder.name}: {len(asked)} questions, {units / files:.1f} units a file")
        print(f"  {'':20s} bytes/unit bytes/file  late only  all lanes")
        codes = tokens.codes()
        for format in (*FORMATS, codes):
            size = statistics.fmean(tokens.sizes(format))
            pairs = list(zip(asked, ranked, strict=True))
            late = statistics.fmean(measures(q.grades, r.by_late(format))[0] for q, r in pairs)
            whole = statistics.fmean(measures(q.grades, r.by_all(format))[0] for q, r in pairs)
            print(
                f"  {format.name:20s} {size:10,.0f} {size * units / files:10,.0f}"
                f" {late:10.4f} {whole:10.4f}"
            )
        assert codes.book is not None
        tokens.print_costs(codes.book)
    finally:
        indexer.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("sets", nargs="+", type=Path, metavar="SET_DIR")
    parser.add_argument("--keep", type=Path, help="keep the indexes here for the next run")
    options = parser.parse_args()
    for folder in options.sets:
        with tempfile.TemporaryDirectory(prefix="inkling-formats-") as scratch:
            neutral = "-neutral" if (folder / "corpus_neutral").is_dir() else ""
            base = (options.keep or Path(scratch)) / (folder.name + neutral)
            base.parent.mkdir(parents=True, exist_ok=True)
            measure(folder, base)
    return 0


if __name__ == "__main__":
    sys.exit(main())
