"""Where EmbeddingGemma 2 runs and how exactly: on a card in bf16; on a processor in what pays.

On a processor that is a graph in bytes on onnxruntime, where it was measured to be as good as fp32
and faster; it is made from the published weights once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional as F

from engine.contract.errors import InklingError
from engine.contract.types import TextInput
from engine.encoders.gemma2 import quality, text_graph, vision_graph
from engine.encoders.gemma2.encoder import Gemma2, text_row
from engine.encoders.gemma2.forward import PackedForward
from engine.encoders.gemma2.graph import GRAPH, VERSION
from engine.encoders.gemma2.pictures import BUDGETS
from engine.encoders.gemma2.sessions import GraphForward, session
from engine.encoders.gemma2.tokens import Marks, Prompts
from engine.encoders.gemma2.weights import WEIGHTS, check_folder, load_network, read_config
from engine.encoders.inference.low_memory import LowMemory, RunsBatches, is_out_of_memory
from engine.encoders.inference.onnx_options import processor_threads
from engine.encoders.jina_v4.placement import bf16_is_faster, measured
from engine.encoders.text_onnx.graph_files import graph_in
from engine.models.files import Precision, options, read_object, weights_folder
from engine.models.registry import ModelSpec

#: Cost of a batch. On a processor: what stays in its caches; products of 512 rows are as fast as
#: any. On a card: enough for full tensor cores.
_CARD_BUDGET, CPU_BUDGET = 16_384, 512
#: Tokens of a text on a processor: attention in a graph keeps all scores of a layer.
CPU_WINDOW = 2048
_CARD_PICTURE = 280  # tokens: what the model's makers use
_PATIENCE_S = 5.0  # for a picture on a processor
_TRIED = (512, 512, 2048)  # tokens, inputs, outputs of a product that is timed
_GRAPHS = "graphs"  # folder of those made here
_OTHERWISE = "From the next start on they are used instead."

SAMPLES = (
    "The boiler was serviced in March; the invoice is in the kitchen drawer.",
    "Die Nebenkostenabrechnung für 2024 liegt im grünen Ordner.",
    "def retry(times):\n    for attempt in range(times):\n        yield attempt",
    "Réunion de mardi : budget, calendrier, personnes absentes",
    "東京への出張は来週の月曜日です。",
    "Error 0x80070005: access is denied while writing to the registry",
    "12 eggs, 500 g flour, a pinch of salt; bake for forty minutes at 180 degrees",
    "Where did I put the warranty of the washing machine?",
)


def load(folder: Path | None, spec: ModelSpec) -> Gemma2:
    """Load the published files from a model's folder, onto the device that suits."""
    if folder is None:
        raise InklingError("The model needs a folder with its weights.")
    files = weights_folder(folder)
    config = read_config(files)
    wanted = options(folder)
    notes: list[str] = []
    if wanted.device != "cpu" and torch.cuda.is_available():
        placed = _on_card(folder, files, config, spec, notes)
        if placed is not None:
            return placed
    if wanted.device == "cuda":
        raise InklingError(
            "There is no graphics card with enough free memory for the model.",
            hint="Choose the device “auto” or “cpu”, or close other programs.",
        )
    return _on_processor(folder, files, config, spec, notes)


def check(folder: Path) -> None:
    """InklingError naming what is missing, extra, misshapen or damaged."""
    check_folder(folder)


def picture_budget(folder: Path, config: Mapping[str, Any]) -> int:
    """Tokens of a picture on a processor: the most that its speed allows, or what was chosen.

    Measured once, for pictures seen at different budgets are a little further apart.
    """
    if chosen := options(folder).picture_tokens:
        return int(chosen)
    found = measured(folder, "picture_tokens", lambda: _affordable(config, _rate()))
    return found if found in BUDGETS else BUDGETS[0]


def _affordable(config: Mapping[str, Any], rate: float) -> int:
    """The largest usual budget that takes no longer than a person waits; `rate` a second."""
    usual = (b for b in BUDGETS if b <= _CARD_PICTURE)
    in_time = (b for b in usual if picture_work(config, b) <= rate * _PATIENCE_S)
    return max(in_time, default=BUDGETS[0])


def picture_work(config: Mapping[str, Any], budget: int) -> float:
    """Floating point operations of a picture of so many tokens."""
    vision, text = config["vision_config"], config["text_config"]
    patches = budget * int(vision["pooling_kernel_size"]) ** 2
    width, wide = int(vision["hidden_size"]), int(vision["intermediate_size"])
    layer = 2 * patches * (4 * width**2 + 3 * width * wide) + 4 * patches**2 * width
    hidden = int(text["hidden_size"])
    reading = 2 * (6 * hidden**2 + 3 * hidden * int(text["intermediate_size"])) * budget
    layers = int(vision["num_hidden_layers"]), int(text["num_hidden_layers"])
    return float(layers[0] * layer + layers[1] * reading)


def _rate() -> float:
    """Operations a second of a large product. Processor time, so that other work counts little."""
    tokens, inputs, outputs = _TRIED
    x, weight = torch.randn(tokens, inputs), torch.randn(outputs, inputs)
    F.linear(x, weight)
    taken = []
    for _ in range(5):
        start = time.process_time()
        F.linear(x, weight)
        taken.append(max(time.process_time() - start, 1e-6))
    return 2 * tokens * inputs * outputs / min(taken) * processor_threads()


