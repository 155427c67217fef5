"""EmbeddingGemma 2 on onnxruntime: a graph for text and one for pictures, published or made here.

Text: input_ids, attention_mask int64 [b, n]; image_features, video_features, audio_features
float32 [k, h], empty where there is none; gives last_hidden_state [b, n, e]. Pictures: pixel_values
[1, p, values], pixel_position_ids [1, p, 2]; gives features [s, h].
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch

from engine.contract.errors import InklingError
from engine.encoders.gemma2.forward import states_of
from engine.encoders.gemma2.pictures import places
from engine.encoders.inference.onnx_options import session_options
from engine.encoders.inference.turns import Turns
from engine.encoders.jina_v4.forward import Row, States
from engine.encoders.jina_v4.images import Patches

_INT8_KERNELS = 4  # accuracy_level: multiply in bytes instead of unpacking the weights each time


class GraphForward:
    """The two graphs. Safe to call from several threads."""

    device = torch.device("cpu")

    def __init__(self, text: Any, vision: Any, *, budget: int, token_dim: int, hidden: int) -> None:
        """Sessions; `hidden`: the width of what the text graph gets of a picture."""
        self.budget = budget
        self._text, self._vision = text, vision
        self._token_dim = token_dim
        self._empty = np.zeros((0, hidden), np.float32)
        self._turns = Turns()

    def run_batch(self, rows: Sequence[Row], *, urgent: bool = False) -> list[States]:
        """Rows of one length at a time, so that nothing is padded."""
        alike: dict[tuple[int, bool], list[int]] = defaultdict(list)
        for i, row in enumerate(rows):
            alike[len(row.ids), row.patches is not None].append(i)
        done: dict[int, States] = {}
        for group in alike.values():
            some = [rows[i] for i in group]
            seen = [self.see(row.patches, urgent=urgent) for row in some if row.patches is not None]
            with self._turns.take(urgent=urgent):
                done.update(zip(group, self._read(some, seen), strict=True))
        return [done[i] for i in range(len(rows))]

    def see(self, patches: Patches, *, urgent: bool = False) -> Any:
        """[s, h] what the layers for text get of a picture."""
        inputs = {
            "pixel_values": patches.pixels[None].numpy(),
            "pixel_position_ids": places(patches)[None].numpy(),
        }
        with self._turns.take(urgent=urgent):
            return _run(self._vision, None, inputs)[0]

    def _read(self, rows: Sequence[Row], seen: Sequence[Any]) -> list[States]:
        ids = np.array([row.ids for row in rows], np.int64)
        inputs = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "image_features": np.concatenate(seen) if seen else self._empty,
            "video_features": self._empty,
            "audio_features": self._empty,
        }
        [tokens] = _run(self._text, ["last_hidden_state"], inputs)
        return [
            states_of(row, torch.from_numpy(hidden), self._token_dim)
            for row, hidden in zip(rows, tokens, strict=True)
        ]


def _run(graph: Any, outputs: list[str] | None, inputs: dict[str, Any]) -> Any:
    """Its errors have classes of their own: MemoryError where memory ran out."""
    try:
        return graph.run(outputs, inputs)
    except Exception as error:
        if any(sign in str(error).lower() for sign in ("allocat", "bad_alloc")):
            raise MemoryError(str(error)) from error
        raise


def session(graph: Path, threads: int, *, optimise: bool) -> Any:
    """A graph with its weights beside it, ready to run; InklingError naming a damaged file.

    `optimise`: whether onnxruntime may rewrite it; what we make is as it should be.
    """
    options = session_options(threads, optimise=optimise)
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", str(graph.parent)
    )
    try:
        return onnxruntime.InferenceSession(
            with_int8_kernels(graph), options, providers=["CPUExecutionProvider"]
        )
    except InklingError:
        raise
    except Exception as error:  # its errors have no class of their own
        raise damaged(graph, str(error)) from error


def with_int8_kernels(graph: Path) -> bytes:
    """The graph, its matrices of 8-bit blocks multiplied in bytes.

    As published no level is set, and all weights are unpacked for each question. The file stays as
    it is, so that its digest does.
    """
    import onnx

    try:
        model = onnx.load(graph, load_external_data=False)
    except Exception as error:  # protobuf's, or the file system's
        raise damaged(graph, str(error)) from error
    for node in model.graph.node:
        if node.op_type == "MatMulNBits" and not any(
            attribute.name == "accuracy_level" for attribute in node.attribute
        ):
            node.attribute.append(onnx.helper.make_attribute("accuracy_level", _INT8_KERNELS))
    made: bytes = model.SerializeToString()
    return made


def damaged(path: Path, said: str) -> InklingError:
    if not path.exists():
        return InklingError(
            "The model's file {name} is missing.",
            hint="Get the files again with `inkling model download`.",
            path=str(path),
            told={"name": path.name},
        )
    return InklingError(
        "The model's file {name} is damaged: {said}.",
        hint="Get the files again with `inkling model download`.",
        path=str(path),
        told={"name": path.name, "said": said},
    )
