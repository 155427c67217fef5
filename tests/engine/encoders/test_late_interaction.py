"""ColPali, ColQwen2 and ColModernVBERT: exactly what transformers' own classes give."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import FileFacts, TextInput
from engine.encoders.late_interaction import encoder as module
from engine.encoders.late_interaction.encoder import LateInteraction, check, load_exactly
from engine.models import files as model_files
from engine.models.registry import MODELS
from engine.models.sizes import as_found, recognise
from engine.search.picture_likeness import nearest_pictures
from engine.sight import SightModel
from engine.store import Sighting
from tests.golden.check import check as golden_check
from tests.golden.make_late_interaction import write
from tests.golden.tiny_retrievers import MAKERS


@pytest.fixture(scope="module", params=sorted(MAKERS))
def golden(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp(request.param)
    write(folder, request.param)
    return folder


@pytest.fixture
def encoder(golden: Path) -> LateInteraction:
    return load_exactly(golden / "ckpt", recognise(golden / "ckpt"))


def test_it_gives_what_the_reference_does(golden: Path) -> None:
    found = list(golden_check(golden))
    assert len(found) == 3 * 2 + 4 * 3
    assert [d for d in found if not d.ok] == []


def test_its_row_is_known_by_its_files(golden: Path) -> None:
    spec = recognise(golden / "ckpt")
    assert spec.late_only
    assert spec.roles == {"sight"}
    check(golden / "ckpt")


def test_tokens_of_a_picture_know_their_place(golden: Path, encoder: LateInteraction) -> None:
    [made] = encoder.encode_images([str(golden / "images" / "wide.png")], "retrieval")
    assert made.boxes is not None
    assert made.boxes.shape == (len(made.tokens), 4)
    parts = made.boxes[(made.boxes != [0, 0, 1, 1]).any(axis=1)]
    assert len(parts) >= 12
    # Row by row over the whole picture, or over each of its tiles.
    assert parts.min() == 0.0
    assert parts.max() == 1.0
    assert (parts[:, 2:] > parts[:, :2]).all()
    areas = (parts[:, 2:] - parts[:, :2]).prod(axis=1)
    assert round(float(areas.sum()), 3) in (1.0, 2.0)  # the tiles' picture is there whole as well


def test_a_mark_in_the_picture_is_seen_where_it_is(
    golden: Path, encoder: LateInteraction, tmp_path: Path
) -> None:
    plain, marked = tmp_path / "plain.png", tmp_path / "marked.png"
    picture = Image.new("RGB", (128, 128), "white")
    picture.save(plain)
    picture.paste("black", (70, 6, 90, 26))
    picture.save(marked)
    before, after = encoder.encode_images([str(plain), str(marked)], "retrieval")
    assert before.boxes is not None
    part = (before.boxes != [0, 0, 1, 1]).any(axis=1)
    apart = np.linalg.norm(before.tokens - after.tokens, axis=1)[part]
    left, top, right, bottom = before.boxes[part][int(apart.argmax())]
    assert left < 90 / 128
    assert right > 70 / 128
    assert top < 26 / 128
    assert bottom > 6 / 128


def test_what_a_person_writes_is_no_control_token(encoder: LateInteraction) -> None:
    name = encoder.processor.image_token
    said, plain = encoder.encode_queries([f"two {name} queues", "two   queues"], "retrieval")
    assert said.tokens.shape == plain.tokens.shape
    assert said.tokens == pytest.approx(plain.tokens, abs=1e-6)


def test_odd_questions_and_passages_are_read(encoder: LateInteraction) -> None:
    for text in ("", "\ud800", "long " * 4000):
        [made] = encoder.encode_queries([text], "retrieval")
        assert np.linalg.norm(made.single) == pytest.approx(1.0, abs=1e-5)
    [passage] = encoder.encode_texts([TextInput("two queues", "Notes")], "retrieval")
    [asked] = encoder.encode_queries(["Notes\ntwo queues"], "retrieval")
    assert len(passage.tokens) < len(asked.tokens)  # nothing is added to it


def test_memory_that_runs_out_costs_pixels(
    golden: Path, encoder: LateInteraction, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (900, 600), "white").save(path)
    real, tries = encoder._run, []

    def run(*given: object, **more: object) -> object:
        tries.append(1)
        if len(tries) < 3:
            raise MemoryError
        return real(*given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(encoder, "_run", run)
    assert len(encoder.encode_images([str(path)], "retrieval")) == 1
    assert encoder.notes == ["Memory ran out: large pictures are read with fewer pixels."]
    tries.clear()
    monkeypatch.setattr(module, "_LEAST_SIDE", 2_000)
    with pytest.raises(InklingError, match="not enough memory"):
        encoder.encode_images([str(path)], "retrieval")


def test_a_worker_sees_with_it_and_stores_tokens(golden: Path, base: BaseDir) -> None:
    spec = recognise(golden / "ckpt")
    model_files.accept_licence(spec, base)
    model_files.add(spec, base, golden / "ckpt")
    pictures = sorted((golden / "images").iterdir())
    eyes = SightModel(base, as_found(spec, base))
    try:
        singles, tokens = eyes.see([str(path) for path in pictures])
        assert singles.shape == (4, 128)
        for n, path in enumerate(pictures):
            facts = FileFacts(n, str(path), "image", None, "png", 1e9, 9)
            eyes.sightings.replace(
                [(facts, Sighting(singles[n : n + 1], (None,), "h", [tokens[n]]))]
            )
        by_itself = replace(parse(""), image=str(pictures[2]))
        found = nearest_pictures(eyes, eyes.question(by_itself), None, 3)
        assert found[0][0] == 2
        words = eyes.question(parse("the diagram with the two queues"))
        assert len(nearest_pictures(eyes, words, None, 3)) == 3
    finally:
        eyes.close()


def test_files_that_are_not_whole_are_named(golden: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ckpt"
    shutil.copytree(golden / "ckpt", folder)
    tensors = load_file(folder / "model.safetensors")
    lost = sorted(name for name in tensors if "embedding_proj_layer" in name)[0]
    del tensors[lost]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(InklingError, match=f"missing tensors, among them {lost}"):
        check(folder)
    (folder / "config.json").write_text(json.dumps({"model_type": "other"}))
    with pytest.raises(InklingError, match="of another model: other"):
        load_exactly(folder, MODELS["colpali"])
