"""The tiny EmbeddingGemma 2 of the golden folder as an encoder, for tests, and its graphs."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from engine.encoders.gemma2 import text_graph, vision_graph
from engine.encoders.gemma2.encoder import Gemma2
from engine.encoders.gemma2.published import TEXT, VISION
from engine.encoders.gemma2.weights import WEIGHTS, read_config
from engine.encoders.inference.low_memory import LowMemory
from engine.models.registry import model_spec
from tests import golden
from tests.golden.gemma2_check import BACK_ENDS, forward_on

FOLDER = Path(golden.__file__).parent / "gemma2"
CHECKPOINT = FOLDER / "ckpt"
SPEC = replace(model_spec("embeddinggemma-2"), dims=(48, 24, 12), dim=24, token_dim=24)
_BLOCK = 32


def tiny(back_end: str = BACK_ENDS[0], *, picture_budget: int = 70, window: int = 8192) -> Gemma2:
    """In fp32 on the CPU."""
    config = read_config(CHECKPOINT)
    forward = forward_on(back_end, CHECKPOINT, config, SPEC)
    memory = LowMemory(forward, [])
    return Gemma2(SPEC, CHECKPOINT, config, forward, picture_budget, memory, window=window)


def publish(folder: Path) -> Path:
    """A folder with graphs of 8-bit blocks in the published layout."""
    (folder / "onnx").mkdir(parents=True)
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(CHECKPOINT / name, folder / name)
    config = read_config(CHECKPOINT)
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        text_graph.write(config, CHECKPOINT / WEIGHTS, place, int8=False, most=2048)
        _in_blocks(place / "graph.onnx", folder / TEXT)
        vision_graph.write(config, CHECKPOINT / WEIGHTS, place, int8=False)
        _in_blocks(place / "graph.onnx", folder / VISION)
    return folder


def _in_blocks(source: Path, target: Path) -> None:
    """Matrices in 8 bits with a scale for 32 inputs, no level set, as they are published."""
    model = onnx.load(source)
    weights = {t.name: numpy_helper.to_array(t) for t in model.graph.initializer}
    names = {n.input[1] for n in model.graph.node if n.op_type == "MatMul"} & weights.keys()
    kept = [t for t in model.graph.initializer if t.name not in names]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    for name in names:
        quantised, scales = _blocks(weights[name].T)
        model.graph.initializer.append(numpy_helper.from_array(quantised, f"{name}.q"))
        model.graph.initializer.append(numpy_helper.from_array(scales, f"{name}.s"))
    for i, node in enumerate(model.graph.node):
        if node.op_type == "MatMul" and node.input[1] in names:
            inputs, outputs = weights[node.input[1]].shape
            given = [node.input[0], f"{node.input[1]}.q", f"{node.input[1]}.s"]
            sizes = {"K": inputs, "N": outputs, "bits": 8, "block_size": _BLOCK}
            made = helper.make_node(
                "MatMulNBits", given, list(node.output), domain="com.microsoft", **sizes
            )
            model.graph.node[i].CopyFrom(made)
    data = f"{target.name}_data"
    onnx.save(model, target, save_as_external_data=True, location=data, size_threshold=256)


def _blocks(matrix: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """uint8 [out, blocks, 32] around 128, and scales [out * blocks], of [out, in]."""
    outputs, inputs = matrix.shape
    padded = np.pad(matrix, ((0, 0), (0, -inputs % _BLOCK))).reshape(outputs, -1, _BLOCK)
    scales = np.maximum(np.abs(padded).max(axis=2) / 127, 1e-12).astype(np.float32)
    quantised = np.rint(padded / scales[..., None]) + 128
    return quantised.astype(np.uint8), scales.reshape(-1)
