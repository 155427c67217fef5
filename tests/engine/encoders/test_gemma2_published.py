"""EmbeddingGemma 2 on graphs in the published layout: 8-bit blocks, their kernels, the trial."""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from PIL import Image

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import TextInput
from engine.encoders.gemma2 import published, quality, text_graph
from engine.encoders.gemma2.encoder import Gemma2
from engine.encoders.gemma2.graph import GRAPH
from engine.encoders.gemma2.published import TEXT, VISION
from engine.encoders.gemma2.sessions import session, with_int8_kernels
from engine.encoders.gemma2.weights import WEIGHTS, read_config
from engine.models import files as model_files
from engine.models.registry import ModelSpec, model_spec
from engine.models.sizes import as_found, recognise
from tests.engine.encoders import gemma2_tiny
from tests.engine.encoders.gemma2_tiny import CHECKPOINT, FOLDER, tiny

ROW = model_spec("embeddinggemma-onnx")
SPEC = replace(gemma2_tiny.SPEC, id=ROW.id)


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return gemma2_tiny.publish(tmp_path_factory.mktemp("published") / "files")


@pytest.fixture
def folder(graphs: Path, base: BaseDir) -> Path:
    """BASE/models/ID with the graphs of a person's own folder, not measured yet."""
    folder = base.models / ROW.id
    folder.mkdir()
    model_files.write_json(folder / "location.json", {"path": str(graphs)})
    model_files.write_json(folder / "options.json", {"picture_tokens": 70})
    return folder


def cosines(encoder: Gemma2) -> list[float]:
    exact = tiny()
    texts = [TextInput(f"{n} letters about rent and {'taxes ' * n}") for n in range(1, 9)]
    pictures = [str(path) for path in sorted((FOLDER / "images").iterdir())[:3]]
    pairs = zip(
        encoder.encode_texts(texts, "retrieval") + encoder.encode_images(pictures, "retrieval"),
        exact.encode_texts(texts, "retrieval") + exact.encode_images(pictures, "retrieval"),
        strict=True,
    )
    return [float(a.single @ b.single) for a, b in pairs]


def test_8_bits_are_near_the_exact_weights(folder: Path) -> None:
    encoder = published.load(folder, SPEC)
    assert 0.99 < min(cosines(encoder)) < 0.9999999
    assert any("as published" in note for note in encoder.notes)
    assert any("70 tokens" in note for note in encoder.notes)


def test_matrices_are_multiplied_in_bytes_and_the_file_stays(graphs: Path) -> None:
    def levels(model: Any) -> list[list[int]]:
        return [
            [a.i for a in node.attribute if a.name == "accuracy_level"]
            for node in model.graph.node
            if node.op_type == "MatMulNBits"
        ]

    for name in (TEXT, VISION):
        before = hashlib.sha256((graphs / name).read_bytes()).hexdigest()
        assert set(map(len, levels(onnx.load(graphs / name, load_external_data=False)))) == {0}
        made = levels(onnx.load_model_from_string(with_int8_kernels(graphs / name)))
        assert len(made) >= 10
        assert all(level == [4] for level in made)
        assert hashlib.sha256((graphs / name).read_bytes()).hexdigest() == before


def test_our_graph_takes_padding_and_gives_the_mean_as_the_published_does(tmp_path: Path) -> None:
    config = read_config(CHECKPOINT)
    text_graph.write(config, CHECKPOINT / WEIGHTS, tmp_path, int8=False, most=64)
    graph = session(tmp_path / GRAPH, 1, optimise=False)
    empty = np.zeros((0, config["text_config"]["hidden_size"]), np.float32)
    media = {f"{kind}_features": empty for kind in ("image", "video", "audio")}
    ids = np.array([[2, 40, 41, 42, 43, 44, 45, 46, 1], [2, 50, 51, 1, 0, 0, 0, 0, 0]], np.int64)
    mask = (ids != 0).astype(np.int64)
    pooled, tokens = graph.run(
        ["sentence_embedding", "last_hidden_state"],
        {"input_ids": ids, "attention_mask": mask, **media},
    )
    [alone] = graph.run(
        ["last_hidden_state"],
        {"input_ids": ids[1:, :4], "attention_mask": mask[1:, :4], **media},
    )
    assert np.abs(tokens[1, :4] - alone[0]).max() <= 2e-4
    mean = alone[0].mean(axis=0)
    assert np.abs(pooled[1] - mean / np.linalg.norm(mean)).max() <= 2e-5


