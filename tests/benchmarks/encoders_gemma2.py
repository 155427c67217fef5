"""Speed of EmbeddingGemma 2, random weights of full size: `-m tests.benchmarks.encoders_gemma2`.

Passages, questions and pictures on the processor, against the loop a user would write with
transformers' own class: one text at a time, each picture padded to its budget as the published
processor does. Both run by turns in one process, and processor time is what counts, so that other
work on the machine matters little. The word table is left out: looking words up is no work.

Nearness to fp32 says nothing about published weights here; a network drawn at random enlarges each
rounding. What bytes are worth with published weights is measured where they are used.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F
from transformers import EmbeddingGemma2Model

from engine.encoders.gemma2.encoder import text_row
from engine.encoders.gemma2.forward import PackedForward
from engine.encoders.gemma2.pictures import Grid, places
from engine.encoders.gemma2.placement import CPU_BUDGET, CPU_WINDOW, graph_forward
from engine.encoders.gemma2.tokens import FIRST_OF_IMAGE, Marks
from engine.encoders.gemma2.weights import load_network, read_config
from engine.encoders.inference.low_memory import LowMemory, RunsBatches
from engine.encoders.jina_v4.forward import Row
from engine.models.registry import model_spec
from tests.benchmarks import random_gemma2

SPEC = model_spec("embeddinggemma-2")
#: Tokens of a text and how many of 20: what a folder of notes, code and documents gives.
MIX = ((16, 4), (32, 4), (64, 4), (128, 3), (256, 3), (384, 2))


class Plain:
    """transformers' own class as its documentation uses it."""

    def __init__(self, folder: Path) -> None:
        self.network = EmbeddingGemma2Model.from_pretrained(folder, dtype=torch.float32).eval()

    @torch.inference_mode()
    def text(self, ids: list[int]) -> torch.Tensor:
        given = torch.tensor([ids])
        mask = torch.ones_like(given)
        out = self.network(input_ids=given, attention_mask=mask).last_hidden_state
        return F.normalize(out[0].mean(0), dim=0)

    @torch.inference_mode()
    def picture(self, row: Row, budget: int) -> torch.Tensor:
        assert row.patches is not None
        seen, count = row.patches.pixels, budget * 9
        pixels = torch.zeros(1, count, seen.shape[1])
        pixels[0, : len(seen)] = seen
        where = torch.full((1, count, 2), -1)
        where[0, : len(seen)] = places(row.patches)
        ids = torch.tensor([row.ids])
        out = self.network(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            pixel_values=pixels,
            image_position_ids=where,
        ).last_hidden_state
        return F.normalize(out[0].mean(0), dim=0)


def compare(
    what: str, count: int, loop: Callable[[], Any], ours: dict[str, Callable[[], Any]], turns: int
) -> None:
    """Median of the ratios, loop and ours by turns."""
    runs = {"transformers' own loop": loop, **ours}
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(turns):
        for name, run in runs.items():
            start = time.process_time()
            run()
            taken[name].append(time.process_time() - start)
    first = next(iter(taken.values()))
    print(what)
    for name, times in taken.items():
        ratio = statistics.median(a / b for a, b in zip(first, times, strict=True))
        print(f"  {name:26} {count / min(times):7.2f} a CPU second   {ratio:.2f} times the loop")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=random_gemma2.LAYERS)
    parser.add_argument("--vision-layers", type=int, default=random_gemma2.VISION_LAYERS)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--budget", type=int, default=70, help="tokens of a picture")
    given = parser.parse_args(arguments)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        folder = random_gemma2.write(Path(temporary) / "gemma", given.layers, given.vision_layers)
        config = read_config(folder)
        spec = replace(SPEC, dim=SPEC.dims[0])
        packed = PackedForward(
            load_network(folder, torch.float32), budget=CPU_BUDGET, token_dim=spec.token_dim
        )
        in_bytes = graph_forward(None, folder, config, spec, int8=True, most=CPU_WINDOW)
        plain = Plain(folder)
        print(f"{given.layers} of 24 text layers, {given.vision_layers} of 16 that see, one thread")
        measure(plain, {"fp32, torch": packed, "bytes, onnxruntime": in_bytes}, config, given)
    return 0


def measure(
    plain: Plain,
    forwards: dict[str, RunsBatches],
    config: dict[str, Any],
    given: argparse.Namespace,
) -> None:
    draw = random.Random(1)
    lengths = [tokens for tokens, share in MIX for _ in range(share)]
    mixed, even, asked = (
        [[draw.randrange(10, 900) for _ in range(n)] for n in sizes]
        for sizes in (lengths, [256] * 4, [16] * 8)
    )

    def together(forward: RunsBatches, texts: list[list[int]]) -> Callable[[], Any]:
        rows = [text_row(ids) for ids in texts]
        return lambda: list(LowMemory(forward, []).run(rows))

    for what, texts in (("passages of 16 to 384 tokens", mixed), ("passages of 256", even)):
        compare(
            what,
            len(texts),
            lambda texts=texts: [plain.text(ids) for ids in texts],  # type: ignore[misc]
            {name: together(forward, texts) for name, forward in forwards.items()},
            given.turns,
        )
    one_by_one = {
        name: lambda f=forward: [f.run_batch([text_row(ids)]) for ids in asked]  # type: ignore[misc]
        for name, forward in forwards.items()
    }
    compare(
        "questions of 16, one by one",
        len(asked),
        lambda: [plain.text(ids) for ids in asked],
        one_by_one,
        given.turns,
    )
    row = screenshot(config, given.budget)
    compare(
        f"screenshots of 1280 x 800 at {given.budget}",
        1,
        lambda: plain.picture(row, given.budget),
        {name: lambda f=forward: f.run_batch([row]) for name, forward in forwards.items()},  # type: ignore[misc]
        given.turns,
    )
    exact = plain.text(even[0])
    for name, forward in forwards.items():
        cosine = F.cosine_similarity(exact, forward.run_batch([text_row(even[0])])[0].mean, dim=0)
        print(f"{name}: cosine {float(cosine):.4f} to the loop's single vector")


def screenshot(config: dict[str, Any], budget: int) -> Row:
    noise = torch.Generator().manual_seed(2)
    picture = torch.randint(0, 255, (3, 800, 1280), dtype=torch.uint8, generator=noise)
    patches = Grid.of(config).patches(picture, budget)
    marks = Marks.of(config)
    slots = [marks.image] * (len(patches.pixels) // 9)
    ids = [marks.bos, marks.before_image, *slots, marks.after_image, marks.eos]
    return Row(ids, "", (0, len(ids)), patches, FIRST_OF_IMAGE)


if __name__ == "__main__":
    sys.exit(main())
