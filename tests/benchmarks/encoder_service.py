"""Passages through an encoder service on loopback, against the same model in its worker here.

    python -m tests.benchmarks.encoder_service [--model minilm] [--passages 512] [--runs 3]

Both ways alternate in one run. Processor time is that of both processes together, children
included; bytes are those of bodies. Also: how many kept numbers (int8, pooled) differ.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil

from engine.contract import launch
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Encoding, TextInput
from engine.encoders.elsewhere import no_samples
from engine.encoders.pool import EncoderPool
from engine.encoders.routed import RoutedEncoders
from engine.models.registry import model_spec
from engine.search.late_interaction import pool, quantise
from indexer.asking.addresses import read_address
from indexer.encoder_service import client as client_module
from indexer.encoder_service.elsewhere import Encoders


def passages(count: int) -> list[TextInput]:
    """Of 20 to 160 words, from the project's own pages."""
    numbers = random.Random(1)
    words = " ".join(Path(name).read_text() for name in ("README.md", "ARCHITECTURE.md")).split()
    starts = [numbers.randrange(len(words) - 200) for _ in range(count)]
    return [TextInput(" ".join(words[a : a + numbers.randint(20, 160)]), "Page") for a in starts]


def seconds_of(process: psutil.Process) -> float:
    """Processor time so far, of it and its children."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with contextlib.suppress(psutil.NoSuchProcess):
            times = one.cpu_times()
            total += times.user + times.system
    return total


def kept(made: list[Encoding]) -> list[np.ndarray]:
    return [quantise(pool(e.tokens, 2, spans=e.spans, boxes=e.boxes).tokens) for e in made]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--passages", type=int, default=512)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    texts = passages(options.passages)
    spec = model_spec(options.model)
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        there_base = BaseDir(Path(folder, "workstation")).create()
        here_base = BaseDir(Path(folder, "laptop")).create()
        given = ("--base-dir", str(there_base.root), "--port", "0", "--model", spec.id)
        process = stack.enter_context(
            subprocess.Popen(
                launch.command("indexer", "serve", "--encoder", *given),
                env=launch.environment(),
                stdout=subprocess.PIPE,
                text=True,
            )
        )
        stack.callback(process.terminate)
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        token = process.stdout.readline().split()[-1]
        settings = Settings.load(here_base)
        settings.encoder_address = url
        encoders = Encoders(here_base, settings)
        stack.callback(encoders.close)
        encoders.kept.keep(read_address(url), token, "")
        local = stack.enter_context(contextlib.closing(EncoderPool(spec, here_base)))
        routed = RoutedEncoders(local, encoders.of(spec, no_samples), lambda: True)
        bytes_of = {"sent": 0, "came": 0}
        ask = client_module.EncoderClient._ask

        def counting(self, method, path, body, *more):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN002, ANN202
            answer = ask(self, method, path, body, *more)
            bytes_of["sent"] += len(body or b"")
            bytes_of["came"] += len(answer[1])
            return answer

        client_module.EncoderClient._ask = counting  # type: ignore[method-assign]
        everything = psutil.Process()  # the service is a child of it
        ways: dict[str, Callable[[], list[Encoding]]] = {
            "here": lambda: local.encode_texts(texts, "retrieval"),
            "there": lambda: routed.encode_texts(texts, "retrieval"),
        }
        made = {name: way() for name, way in ways.items()}  # loads both
        bytes_of.update(sent=0, came=0)
        assert routed.tally.total == {"here": 0, "elsewhere": len(texts)}, routed.told()
        took: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
        for _ in range(options.runs):
            for name, way in ways.items():
                at, used = time.perf_counter(), seconds_of(everything)
                way()
                took[name].append((time.perf_counter() - at, seconds_of(everything) - used))
        wall, used = (
            {name: statistics.median(t[i] for t in took[name]) for name in ways} for i in (0, 1)
        )
        for name in ways:
            print(
                f"{name}: {len(texts) / wall[name]:.1f} passages a second, "
                f"{1000 * used[name] / len(texts):.2f} ms of processor time each"
            )
        print(f"ratio: wall {wall['there'] / wall['here']:.3f}, ", end="")
        print(f"processor {used['there'] / used['here']:.3f}")
        each = {name: count / len(texts) / options.runs for name, count in bytes_of.items()}
        whole = sum(e.tokens.nbytes + e.single.nbytes for e in made["here"]) / len(texts)
        print(f"bytes a passage: {each['sent']:.0f} there, {each['came']:.0f} back", end="")
        print(f" (as float32: {whole:.0f})")
        pairs = list(zip(kept(made["here"]), kept(made["there"]), strict=True))
        different = sum(int((a != b).sum()) for a, b in pairs)
        print(f"kept numbers that differ: {different / sum(a.size for a, _ in pairs):.5%}")
        singles = [
            float(np.abs(a.single - b.single).max())
            for a, b in zip(made["here"], made["there"], strict=True)
        ]
        print(f"largest difference of a single vector's number: {max(singles):.1e}")


if __name__ == "__main__":
    main()
