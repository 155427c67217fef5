"""An encoder for the pool's tests: real process, tiny arithmetic, inputs that kill or stall it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.models.registry import ModelSpec


class CrashingEncoder:
    """Encodes a text as its length; obeys commands found in texts."""

    concurrent_queries = False
    fast = True

    def __init__(self, folder: Path | None, spec: ModelSpec) -> None:
        self.spec = spec
        self.notes = [f"loaded by {os.getpid()}"]
        self._folder = folder

    def encode_queries(self, queries: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return [self._encode(query) for query in queries]

    def encode_texts(self, texts: Sequence[TextInput], adapter: Adapter) -> list[Encoding]:
        return [self._encode(text.text) for text in texts if text.text != "lost"]

    def encode_images(self, images: Sequence[str], adapter: Adapter) -> list[Encoding]:
        return [self._encode(image) for image in images]

    def encode_chunks(
        self, text: str, spans: Sequence[tuple[int, int]], context: str, adapter: Adapter
    ) -> list[Encoding]:
        return [self._encode(text[a:b]) for a, b in spans]

    def _note(self, text: str) -> None:
        """In the file “order”, for tests that look at it, what is encoded when."""
        if self._folder is not None and (self._folder / "order").exists():
            with (self._folder / "order").open("a") as order:
                order.write(f"{text}\n")

    def _encode(self, text: str) -> Encoding:
        print("a library that prints")  # must not land among the frames
        self._note(text)
        if text.startswith("hold") and self._folder is not None:
            while not (self._folder / "go").exists():
                time.sleep(0.01)
        if text.startswith("die"):
            os.kill(os.getpid(), signal.SIGKILL)
        if text.startswith("once") and self._folder is not None:
            mark = self._folder / "died"
            if not mark.exists():
                mark.touch()
                os.kill(os.getpid(), signal.SIGKILL)
        if text.startswith("refuse"):
            raise InklingError("This text is refused.", hint="Try another.")
        if text.startswith("bug"):
            raise RuntimeError("a bug")
        if text.startswith("sleep"):
            time.sleep(float(text.split()[1]))
        single = np.zeros(4, np.float32)
        single[len(text) % 4] = 1
        return Encoding(single, np.full((1, 2), len(text), np.float32), np.array([[0, len(text)]]))


def load(folder: Path | None, spec: ModelSpec) -> CrashingEncoder:
    if folder is not None and (folder / "broken").exists():
        raise InklingError("The weights are broken.", hint="Get them again.")
    if folder is not None and (folder / "deadly").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    return CrashingEncoder(folder, spec)
