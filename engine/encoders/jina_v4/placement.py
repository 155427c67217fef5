"""Where jina-v4 runs and how exactly: device, precision and budgets, from what the machine has."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import psutil
import torch
from peft import PeftModel
from torch.nn import functional as F

from engine.contract.errors import InklingError
from engine.encoders.inference.low_memory import is_out_of_memory
from engine.encoders.inference.quantise_weights import quantise
from engine.encoders.jina_v4.forward import Forward
from engine.encoders.jina_v4.weights import Checkpoint, load_network
from engine.models.files import Precision, options, read_object, write_json

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Bytes of memory for each weight, scales included; the word table and the vision tower are a
#: quarter of the weights and keep 8 bits where the others have 4.
_BYTES: dict[Precision, float] = {"fp32": 4.0, "bf16": 2.0, "int8": 1.01, "int4": 0.73}
_WORKING_BYTES = 1_500_000_000  # activations of a batch, and torch itself
_MEASURED = "measured.json"

#: Cost of a batch. On a card: enough for full tensor cores. On a processor: what takes seconds,
#: since a query waits for it; rates level off from 256 tokens.
_CARD_BUDGET, _CPU_BUDGET = 16_384, 512
#: Tokens of a long document in one forward. On a processor attention over more costs more than the
#: rest of the model.
_FULL_WINDOW, _CPU_WINDOW = 32_768, 8_192
_FULL_PIXELS = 768 * 28 * 28  # what the model was trained with
_CPU_PIXELS = 384 * 28 * 28  # half the time for a picture
_CARD_TILES = 6
_ROOMY_CARD = 16_000_000_000  # bytes; tiles make several times the work of one picture


@dataclass(slots=True)
class Placed:
    """The network where it runs, and what fits there."""

    forward: Forward
    precision: Precision
    max_pixels: int
    tiles: int  # most tiles of a picture with fine print; 0 reads it as a whole only
    to_cpu: Callable[[], None] | None  # moves the network to the processor; None if it is there
    notes: list[str] = field(default_factory=list)
    window: int = _FULL_WINDOW  # tokens of a document that are read together


def place(checkpoint: Checkpoint, folder: Path) -> Placed:
    """Load the network on the best device that it fits, as exactly as it fits."""
    wanted = options(folder)
    notes: list[str] = []
    for device, precision in candidates(checkpoint, folder):
        try:
            network = load_on(checkpoint, torch.device(device), precision)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            log.warning("no room for %s on %s", precision, device)
            notes.append(f"The model did not fit in {precision} on {device}.")
            continue
        if precision in ("int8", "int4") and wanted.precision == "auto":
            notes.append(f"Memory is short: the model runs with {precision[3:]}-bit weights.")
        return _placed(checkpoint, folder, network, device, precision, notes)
    raise InklingError(
        "The model does not fit into this machine's memory.",
        hint="Close other programs, or use the MiniLM model.",
    )


def candidates(checkpoint: Checkpoint, folder: Path) -> Iterator[tuple[str, Precision]]:
    """(device, precision) to try, best first. What a person chose goes before what fits."""
    wanted = options(folder)
    weights = sum(path.stat().st_size for path in checkpoint.weight_files()) // 2
    if wanted.device != "cpu" and torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        order: tuple[Precision, ...] = ("bf16", "int8", "int4")
        if wanted.precision != "auto":
            order = (wanted.precision,)
        yield from (("cuda", p) for p in fitting(order, weights, free))
    if wanted.device == "cuda":
        raise InklingError(
            "There is no graphics card with enough free memory for the model.",
            hint="Choose the device “auto” or “cpu”, or close other programs.",
        )
    if wanted.precision != "auto":
        yield "cpu", wanted.precision
        return
    exact: tuple[Precision, ...] = ("bf16",) if bf16_is_faster(folder) else ("fp32", "bf16")
    free = psutil.virtual_memory().available
    yield from (("cpu", p) for p in fitting((*exact, "int8", "int4"), weights, free))
    yield "cpu", "int4"  # what is left to try: it may have to swap


def fitting(precisions: tuple[Precision, ...], weights: int, free: int) -> Iterator[Precision]:
    """The precisions in which so many weights fit into so many free bytes."""
    for precision in precisions:
        if weights * _BYTES[precision] + _WORKING_BYTES <= free:
            yield precision


def load_on(checkpoint: Checkpoint, device: torch.device, precision: Precision) -> PeftModel:
    """The network in a precision, each weight brought to the device once."""
    if precision in ("fp32", "bf16"):
        dtype = torch.float32 if precision == "fp32" else torch.bfloat16
        return load_network(checkpoint, dtype, device).to(device)  # what is left: rotary tables
    network = load_network(checkpoint, torch.bfloat16)  # mapped: read as it is quantised
    quantise(network, 8 if precision == "int8" else 4, device)
    return network.to(device)


def bf16_is_faster(folder: Path) -> bool:
    """Whether this processor multiplies faster in bf16 than fp32; measured once, then remembered.

    With AVX-512 BF16 or AMX it is two to three times as fast; without, it is emulated.
    """
    return measured(
        folder,
        "bf16_is_faster",
        lambda: _matrix_seconds(torch.bfloat16) < _matrix_seconds(torch.float32),
    )


def measured(folder: Path, name: str, measure: Callable[[], T]) -> T:
    """What was measured on this machine by this name, or is now."""
    file = folder / _MEASURED
    known = read_object(file)
    if name in known:
        found: T = known[name]
        return found
    made = measure()
    try:
        write_json(file, {**known, name: made})
    except OSError as error:
        log.warning("can't keep the measurement: %s", error)
    return made


def _matrix_seconds(dtype: torch.dtype) -> float:
    """Best of three of a layer's largest product, at a quarter of its width."""
    x, weight = torch.ones(256, 2048, dtype=dtype), torch.ones(2752, 2048, dtype=dtype)
    F.linear(x, weight)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        F.linear(x, weight)
        times.append(time.perf_counter() - start)
    return min(times)


def _placed(
    checkpoint: Checkpoint,
    folder: Path,
    network: PeftModel,
    device: str,
    precision: Precision,
    notes: list[str],
) -> Placed:
    on_card = device != "cpu"
    forward = Forward(network, budget=_CARD_BUDGET if on_card else _CPU_BUDGET)
    roomy = on_card and torch.cuda.get_device_properties(device).total_memory >= _ROOMY_CARD
    placed = Placed(
        forward,
        precision,
        _FULL_PIXELS if on_card else _CPU_PIXELS,
        _CARD_TILES if roomy else 0,
        None,
        notes,
        _FULL_WINDOW if on_card else _CPU_WINDOW,
    )

    def to_cpu() -> None:
        exact: Precision = "bf16" if bf16_is_faster(folder) else "fp32"
        free = psutil.virtual_memory().available
        weights = sum(path.stat().st_size for path in checkpoint.weight_files()) // 2
        chosen: Precision = next(fitting((exact, "int8"), weights, free), "int4")
        forward.exchange(lambda: load_on(checkpoint, torch.device("cpu"), chosen), _CPU_BUDGET)
        placed.max_pixels, placed.tiles, placed.window = _CPU_PIXELS, 0, _CPU_WINDOW

    if on_card:
        placed.to_cpu = to_cpu
    else:
        megapixels = placed.max_pixels / 1e6
        notes.append(
            "The model runs on the processor: encoding is slow, and pictures are read at up to "
            f"{megapixels:.1f} megapixels."
        )
    log.info("jina-v4 in %s on %s", precision, device)
    return placed
