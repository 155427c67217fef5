"""A second downloadable family: NeoMME through transformers' class, on a tiny random checkpoint."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import NeoMMEConfig, NeoMMEForRetrieval, PreTrainedTokenizerFast

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.types import TextInput
from engine.encoders.neomme import encoder as neomme
from engine.models import files as model_files
from engine.models.registry import model_spec
from engine.models.sizes import as_found, recognise

SPECIAL = ["<pad>", "<mask>", "<query>", "<row>", "<eos>", "<doc>", "<img>"]
TEMPLATE = (
    "{% if task == 'query' %}<query>{% else %}<doc>{% endif %}"
    "{{ messages[0]['content'][0]['text'] }}"
    "{% if task == 'query' %}<mask><mask>{% endif %}"
)
SPEC = replace(model_spec("neomme-260m"), dims=(48, 16), dim=16, token_dim=8)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint in the published layout with random weights."""
    folder = tmp_path_factory.mktemp("neomme")
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *alphabet])}
    backend = Tokenizer(models.BPE(vocabulary, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="<pad>",
        mask_token="<mask>",
        extra_special_tokens={
            "row_token": "<row>",
            "image_token": "<img>",
            "document_token": "<doc>",
            "query_token": "<query>",
        },
        chat_template=TEMPLATE,
    )
    tokenizer.save_pretrained(folder)
    torch.manual_seed(7)
    model = NeoMMEForRetrieval(
        NeoMMEConfig(
            vocab_size=len(vocabulary),
            embedding_rank=24,
            hidden_size=48,
            intermediate_size=64,
            num_hidden_layers=3,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=16,
            embedding_dim=8,
            sliding_window=8,
            patch_size=8,
        )
    )
    for parameter in model.parameters():  # some start at zero, and zeros would hide mistakes
        torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    settings = {"max_side": 96, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    (folder / "preprocessor_config.json").write_text(json.dumps(settings))
    (folder / "options.json").write_text(json.dumps({"device": "cpu", "precision": "fp32"}))
    return folder


@pytest.fixture(scope="module")
def encoder(folder: Path) -> neomme.NeoMME:
    return neomme.load(folder, SPEC)


def plain(folder: Path, **inputs: Any) -> Any:
    """What transformers' class says of one input."""
    model = NeoMMEForRetrieval.from_pretrained(folder).eval()
    with torch.inference_mode():
        return model(**inputs)


def test_both_vectors_are_the_class_own(folder: Path, encoder: neomme.NeoMME) -> None:
    tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
    texts = ["sea walls", "a much longer passage about wetlands and managed retreat", "é"]
    for text, encoding in zip(texts, encoder.encode_queries(texts, "retrieval"), strict=True):
        ids = tokenizer(f"<query>{text}<mask><mask>", return_tensors="pt").input_ids
        expected = plain(folder, input_ids=ids, dense_dim=16)
        assert np.abs(encoding.single - expected.dense_embeddings[0].numpy()).max() <= 2e-5
        assert np.abs(encoding.tokens - expected.embeddings[0].numpy()).max() <= 2e-5
    [document] = encoder.encode_texts([TextInput("sea walls")], "code")
    ids = tokenizer("<doc>sea walls", return_tensors="pt").input_ids
    expected = plain(folder, input_ids=ids, dense_dim=16)
    assert np.abs(document.single - expected.dense_embeddings[0].numpy()).max() <= 2e-5


def test_spans_and_hostile_text(folder: Path, encoder: neomme.NeoMME) -> None:
    text = "<doc> Grüße <img>"
    [encoding] = encoder.encode_texts([TextInput(text, "Letters")], "retrieval")
    assert encoding.spans is not None
    inside = encoding.spans[encoding.spans[:, 0] >= 0]
    assert {i for a, b in inside for i in range(a, b)} == set(range(len(text)))
    ids = encoder.prompt("document", text).ids
    assert [i for i in ids if i < len(SPECIAL)] == [SPECIAL.index("<doc>")]


def test_pictures(folder: Path, encoder: neomme.NeoMME, tmp_path: Path) -> None:
    pixels = np.random.default_rng(2).integers(0, 255, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    [encoding] = encoder.encode_images([str(tmp_path / "picture.png")], "retrieval")
    high, wide = 3, 4
    assert encoding.boxes is not None
    assert len(encoding.tokens) == len(encoding.boxes) == 2 + high * (wide + 1)
    assert encoding.boxes[2].tolist() == pytest.approx([0, 0, 1 / wide, 1 / high])

    # The same by hand, from the processor's definition.
    whole = np.zeros((24, 32, 3), np.float32)
    whole[:20, :30] = pixels
    cut = (whole / 127.5 - 1).reshape(high, 8, wide, 8, 3).transpose(0, 2, 1, 3, 4)
    line = [SPECIAL.index("<img>")] * wide + [SPECIAL.index("<row>")]
    ids = [SPECIAL.index("<doc>"), SPECIAL.index("<img>"), *line * high]
    places = [(0, 0), (1, 1)] + [(2 + r, 2 + c) for r in range(high) for c in range(wide + 1)]
    expected = plain(
        folder,
        input_ids=torch.tensor([ids]),
        position_ids=torch.tensor(places).T[:, None],
        pixel_values=torch.from_numpy(cut.reshape(high * wide, -1)),
        dense_dim=16,
    )
    assert np.abs(encoding.single - expected.dense_embeddings[0].numpy()).max() <= 1e-4
    assert np.abs(encoding.tokens - expected.embeddings[0].numpy()).max() <= 3e-4


def test_large_pictures_are_made_smaller(encoder: neomme.NeoMME, tmp_path: Path) -> None:
    Image.new("RGB", (400, 200), "teal").save(tmp_path / "large.png")
    [encoding] = encoder.encode_images([str(tmp_path / "large.png")], "retrieval")
    assert len(encoding.tokens) == 2 + 6 * 13  # 96 x 48 pixels


def test_chunks(encoder: neomme.NeoMME) -> None:
    chunks = encoder.encode_chunks("one two", [(0, 3), (4, 7)], "", "retrieval")
    [alone] = encoder.encode_texts([TextInput("two")], "retrieval")
    assert chunks[1].single @ alone.single > 0.9999


def test_a_missing_tensor_is_named(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "tokenizer.json", "preprocessor_config.json"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    weights = load_file(folder / "model.safetensors")
    name = "multi_vector_head.proj.weight"
    save_file({k: v for k, v in weights.items() if k != name}, tmp_path / "model.safetensors")
    with pytest.raises(InklingError, match=name.replace(".", r"\.")):
        neomme.check(tmp_path)
    save_file({**weights, "spare": torch.zeros(1)}, tmp_path / "model.safetensors")
    with pytest.raises(InklingError, match="unexpected tensors, among them spare"):
        neomme.check(tmp_path)


def test_a_folder_is_recognised_and_works_as_it_is(folder: Path, base: BaseDir) -> None:
    registered = model_spec("neomme-260m")
    assert recognise(folder) is registered
    model_files.accept_licence(registered, base)
    model_files.add(registered, base, folder)
    found = as_found(registered, base)
    assert found.dims == (48,)
    assert found.dim == 48
    encoder = neomme.load(base.models / "neomme-260m", found)
    assert encoder.encode_queries(["hello"], "retrieval")[0].single.shape == (48,)
