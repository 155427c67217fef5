"""Speed and memory of jina-v4 with random weights: `python -m tests.benchmarks.encoders`.

Text and picture throughput, a query's latency and peak memory, against the loop a user would write
with the same transformers class: one text at a time, as loaded, through peft. With fewer layers
than the published 36 and 32 every layer has its true width; both sides are scaled alike, and the
latency is also given for all layers, by proportion. On a machine that does other work at the same
time set OMP_NUM_THREADS=1: threads that wait for one another measure the other work.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from PIL import Image, ImageDraw

from engine.contract.types import TextInput
from engine.encoders.jina_v4 import encoder as jina_v4
from engine.encoders.jina_v4.encoder import JinaV4
from engine.encoders.jina_v4.placement import load_on
from engine.encoders.jina_v4.weights import Checkpoint, load_network
from engine.models.files import Options, write_json
from engine.models.registry import model_spec
from tests.benchmarks import random_jina

SPEC = model_spec("jina-v4")
#: Tokens of a text and how many of 100: what a folder of notes, code and documents gives.
MIX = ((12, 20), (24, 20), (48, 20), (96, 15), (192, 15), (384, 10))


def texts(count: int) -> list[TextInput]:
    """Random words of the mixed lengths, shuffled."""
    draw = random.Random(1)
    lengths = [tokens for tokens, share in MIX for _ in range(share * count // 100)]
    draw.shuffle(lengths)
    return [TextInput("".join(draw.choice(" etaoinsrh") for _ in range(n))) for n in lengths]


def plain_loop(
    network: Any, prompts: list[list[int]], device: str, padded: int = 0
) -> list[np.ndarray[Any, Any]]:
    """One text at a time, mean of the last hidden states, as a user would write it.

    `padded`: every text is filled up to so many tokens, as tokenizers do with padding="max_length".
    """
    network.set_adapter("retrieval")
    singles = []
    with torch.no_grad():
        for ids in prompts:
            filled = [*ids, *[0] * (padded - len(ids))]
            inputs = torch.tensor([filled], device=device)
            mask = (torch.arange(len(filled), device=device) < len(ids)).long()[None]
            out = network.get_base_model().model(input_ids=inputs, attention_mask=mask)
            hidden = out.last_hidden_state[:, : len(ids)].float()
            torch.nn.functional.normalize(
                network.get_base_model().multi_vector_projector(hidden), dim=-1
            )
            singles.append(torch.nn.functional.normalize(hidden.mean(1), dim=-1)[0].cpu().numpy())
    return singles


def seconds(work: Callable[[], Any], device: str, repeats: int = 1) -> float:
    """Best of `repeats`. On one processor thread its own time, whoever else uses the machine."""
    alone = device == "cpu" and torch.get_num_threads() == 1
    clock = time.thread_time if alone else time.perf_counter
    best = float("inf")
    for _ in range(repeats):
        start = clock()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, clock() - start)
    return best


def matrix_rate(device: str) -> float:
    """Floating point operations a second of a large bf16 product."""
    n = 8192 if device == "cuda" else 2048
    a = torch.randn(n, n, device=device, dtype=torch.bfloat16)
    a @ a
    return 2 * n**3 / seconds(lambda: a @ a, device, 5)


@contextmanager
def peak(device: str) -> Iterator[Callable[[], float]]:
    """Gives a function that says by how many bytes memory peaked since the start."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        base = float(torch.cuda.memory_allocated())
        yield lambda: torch.cuda.max_memory_allocated() - base
    else:
        before = float(psutil.Process().memory_info().rss)
        yield lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before


