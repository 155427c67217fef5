"""Indexing a folder against what OCR and encoding alone take on the same files, and its memory.

    python -m tests.benchmarks.indexing FOLDER… [--rounds N]

By turns: OCR of the pictures in as many processes as Inkling reads with, then the encoder over the
very passages that Inkling stored, on all cores; and a real indexer from an empty base directory to
idle. Wall and processor seconds; resident memory is the highest of each process, looked at four
times a second.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from desktop.client import read_endpoint
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import TextInput
from engine.encoders.text_onnx import encoder as text_onnx
from engine.models.registry import model_spec
from engine.store import Store
from indexer.ledger.ledger import Ledger
from tests.benchmarks.family import MemoryWatch, running_indexer

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def seconds(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds, ended children included."""

    def processor() -> float:
        used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return sum(u.ru_utime + u.ru_stime for u in used)

    wall, cpu = time.perf_counter(), processor()
    work()
    return time.perf_counter() - wall, processor() - cpu


def read_picture(path: str) -> int:
    """OCR as Inkling does it; the number of characters."""
    import numpy as np

    from indexer.reading.extract import ocr, render

    with suppress(Exception), render.opened(Path(path)) as image:
        return len(ocr.as_text(ocr.read(np.asarray(render.flat_rgb(image))).lines)[0])
    return 0


def recognise(pictures: Sequence[str], processes: int) -> None:
    """All pictures, one thread each process."""
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        pool.map(read_picture, pictures, chunksize=4)
        pool.close()
        pool.join()


def encode(base: BaseDir) -> int:
    """Every passage of the index once more, by itself; how many."""
    encoder = text_onnx.load(None, model_spec("minilm"))
    passages: dict[str, list[TextInput]] = defaultdict(list)
    spec = encoder.spec
    store = Store.open(base.store, spec.space, spec.dim, read_only=True)
    ledger = Ledger(base.ledger)
    for file_id in [record.id for record in ledger.files()]:
        for row in store.file_rows(file_id):
            adapter = spec.adapter_for(row.kind)
            passages[adapter].append(TextInput(row.text, row.context))
    ledger.close()
    store.close()
    for adapter, texts in passages.items():
        for start in range(0, len(texts), 512):
            encoder.encode_texts(texts[start : start + 512], adapter)  # type: ignore[arg-type]
    return sum(map(len, passages.values()))


def run_indexer(base: BaseDir, folders: Sequence[str]) -> str:
    """From nothing to idle in a process of its own; its highest memory in words."""
    with running_indexer(base) as client:
        endpoint = read_endpoint(base)
        assert endpoint is not None
        watch = MemoryWatch(endpoint.pid)
        watch.start()
        client.add(folders)
        while client.status()["state"] != "idle":
            time.sleep(0.1)
        watch.ended.set()
    return watch.said()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--rounds", type=int, default=1)
    given = parser.parse_args()
    folders = [str(folder.resolve()) for folder in given.folders]
    files = [p for f in given.folders for p in sorted(f.resolve().rglob("*")) if p.is_file()]
    pictures = [str(p) for p in files if p.suffix.lower() in PICTURES]
    cores = os.cpu_count() or 1
    wall_ratios, cpu_ratios = [], []
    for _ in range(given.rounds):
        with tempfile.TemporaryDirectory(prefix="inkling-indexing-") as temporary:
            base = BaseDir(Path(temporary) / "base").create()
            Settings.load(base)
            memory: list[str] = []
            ours = seconds(lambda b=base, m=memory: m.append(run_indexer(b, folders)))  # type: ignore[misc]
            read = seconds(lambda: recognise(pictures, min(cores, 2)))
            counted: list[int] = []
            encoded = seconds(lambda b=base, c=counted: c.append(encode(b)))  # type: ignore[misc]
        bare = [a + b for a, b in zip(read, encoded, strict=True)]
        wall_ratios.append(ours[0] / bare[0])
        cpu_ratios.append(ours[1] / bare[1])
        print(f"{len(files)} files, {len(pictures)} pictures, {counted[0]} passages")
        print(f"  OCR       {read[0]:7.1f} s wall {read[1]:7.1f} s processor")
        print(f"  encoding  {encoded[0]:7.1f} s wall {encoded[1]:7.1f} s processor")
        print(f"  Inkling   {ours[0]:7.1f} s wall {ours[1]:7.1f} s processor")
        print(f"  highest resident: {memory[0]}")
    print(
        f"Inkling / OCR and encoding alone: wall {statistics.median(wall_ratios):.2f},"
        f" processor {statistics.median(cpu_ratios):.2f}"
    )


if __name__ == "__main__":
    main()
