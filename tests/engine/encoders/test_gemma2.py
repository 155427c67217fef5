"""EmbeddingGemma 2 as the pool uses it: prompts, spans, long and odd inputs, damaged folders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException as onnxruntime_error
from PIL import Image
from transformers import EmbeddingGemma2Config, EmbeddingGemma2Model

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import FileFacts, TextInput, Unit
from engine.encoders.gemma2 import placement
from engine.encoders.gemma2.attention import Segment, packed_attention, segments
from engine.encoders.gemma2.encoder import Gemma2, text_row
from engine.encoders.gemma2.forward import PackedForward
from engine.encoders.gemma2.pictures import BUDGETS, Grid
from engine.engine import Engine
from engine.models import files as model_files
from engine.models.registry import model_spec
from engine.models.sizes import as_found, recognise
from tests.engine.encoders.gemma2_tiny import CHECKPOINT, FOLDER, SPEC, tiny
from tests.golden.gemma2_check import BACK_ENDS


@pytest.fixture(scope="module", params=BACK_ENDS)
def encoder(request: pytest.FixtureRequest) -> Gemma2:
    return tiny(request.param)


def text_of(encoder: Gemma2, ids: list[int]) -> str:
    return str(encoder.prompts._tokenizer.decode(ids, skip_special_tokens=False))


def test_prompts_of_each_adapter(encoder: Gemma2) -> None:
    prompts = encoder.prompts
    document = TextInput("a lease", "Flat | 7\n › 2024 ")
    assert text_of(encoder, prompts.query("rent", "code").ids) == (
        "<bos>task: code retrieval | query: rent<eos>"
    )
    said = text_of(encoder, prompts.passage(document, "retrieval").ids)
    assert said == "<bos>title: Flat 7 › 2024 | text: a lease<eos>"
    assert prompts.passage(document, "code").ids == prompts.passage(document, "retrieval").ids
    bare = text_of(encoder, prompts.passage(TextInput("a lease", " | "), "code").ids)
    assert bare == "<bos>title: none | text: a lease<eos>"
    like = text_of(encoder, prompts.passage(TextInput("a lease"), "text-matching").ids)
    assert like == "<bos>task: sentence similarity | query: a lease<eos>"


def test_spans_cover_the_text_and_nothing_else(encoder: Gemma2) -> None:
    text = "  naïve café\n\n<eos> 東京 👩‍💻"
    [encoding] = encoder.encode_texts([TextInput(text, "Notes")], "retrieval")
    assert encoding.spans is not None
    assert len(encoding.spans) == len(encoding.tokens)
    inside = encoding.spans[encoding.spans[:, 0] >= 0]
    assert {i for a, b in inside for i in range(a, b)} == set(range(len(text)))
    assert (encoding.spans[[0, -1]] == -1).all()
    assert np.allclose(np.linalg.norm(encoding.tokens, axis=1), 1, atol=1e-5)
    assert encoding.tokens.shape[1] == SPEC.token_dim
    assert encoding.single.shape == (SPEC.dim,)


def test_the_single_vector_is_cut_as_it_was_trained_to_be(encoder: Gemma2) -> None:
    [short] = encoder.encode_queries(["rent"], "retrieval")
    [states] = encoder.forward.run_batch([text_row(encoder.prompts.query("rent", "retrieval").ids)])
    whole = states.mean.numpy()
    cut = whole[: SPEC.dim] / np.linalg.norm(whole[: SPEC.dim])
    assert np.abs(short.single - cut).max() < 1e-6


def test_long_texts_and_titles_are_cut() -> None:
    encoder = tiny(window=64)
    text, title = "rent and taxes " * 500, "a long title of many words " * 50
    prompt = encoder.prompts.passage(TextInput(text, title), "retrieval")
    assert len(prompt.ids) == 64
    assert prompt.ids[-1] == encoder.prompts._marks.eos
    said = text_of(encoder, prompt.ids)
    assert "| text: rent and taxes" in said  # the title leaves room
    [encoding] = encoder.encode_texts([TextInput(text, title)], "retrieval")
    assert len(encoding.tokens) == 64
    [same] = encoder.encode_texts([TextInput(text + "and more", title)], "retrieval")
    assert np.array_equal(encoding.single, same.single)


def test_nothing_and_broken_characters(encoder: Gemma2) -> None:
    made = encoder.encode_texts([TextInput(""), TextInput("a\ud800\0b"), TextInput(" ")], "code")
    for encoding in made:
        assert np.isfinite(encoding.single).all()
        assert np.linalg.norm(encoding.single) == pytest.approx(1, abs=1e-5)
    assert made[0].spans is not None
    assert (made[0].spans == -1).all()
    assert encoder.encode_texts([], "retrieval") == []
    assert encoder.encode_queries([""], "retrieval")[0].single.shape == (SPEC.dim,)


def test_texts_of_a_batch_do_not_see_one_another(encoder: Gemma2) -> None:
    texts = [TextInput("word " * n, "Title" * (n % 3)) for n in (1, 30, 7, 7, 90, 2, 0)]
    together = encoder.encode_texts(texts, "retrieval")
    for text, encoding in zip(texts, together, strict=True):
        [alone] = encoder.encode_texts([text], "retrieval")
        assert np.abs(alone.single - encoding.single).max() < 2e-6
        assert np.abs(alone.tokens - encoding.tokens).max() < 2e-4


def test_both_back_ends_agree_on_what_neither_was_checked_with() -> None:
    one, other = (tiny(back_end) for back_end in BACK_ENDS)
    texts = [TextInput("The boiler was serviced in March. " * n, "House") for n in (1, 5, 20)]
    for a, b in zip(
        one.encode_texts(texts, "retrieval"), other.encode_texts(texts, "retrieval"), strict=True
    ):
        assert np.abs(a.single - b.single).max() <= 2e-5
        assert np.abs(a.tokens - b.tokens).max() <= 2e-4


def test_long_texts_are_those_of_the_class_own_attention() -> None:
    """Blocks of a sliding layer, past the first, against transformers' own mask."""
    ids = torch.randint(10, 900, (700,), generator=torch.Generator().manual_seed(3))
    config = EmbeddingGemma2Config.from_pretrained(CHECKPOINT)
    config.audio_config = None
    plain = EmbeddingGemma2Model.from_pretrained(CHECKPOINT, config=config, dtype=torch.float32)
    with torch.inference_mode():
        expected = plain(input_ids=ids[None]).last_hidden_state[0]
    for back_end in BACK_ENDS:
        [states] = tiny(back_end).forward.run_batch([text_row(ids.tolist())])
        assert (states.hidden - expected).abs().max() <= 2e-4


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 200), min_size=1, max_size=6),
    st.one_of(st.none(), st.integers(1, 90)),
    st.sampled_from([(4, 2), (4, 1), (2, 2)]),
)
def test_packed_attention_is_that_of_each_row_alone(
    lengths: list[int], near: int | None, heads: tuple[int, int]
) -> None:
    draw = torch.Generator().manual_seed(sum(lengths))
    many, few = heads
    q, k, v = (
        torch.randn(1, n, sum(lengths), 8, generator=draw, dtype=torch.float64)
        for n in (many, few, few)
    )
    window = None if near is None else near + 1
    parts = segments(lengths)
    made, _ = packed_attention(
        None, q, k, v, None, scaling=1.0, sliding_window=window, segments=parts
    )
    assert made.shape == (1, sum(lengths), many, 8)
    assert sum(part.length * part.count for part in parts) == sum(lengths)
    start = 0
    for length in lengths:
        row = slice(start, start + length)
        scores = q[0, :, row] @ k[0, :, row].repeat_interleave(many // few, 0).transpose(1, 2)
        away = torch.arange(length) - torch.arange(length)[:, None]
        if near is not None:
            scores = scores.masked_fill(away.abs() > near, -torch.inf)
        expected = scores.softmax(-1) @ v[0, :, row].repeat_interleave(many // few, 0)
        assert (made[0, row] - expected.transpose(0, 1)).abs().max() < 1e-9
        start += length


def test_rows_of_one_length_share_a_call() -> None:
    assert segments([5, 5, 2, 5]) == [Segment(0, 5, 2), Segment(10, 2, 1), Segment(12, 5, 1)]


# -- pictures -----------------------------------------------------------------------------------


@given(st.integers(1, 6000), st.integers(1, 6000), st.sampled_from(BUDGETS))
def test_a_picture_fills_its_budget_and_never_more(high: int, wide: int, budget: int) -> None:
    rows, columns = (side // 48 for side in Grid(16, 3).fitted(high, wide, budget))
    assert 1 <= rows * columns <= budget
    if min(high, wide) * 4 >= max(high, wide) and budget >= 140:
        assert rows * columns >= 0.75 * budget


@pytest.mark.parametrize(
    ("mode", "size"),
    [("RGB", (1, 1)), ("RGB", (5000, 20)), ("L", (33, 90)), ("RGBA", (40, 30)), ("P", (64, 2))],
)
def test_odd_pictures(encoder: Gemma2, tmp_path: Path, mode: str, size: tuple[int, int]) -> None:
    path = tmp_path / "odd.png"
    Image.new(mode, size).save(path)
    [encoding] = encoder.encode_images([str(path)], "retrieval")
    boxes = encoding.boxes
    assert boxes is not None
    assert len(boxes) == len(encoding.tokens)
    assert boxes[[0, 1, -2, -1]].tolist() == [[0, 0, 1, 1]] * 4
    inside = boxes[2:-2]
    area = (inside[:, 2] - inside[:, 0]) * (inside[:, 3] - inside[:, 1])
    assert area.sum() == pytest.approx(1, abs=1e-4)  # they tile the picture
    assert encoding.spans is None
    assert encoding.note.startswith("seen at ")
    assert np.isfinite(encoding.tokens).all()


def test_a_turned_picture_is_seen_upright(encoder: Gemma2, tmp_path: Path) -> None:
    source = Image.open(FOLDER / "images" / "odd_301x199.png").convert("RGB")
    source.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its left side
    source.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "turned.png", exif=exif)
    upright, turned = encoder.encode_images(
        [str(tmp_path / "upright.png"), str(tmp_path / "turned.png")], "retrieval"
    )
    assert np.array_equal(upright.single, turned.single)


def test_a_file_that_is_no_picture_is_named(encoder: Gemma2, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n and no more")
    with pytest.raises(InklingError, match="can't be read as a picture") as error:
        encoder.encode_images([str(tmp_path / "broken.png")], "retrieval")
    assert error.value.path == str(tmp_path / "broken.png")


def test_pictures_and_texts_share_a_batch(encoder: Gemma2) -> None:
    from engine.encoders.jina_v4.images import decode

    pictures = [
        encoder.image_row(decode(str(FOLDER / "images" / name), max_aspect=None))
        for name in ("tiny_31x23.png", "gray_120x90.png", "wide_900x11.png")
    ]
    text = text_row(encoder.prompts.query("a chart", "retrieval").ids)
    rows = [pictures[0], text, pictures[1], pictures[2], text]
    together = encoder.forward.run_batch(rows)
    for row, states in zip(rows, together, strict=True):
        [alone] = encoder.forward.run_batch([row])
        assert states.row is row
        assert (states.hidden - alone.hidden).abs().max() <= 2e-4


def test_fewer_tokens_when_memory_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = tiny(picture_budget=280)
    path = tmp_path / "picture.png"
    Image.new("RGB", (640, 400), "teal").save(path)
    see = PackedForward.see

    def short(self: PackedForward, patches: Any) -> torch.Tensor:
        if len(patches.pixels) > 70 * 9:
            raise RuntimeError("out of memory")
        return see(self, patches)

    monkeypatch.setattr(PackedForward, "see", short)
    [encoding] = encoder.encode_images([str(path)], "retrieval")
    assert len(encoding.tokens) == 60 + 4
    assert any("fewer pixels" in note for note in encoder.notes)


def test_smaller_batches_when_a_graph_runs_out_of_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = tiny("onnxruntime")
    texts = [TextInput("rent and taxes")] * 4
    expected = encoder.encode_texts(texts, "retrieval")
    graph: Any = encoder.forward

    class Short:
        """A session that has room for one text."""

        def __init__(self, real: Any) -> None:
            self.real = real

        def run(self, outputs: list[str], inputs: dict[str, Any]) -> Any:
            if len(inputs["input_ids"]) > 1:
                raise onnxruntime_error("Failed to allocate memory for requested buffer")
            return self.real.run(outputs, inputs)

    monkeypatch.setattr(graph, "_text", Short(graph._text))
    made = encoder.encode_texts(texts, "retrieval")
    assert all(np.allclose(a.single, b.single) for a, b in zip(made, expected, strict=True))
    assert any("smaller batches" in note for note in encoder.notes)


# -- folders ------------------------------------------------------------------------------------


@pytest.fixture
def own(tmp_path: Path) -> Path:
    return Path(shutil.copytree(CHECKPOINT, tmp_path / "own"))


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_damaged_or_missing_file_is_named(own: Path, name: str) -> None:
    whole = (own / name).read_bytes()
    (own / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InklingError, match=name.replace(".", r"\.")):
        placement.check(own)
    (own / name).unlink()
    with pytest.raises(InklingError, match=name.replace(".", r"\.")) as error:
        placement.check(own)
    assert "inkling model" in error.value.hint


def test_a_tensor_too_few_is_named(own: Path) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(own / "model.safetensors")
    name = "vision_tower.encoder.layers.1.mlp.up_proj.linear.weight"
    rest = {key: value for key, value in weights.items() if key != name}
    save_file(rest, own / "model.safetensors", {"format": "pt"})
    with pytest.raises(InklingError, match=name.replace(".", r"\.")):
        placement.check(own)
    save_file({**weights, "spare": torch.zeros(1)}, own / "model.safetensors", {"format": "pt"})
    with pytest.raises(InklingError, match="unexpected tensors, among them spare"):
        placement.check(own)


def test_another_model_is_refused(own: Path) -> None:
    (own / "config.json").write_text('{"model_type": "embedding_gemma2"}')
    with pytest.raises(InklingError, match="not that of EmbeddingGemma 2"):
        placement.check(own)


# -- how it runs --------------------------------------------------------------------------------


def test_an_added_folder_finds_files_by_text_and_by_picture(base: BaseDir) -> None:
    """Through the store, with the model in its worker."""
    registered = model_spec("embeddinggemma-2")
    assert recognise(CHECKPOINT) is registered
    model_files.accept_licence(registered, base)
    model_files.add(registered, base, CHECKPOINT)
    manifest = json.loads((base.models / registered.id / "manifest.json").read_text())
    assert sorted(manifest["files"]) == sorted(registered.files)
    found = as_found(registered, base)
    assert (found.dims, found.dim, found.token_dim) == ((48,), 48, 48)
    assert found.edition
    model_files.set_options(registered, base, model_files.Options("cpu", "fp32", 70))
    picture = str(FOLDER / "images" / "odd_301x199.png")
    units = [
        (FileFacts(1, "/1", "note", None, "", 1.0, 1), Unit(1, 0, "note", "the lease of the flat")),
        (FileFacts(2, "/2", "image", None, "", 1.0, 1), Unit(2, 0, "image", "", image=picture)),
        (FileFacts(3, "/3", "code", None, "", 1.0, 1), Unit(3, 0, "code", "def upload(): pass")),
    ]
    engine = Engine(base, found, lambda words, limit, filters: [])
    try:
        stored = engine.encode(units)
        engine.replace({one.unit.file_id: [one] for one in stored})
        *_, last = engine.search(parse("the lease of the flat"))
        assert last.hits[0].path == "/1"
        assert stored[1].vector is not None
        assert stored[1].vector.shape == (48,)
        assert stored[1].note == "seen at 480 × 288 pixels"
        assert any("70 tokens" in note for note in engine.encoder_notes)
    finally:
        engine.close()


def test_bytes_run_where_they_are_good_enough(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Measured on samples the first time, then remembered."""
    (own / "measured.json").write_text('{"bf16_is_faster": false, "picture_tokens": 70}')
    (own / "options.json").write_text('{"device": "cpu"}')
    monkeypatch.setattr(placement.quality, "_MEAN", 0.5)
    monkeypatch.setattr(placement.quality, "_LEAST", 0.2)
    monkeypatch.setattr(placement, "_seconds", lambda forward, rows: 1.0)
    encoder = placement.load(own, SPEC)
    assert not isinstance(encoder.forward, PackedForward)
    assert any("8 bits: cosine" in note and "near enough" in note for note in encoder.notes)
    kept = json.loads((own / "quality.json").read_text())["samples"]
    assert kept["count"] == len(placement.SAMPLES)
    assert 0.9 < kept["mean"] < 0.99999  # they are other numbers, and near
    exact = tiny()
    [a], [b] = (e.encode_queries(["the boiler"], "retrieval") for e in (encoder, exact))
    assert float(a.single @ b.single) > 0.9
    assert sorted(p.name for p in (own / "graphs").iterdir()) == ["text", "vision"]

    # What was found too far is not used again, and not measured again.
    (own / "quality.json").write_text('{"passages": {"count": 64, "mean": 0.1, "least": 0.1}}')
    encoder = placement.load(own, SPEC)
    assert isinstance(encoder.forward, PackedForward)
    [c] = encoder.encode_queries(["the boiler"], "retrieval")
    assert np.abs(c.single - b.single).max() <= 2e-5


def test_slower_bytes_are_not_used(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (own / "measured.json").write_text('{"bf16_is_faster": false, "picture_tokens": 70}')
    monkeypatch.setattr(placement.quality, "_MEAN", 0.0)
    monkeypatch.setattr(placement.quality, "_LEAST", 0.0)
    seconds = iter([1.0, 2.0])
    monkeypatch.setattr(placement, "_seconds", lambda forward, rows: next(seconds))
    assert isinstance(placement.load(own, SPEC).forward, PackedForward)
    assert json.loads((own / "quality.json").read_text())["samples"]["times"] == 0.5


def test_the_budget_of_pictures_follows_the_speed(own: Path) -> None:
    full = {
        "vision_config": {
            "pooling_kernel_size": 3,
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 16,
        },
        "text_config": {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 24},
    }
    # Seconds on one core of a Xeon that does some 80e9 a second: 3.1, 6.6 and 15.2.
    seconds = [placement.picture_work(full, budget) / 80e9 for budget in (70, 140, 280)]
    assert seconds == pytest.approx([3.1, 6.6, 15.2], rel=0.15)
    assert placement._affordable(full, 40e9) == 70
    assert placement._affordable(full, 150e9) == 140
    assert placement._affordable(full, 2e12) == 280
    assert placement.picture_budget(own, full) in BUDGETS
    kept = json.loads((own / "measured.json").read_text())["picture_tokens"]
    assert placement.picture_budget(own, full) == kept
    (own / "options.json").write_text('{"picture_tokens": 1120}')
    assert placement.picture_budget(own, full) == 1120
