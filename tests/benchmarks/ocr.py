"""OCR against RapidOCR's defaults on the same pictures: time, agreement, and what search gets.

    python -m tests.benchmarks.ocr SET_DIR [--corpus NAME] [--sample N]

Each picture is read by both in turn, one thread each, so that a busy machine slows both alike.
With more than 100 pictures of a set, BM25 over each one's text answers the set's queries too.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.reading.extract import ocr, render

TOKEN = re.compile(r"[a-z0-9äöüß]+|[^\x00-ÿ\s]")


def tokens(text: str) -> list[str]:
    """Words of Latin script, single characters of the others."""
    return TOKEN.findall(text.lower())


def agreement(one: str, other: str) -> float:
    """F1 of the two bags of words."""
    a, b = Counter(tokens(one)), Counter(tokens(other))
    total = sum(a.values()) + sum(b.values())
    return 2 * sum((a & b).values()) / total if total else 1.0


def ndcg(queries: Sequence[tuple[str, set[str]]], texts: dict[str, str]) -> float:
    """Mean nDCG@10 of BM25 (k1 1.2, b 0.75)."""
    bags = {name: Counter(tokens(text)) for name, text in texts.items()}
    sizes = {name: sum(bag.values()) for name, bag in bags.items()}
    mean = max(1.0, sum(sizes.values()) / len(sizes))
    seen_in = Counter(word for bag in bags.values() for word in bag)
    total = 0.0
    for query, relevant in queries:
        scores: dict[str, float] = {}
        for word in tokens(query):
            idf = math.log(1 + (len(bags) - seen_in[word] + 0.5) / (seen_in[word] + 0.5))
            for name, bag in bags.items():
                if count := bag[word]:
                    norm = count + 1.2 * (0.25 + 0.75 * sizes[name] / mean)
                    scores[name] = scores.get(name, 0.0) + idf * count * 2.2 / norm
        best = sorted(scores, key=lambda name: -scores[name])[:10]
        gain = sum(1 / math.log2(n + 2) for n, name in enumerate(best) if name in relevant)
        total += gain / sum(1 / math.log2(n + 2) for n in range(min(10, len(relevant))))
    return total / max(1, len(queries))


def default_reader() -> Callable[[NDArray[np.uint8]], str]:
    """RapidOCR as it comes, on one thread."""
    from rapidocr import RapidOCR

    threads = "EngineConfig.onnxruntime.intra_op_num_threads"
    engine: Any = RapidOCR(params={"Global.log_level": "critical", threads: 1})
    return lambda pixels: "\n".join(engine(np.ascontiguousarray(pixels[:, :, ::-1])).txts or ())


def our_reader(pixels: NDArray[np.uint8]) -> str:
    """The text Inkling indexes."""
    return ocr.as_text(ocr.read(pixels).lines)[0]


def load_queries(folder: Path, corpus: str) -> list[tuple[str, set[str]]]:
    """The set's questions and the files that answer them, named as in that corpus."""
    field = "relevant_neutral" if corpus.endswith("neutral") else "relevant"
    lines = (folder / "queries.jsonl").read_text("utf-8").splitlines()
    return [(row["query"], set(row[field])) for row in map(json.loads, lines)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("set_dir", type=Path)
    parser.add_argument("--corpus", default="corpus")
    parser.add_argument("--sample", type=int, default=40)
    options = parser.parse_args()
    folder = options.set_dir / options.corpus
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    files = files[:: max(1, len(files) // options.sample)][: options.sample]
    readers = {"default": default_reader(), "inkling": our_reader}
    for reader in readers.values():
        reader(np.full((64, 64, 3), 255, np.uint8))  # loading is not measured
    seconds: dict[str, list[float]] = {name: [] for name in readers}
    texts: dict[str, dict[str, str]] = {name: {} for name in readers}
    for path in files:
        with render.opened(path) as image:
            pixels = np.asarray(render.flat_rgb(image))
        for name, reader in readers.items():
            start = time.process_time()
            texts[name][path.relative_to(folder).as_posix()] = reader(pixels)
            seconds[name].append(time.process_time() - start)
    for name in readers:
        times = seconds[name]
        print(f"{name:8} mean {np.mean(times):.3f} s  median {np.median(times):.3f} s (processor)")
    ratio = sum(seconds["default"]) / sum(seconds["inkling"])
    same = [agreement(texts["default"][name], texts["inkling"][name]) for name in texts["default"]]
    print(f"{len(files)} pictures: {ratio:.2f} times as fast, words agree {np.mean(same):.3f}")
    if len(files) > 100:
        queries = load_queries(options.set_dir, options.corpus)
        for name in readers:
            print(f"{name:8} BM25 nDCG@10 {ndcg(queries, texts[name]):.4f}")


if __name__ == "__main__":
    main()