def _on_card(
    folder: Path, files: Path, config: Mapping[str, Any], spec: ModelSpec, notes: list[str]
) -> Gemma2 | None:
    """None where it does not fit."""
    wanted = options(folder)
    dtype = torch.float32 if wanted.precision == "fp32" else torch.bfloat16
    try:
        network = load_network(files, dtype).to("cuda")
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        notes.append("The model did not fit on the graphics card: it runs on the processor.")
        return None
    forward = PackedForward(network, budget=_CARD_BUDGET, token_dim=spec.token_dim)

    def to_cpu() -> None:
        forward.exchange(lambda: load_network(files, torch.float32), CPU_BUDGET)

    memory = LowMemory(forward, notes, to_cpu)
    tokens = wanted.picture_tokens or _CARD_PICTURE
    return Gemma2(spec, files, config, forward, tokens, memory)


def _on_processor(
    folder: Path, files: Path, config: Mapping[str, Any], spec: ModelSpec, notes: list[str]
) -> Gemma2:
    def exact() -> RunsBatches:
        network = load_network(files, torch.float32)
        return PackedForward(network, budget=CPU_BUDGET, token_dim=spec.token_dim)

    budget = picture_budget(folder, config)
    notes.append(f"The model runs on the processor: a picture is read as {budget} tokens.")
    window = min(spec.max_tokens, CPU_WINDOW)
    precision = _precision(folder)
    forward: RunsBatches
    trial = None
    if precision == "int8":
        most = max(window, budget + 4)
        forward = graph_forward(folder, files, config, spec, int8=True, most=most)
        if _serves(folder, files, config, forward, exact):
            notes += [quality.said(*found, _OTHERWISE) for found in quality.known(folder).items()]
            trial = quality.Trial(folder, forward, exact, notes, _OTHERWISE)
        else:
            forward = exact()
    elif precision == "bf16":
        network = load_network(files, torch.bfloat16)
        forward = PackedForward(network, budget=CPU_BUDGET, token_dim=spec.token_dim)
    else:
        forward = exact()
    memory = LowMemory(forward, notes)
    return Gemma2(spec, files, config, forward, budget, memory, trial, window)


def _precision(folder: Path) -> Precision:
    """What the person chose, else what this processor is fastest in; four bits are not offered."""
    wanted = options(folder).precision
    if wanted == "auto":
        return "bf16" if bf16_is_faster(folder) else "int8"
    return "int8" if wanted == "int4" else wanted


def graph_forward(
    folder: Path | None,
    files: Path,
    config: Mapping[str, Any],
    spec: ModelSpec,
    *,
    int8: bool,
    most: int,
) -> GraphForward:
    """Graphs made from the published weights, kept in `folder`; texts of at most `most` tokens."""
    weights = files / WEIGHTS
    size = weights.stat().st_size
    numbers = "int8" if int8 else "fp32"
    key = f"{VERSION}-{numbers}-{most}-{_identity(folder, weights)}"
    makers: dict[str, Callable[[Path], None]] = {
        "text": lambda place: text_graph.write(config, weights, place, int8=int8, most=most),
        "vision": lambda place: vision_graph.write(config, weights, place, int8=int8),
    }
    sessions = {}
    with ExitStack() as stack:
        for name, make in makers.items():
            kept = None if folder is None else folder / _GRAPHS / name
            place = stack.enter_context(graph_in(kept, key, make, size))
            sessions[name] = session(place / GRAPH, processor_threads(), optimise=False)
    return GraphForward(
        sessions["text"],
        sessions["vision"],
        budget=CPU_BUDGET,
        token_dim=spec.token_dim,
        hidden=int(config["text_config"]["hidden_size"]),
    )


def _identity(folder: Path | None, weights: Path) -> str:
    """What tells these weights from others."""
    listed = {} if folder is None else read_object(folder / "manifest.json").get("files", {})
    if digest := listed.get(weights.name, {}).get("sha256"):
        return str(digest)[:16]
    state = weights.stat()
    return f"{state.st_size:x}-{state.st_mtime_ns:x}"


def _serves(
    folder: Path,
    files: Path,
    config: Mapping[str, Any],
    smaller: RunsBatches,
    exact: Callable[[], RunsBatches],
) -> bool:
    """Whether bytes are as good as fp32 here: on samples at first, on a person's own from then on.

    A person who chose int8 gets it.
    """
    if options(folder).precision in ("int8", "int4"):
        return True
    found = quality.known(folder)
    if not found:
        prompts = Prompts(files, Marks.of(config), CPU_WINDOW)
        rows = [text_row(prompts.passage(TextInput(text), "retrieval").ids) for text in SAMPLES]
        full = exact()
        times = _seconds(full, rows) / max(_seconds(smaller, rows), 1e-9)
        nearness = quality.compare(smaller, full, rows)
        quality.keep(folder, "samples", replace(nearness, times=times))
        found = quality.known(folder)
    return all(one.serves for one in found.values())


def _seconds(forward: RunsBatches, rows: Any) -> float:
    """Processor time; the better of two."""
    taken = []
    for _ in range(2):
        start = time.process_time()
        forward.run_batch(rows)
        taken.append(time.process_time() - start)
    return min(taken)