def test_measured_on_a_persons_own_kept_and_said(
    folder: Path, base: BaseDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "WANTED", 6)
    shutil.copytree(CHECKPOINT, base.models / "embeddinggemma-2" / "files")
    encoder = published.load(folder, SPEC)
    assert not any("cosine" in note for note in encoder.notes)
    encoder.encode_queries([f"question {n}" for n in range(9)], "retrieval")
    texts = [TextInput(f"passage {n} about rent") for n in range(9)]
    encoder.encode_texts(texts[:4], "retrieval")
    assert not (folder / "quality.json").exists()  # questions are no passages
    encoder.encode_texts(texts[4:], "code")
    kept = quality.known(folder)
    assert kept.keys() == {"passages"}
    assert kept["passages"].count == 6
    assert 0.9 < kept["passages"].least <= kept["passages"].mean < 0.9999999
    assert any("6 of your passages" in note for note in encoder.notes)

    for n in range(6):
        Image.effect_noise((40 + n, 30), 60 + n).save(tmp_path / f"{n}.png")
        encoder.encode_images([str(tmp_path / f"{n}.png")], "retrieval")
        (tmp_path / f"{n}.png").unlink()  # extractors remove them, too
    assert quality.known(folder)["pictures"].count == 6

    again = published.load(folder, SPEC)
    assert sum("cosine" in note for note in again.notes) == 2
    written = (folder / "quality.json").stat().st_mtime_ns
    again.encode_texts(texts, "retrieval")
    assert (folder / "quality.json").stat().st_mtime_ns == written

    model_files.remove(ROW, base)
    assert not (folder / "quality.json").exists()


def test_exact_weights_that_can_not_be_loaded_stop_the_trial_not_the_work(
    folder: Path, base: BaseDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quality, "WANTED", 2)
    exact = Path(shutil.copytree(CHECKPOINT, base.models / "embeddinggemma-2" / "files"))
    (exact / "model.safetensors").write_bytes(b"no weights")
    encoder = published.load(folder, SPEC)
    assert len(encoder.encode_texts([TextInput(str(n)) for n in range(5)], "retrieval")) == 5
    assert quality.known(folder) == {}


def test_what_is_near_enough() -> None:
    assert quality.Quality(64, 0.9999, 0.999).serves
    assert not quality.Quality(64, 0.964, 0.907).serves
    assert not quality.Quality(64, 0.9999, 0.9).serves
    assert not quality.Quality(64, 1.0, 1.0, times=0.9).serves
    far = quality.said("pictures", quality.Quality(64, 0.964, 0.907), "Use the others.")
    assert "64 of your pictures" in far
    assert far.endswith("too far from the exact ones. Use the others.")


@pytest.mark.parametrize(
    "name", [TEXT, f"{TEXT}_data", VISION, f"{VISION}_data", "tokenizer.json", "config.json"]
)
def test_a_damaged_or_missing_file_is_named(graphs: Path, tmp_path: Path, name: str) -> None:
    own = Path(shutil.copytree(graphs, tmp_path / "own"))
    said = Path(name).name.removesuffix("_data").replace(".", r"\.")
    (own / name).write_bytes((own / name).read_bytes()[:40])
    with pytest.raises(InklingError, match=said):
        published.check(own)
    (own / name).unlink()
    with pytest.raises(InklingError, match=said) as error:
        published.check(own)
    assert "inkling model download" in error.value.hint


def test_a_folder_is_recognised_and_added(graphs: Path, base: BaseDir) -> None:
    assert recognise(graphs) is ROW
    assert recognise(CHECKPOINT).id == "embeddinggemma-2"
    assert set(ROW.sha256) == set(ROW.files)
    model_files.accept_licence(ROW, base)
    with pytest.raises(InklingError, match="not the published one"):
        model_files.add(ROW, base, graphs)
    with pytest.raises(InklingError, match=r"onnx/.* is missing"):
        model_files.add(ROW, base, CHECKPOINT)
    ours: ModelSpec = replace(ROW, sha256={})
    model_files.add(ours, base, graphs)
    found = as_found(ours, base)
    assert (found.dims, found.dim, found.token_dim) == ((48,), 48, 48)
    manifest = json.loads((base.models / ROW.id / "manifest.json").read_text())
    assert sorted(manifest["files"]) == sorted(ROW.files)
    assert found.edition != as_found(ours, BaseDir(base.root / "other")).edition
    [made] = published.load(base.models / ROW.id, found).encode_queries(["rent"], "code")
    assert np.linalg.norm(made.single) == pytest.approx(1, abs=1e-5)