def text_figures(encoder: JinaV4, folder: Path, count: int, device: str) -> None:
    inputs = texts(count)
    prompts = [encoder.document_prompt(t.text, "", "retrieval").ids for t in inputs]
    tokens = sum(map(len, prompts))
    plain = load_network(Checkpoint.open(folder), torch.bfloat16).to(device)
    for name, parameter in plain.named_parameters():
        if "lora_" in name:  # peft's own default: adapters are raised to fp32 on loading
            parameter.data = parameter.data.float()
    plain_loop(plain, prompts[:2], device)
    encoder.encode_texts(inputs[:2], "retrieval")
    loop_s = seconds(lambda: plain_loop(plain, prompts, device), device, 2)
    some = prompts[:: max(1, len(prompts) // 20)]
    longest = max(map(len, prompts))
    padded_s = seconds(lambda: plain_loop(plain, some, device, longest), device)
    padded_rate = sum(map(len, some)) / padded_s
    ours_s = seconds(lambda: encoder.encode_texts(inputs, "retrieval"), device, 2)
    ours = encoder.encode_texts(inputs[:8], "retrieval")
    loop = plain_loop(plain, prompts[:8], device)
    worst = min(
        float(a.single @ (b[: len(a.single)] / np.linalg.norm(b[: len(a.single)])))
        for a, b in zip(ours, loop, strict=True)
    )
    print(f"texts            {len(inputs)} of {tokens} tokens in all; {encoder.placed.precision}")
    print(f"  plain loop     {tokens / loop_s:8.0f} tokens/s")
    print(f"  padded loop    {padded_rate:8.0f} tokens/s")
    print(
        f"  Inkling        {tokens / ours_s:8.0f} tokens/s   {loop_s / ours_s:.2f} times the plain "
        f"loop, {tokens / ours_s / padded_rate:.2f} times the padded"
    )
    print(f"  same vectors   cosine at least {worst:.4f}")
    share = 2 * random_jina.parameters(folder) * tokens / ours_s / matrix_rate(device)
    print(f"  of the bf16 matrix rate {share:.0%}")


def query_figures(encoder: JinaV4, device: str, scale: float) -> None:
    times = [
        seconds(lambda i=i: encoder.encode_queries([f"the invoice {i}"], "retrieval"), device)  # type: ignore[misc]
        for i in range(12)
    ]
    middle, slow = statistics.median(times), max(times)
    print(f"query            {middle * 1e3:.0f} ms (slowest of 12: {slow * 1e3:.0f})", end="")
    print(f"; with all layers about {middle * scale * 1e3:.0f} ms")


def picture_figures(encoder: JinaV4, folder: Path, count: int, device: str) -> None:
    path = folder / "screen.png"
    screen = Image.new("RGB", (1600, 900), "white")
    draw = ImageDraw.Draw(screen)
    for y in range(20, 880, 18):
        draw.text(
            (20, y), f"{y} a line of print on a screen that was taken as a picture " * 3, "black"
        )
    screen.save(path)
    paths = [str(path)] * count
    [first] = encoder.encode_images(paths[:1], "retrieval")
    taken = seconds(lambda: encoder.encode_images(paths, "retrieval"), device)
    print(f"pictures         {count / taken:.2f} of 1.4 megapixels a second, ", end="")
    print(f"{len(first.tokens)} vectors each, {encoder.placed.tiles} tiles at most")


def long_figures(encoder: JinaV4, tokens: int, device: str) -> None:
    """All of it in one window, whatever this device would choose."""
    text = "".join(random.Random(3).choice(" etaoinsrh") for _ in range(tokens))
    encoder.placed.window = len(encoder.document_prompt(text, "", "retrieval").ids)
    with peak(device) as grown:
        taken = seconds(lambda: encoder.encode_chunks(text, [(0, 900)], "", "retrieval"), device)
        print(
            f"long text        {encoder.placed.window} tokens in one window in {taken:.1f} s, "
            f"peak + {grown() / 1e9:.2f} GB"
        )


def quantised_figures(encoder: JinaV4, folder: Path, device: str) -> None:
    inputs = texts(20)
    exact = encoder.encode_texts(inputs, "retrieval")
    for precision in ("int8", "int4"):
        network = load_on(Checkpoint.open(folder), torch.device(device), precision)
        size = sum(t.nbytes for t in (*network.parameters(), *network.buffers()))
        encoder.placed.forward.exchange(lambda n=network: n, encoder.placed.forward.budget)  # type: ignore[misc]
        found: list[Any] = []
        taken = seconds(lambda f=found: f.extend(encoder.encode_texts(inputs, "retrieval")), device)  # type: ignore[misc]
        singles = [float(a.single @ b.single) for a, b in zip(exact, found, strict=True)]
        tokens = [
            float((a.tokens * b.tokens).sum(1).mean()) for a, b in zip(exact, found, strict=True)
        ]
        count = sum(len(e.tokens) for e in exact)
        print(
            f"{precision}             cosine to bf16: single {np.mean(singles):.4f} (least "
            f"{min(singles):.4f}), tokens {np.mean(tokens):.4f}; {size / 1e9:.2f} GB, "
            f"{count / taken:.0f} tokens/s"
        )


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=4, help="of 36")
    parser.add_argument("--vision-layers", type=int, default=4, help="of 32")
    parser.add_argument("--texts", type=int, default=100)
    parser.add_argument("--pictures", type=int, default=3)
    parser.add_argument("--long", type=int, default=4096, help="tokens; 0 leaves it out")
    parser.add_argument("--quantised", action="store_true", help="8 and 4 bits, too")
    parser.add_argument("--precision", default="auto")
    given = parser.parse_args(arguments)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with tempfile.TemporaryDirectory() as temporary:
        folder = random_jina.write(Path(temporary) / "jina", given.layers, given.vision_layers)
        options = Options(precision=given.precision)
        write_json(
            folder / "options.json", {"device": options.device, "precision": options.precision}
        )
        print(
            f"{given.layers} of 36 text layers and {given.vision_layers} of 32 vision layers, ",
            end="",
        )
        print(f"{device}, {torch.get_num_threads()} threads")
        encoder = jina_v4.load(folder, replace(SPEC, dim=512))
        print(*encoder.notes, sep="\n")
        text_figures(encoder, folder, given.texts, device)
        query_figures(encoder, device, random_jina.FULL_LAYERS / given.layers)
        if given.pictures:
            picture_figures(encoder, folder, given.pictures, device)
        if given.long:
            long_figures(encoder, given.long, device)
        if given.quantised:
            quantised_figures(encoder, folder, device)
        whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"peak memory      {whole:.2f} GB of this process, mapped weights included")
    return 0


if __name__ == "__main__":
    sys.exit(main())
