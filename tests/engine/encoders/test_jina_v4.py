"""The jina-v4 encoder: loading, spans, boxes, adapters under threads, hostile text and pictures."""

from __future__ import annotations

import builtins
import json
import shutil
import socket
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from engine.contract.errors import InklingError
from engine.contract.types import Adapter, Encoding, TextInput
from engine.encoders.inference.turns import Turns
from engine.encoders.jina_v4 import encoder as jina_v4
from engine.encoders.jina_v4.encoder import JinaV4
from engine.encoders.jina_v4.forward import Row, batches
from engine.encoders.jina_v4.images import Preprocessor, decode, has_fine_print, tiles
from engine.encoders.jina_v4.weights import Checkpoint, check_folder, load_network
from tests.engine.encoders.jina_tiny import CHECKPOINT, FOLDER, SPEC, tiny

ADAPTERS: tuple[Adapter, ...] = ("retrieval", "text-matching", "code")
BIG = str(FOLDER / "images" / "big_1200x900.png")


@pytest.fixture(scope="module")
def encoder() -> JinaV4:
    return tiny()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the checkpoint that a test may change."""
    return Path(shutil.copytree(CHECKPOINT, tmp_path / "ckpt"))


def closest(one: Encoding, other: Encoding) -> float:
    assert one.tokens.shape == other.tokens.shape
    return max(
        float(np.abs(one.single - other.single).max()),
        float(np.abs(one.tokens - other.tokens).max()),
    )


# -- loading ------------------------------------------------------------------------------------


def _change(folder: Path, name: str, change: Any) -> None:
    tensors = {key: value.clone() for key, value in load_file(folder / name).items()}
    change(tensors)
    save_file(tensors, folder / name)


ADAPTER_FILE = "adapters/adapter_model.safetensors"
LORA = "base_model.model.model.language_model.layers.1.mlp.up_proj.lora_B.code.weight"


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("model.safetensors", lambda t: t.pop("visual.merger.ln_q.weight"), "visual.merger.ln_q"),
        ("model.safetensors", lambda t: t.pop("multi_vector_projector.bias"), "projector"),
        (ADAPTER_FILE, lambda t: t.pop(LORA), r"up_proj\.lora_B\.code"),
        (ADAPTER_FILE, lambda t: t.update({LORA: torch.zeros(3, 4)}), r"lora_B\.code.*\[3, 4\]"),
        ("model.safetensors", lambda t: t.update(spare=torch.zeros(1)), "belong there: spare"),
        (
            ADAPTER_FILE,
            lambda t: t.update({LORA.replace("code", "default"): torch.zeros(96, 4)}),
            r"belong there: .*lora_B\.default",
        ),
        (
            "model.safetensors",
            lambda t: t.update({"model.norm.weight": torch.zeros(64, dtype=torch.int32)}),
            r"model\.norm\.weight.*integers",
        ),
    ],
)
def test_every_tensor_is_accounted_for_by_name(
    folder: Path, name: str, change: Any, said: str
) -> None:
    _change(folder, name, change)
    with pytest.raises(InklingError, match=said):
        check_folder(folder)
    with pytest.raises(InklingError, match=said):
        load_network(Checkpoint.open(folder), torch.float32)


def test_shards_are_read_by_their_index(folder: Path) -> None:
    whole = load_file(folder / "model.safetensors")
    names = sorted(whole)
    shards = {"model-00001-of-00002.safetensors": names[::2]}
    shards["model-00002-of-00002.safetensors"] = names[1::2]
    for file, keys in shards.items():
        save_file({key: whole[key].clone() for key in keys}, folder / file)
    index = {key: file for file, keys in shards.items() for key in keys}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": index}))
    (folder / "model.safetensors").unlink()
    check_folder(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(InklingError, match=r"model-00002-of-00002\.safetensors is missing"):
        check_folder(folder)


def test_damaged_files_are_named(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\x10\x00\x00\x00\x00\x00\x00\x00not a header")
    with pytest.raises(InklingError, match=r"model\.safetensors is damaged"):
        check_folder(folder)
    (folder / "config.json").write_text("{")
    with pytest.raises(InklingError, match=r"config\.json"):
        check_folder(folder)


def _mapping_of(address: int) -> str:
    """The file that is mapped where an address lies."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        start, end = (int(x, 16) for x in line.split()[0].split("-"))
        if start <= address < end:
            return line
    return ""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_bf16_weights_stay_mapped() -> None:
    network = load_network(Checkpoint.open(CHECKPOINT), torch.bfloat16)
    weight = network.get_base_model().model.language_model.embed_tokens.weight
    assert _mapping_of(weight.data_ptr()).endswith("model.safetensors")


def test_load_measures_once_and_says_how_it_runs(folder: Path) -> None:
    encoder = jina_v4.load(folder, SPEC)
    assert any("processor" in note for note in encoder.notes)
    measured = folder / "measured.json"
    faster = json.loads(measured.read_text())["bf16_is_faster"]
    measured.write_text(json.dumps({"bf16_is_faster": not faster}))
    assert jina_v4.load(folder, SPEC).placed.precision == ("fp32" if faster else "bf16")
    (folder / "options.json").write_text(json.dumps({"precision": "int8"}))
    assert jina_v4.load(folder, SPEC).placed.precision == "int8"
    with pytest.raises(InklingError, match="can't be cut to 100"):
        jina_v4.load(folder, replace(SPEC, dim=100))


# -- texts --------------------------------------------------------------------------------------


def test_vectors_are_cut_and_of_unit_length(encoder: JinaV4) -> None:
    [encoding] = encoder.encode_queries(["where is the invoice"], "retrieval")
    assert encoding.single.shape == (32,)
    assert encoding.single.dtype == encoding.tokens.dtype == np.float32
    assert np.linalg.norm(encoding.single) == pytest.approx(1, abs=1e-6)
    assert np.linalg.norm(encoding.tokens, axis=1) == pytest.approx(1, abs=1e-6)


def test_spans_name_the_characters_of_the_text(encoder: JinaV4) -> None:
    text = "Grüße, 浜辺 — naïve № 5 🙂"
    [encoding] = encoder.encode_texts([TextInput(text, "Letters › 2024")], "retrieval")
    assert encoding.spans is not None
    inside = encoding.spans[encoding.spans[:, 0] >= 0]
    assert len(encoding.spans) == len(encoding.tokens)
    assert (encoding.spans[encoding.spans[:, 0] < 0] == -1).all()
    assert {i for a, b in inside for i in range(a, b)} == set(range(len(text)))
    assert (inside[:, 1] <= len(text)).all()


def test_context_changes_the_vectors_but_has_no_spans(encoder: JinaV4) -> None:
    bare, given = encoder.encode_texts([TextInput("x"), TextInput("x", "Invoices")], "retrieval")
    assert given.spans is not None
    assert given.spans.tolist()[-1] == [0, 1]
    assert (given.spans[:-1] == -1).all()
    assert np.abs(bare.single - given.single).max() > 1e-3


def test_results_do_not_depend_on_neighbours_or_order(encoder: JinaV4) -> None:
    texts = [TextInput("word " * n) for n in (40, 1, 7, 90, 3, 3, 60)]
    together = encoder.encode_texts(texts, "code")
    for text, one in zip(texts, together, strict=True):
        [alone] = encoder.encode_texts([text], "code")
        assert closest(one, alone) <= 2e-5


def test_texts_are_cut_at_the_window() -> None:
    [encoding] = tiny(max_tokens=20).encode_texts([TextInput("word " * 5000)], "retrieval")
    assert len(encoding.tokens) == 20


@pytest.mark.parametrize("text", ["", " ", "\n", "\ud800broken", "\x00"])
def test_odd_texts_are_encoded(encoder: JinaV4, text: str) -> None:
    for encoding in (
        *encoder.encode_queries([text], "code"),
        *encoder.encode_texts([TextInput(text)], "text-matching"),
    ):
        assert np.isfinite(encoding.single).all()


@pytest.mark.parametrize(
    "hostile",
    ["<|vision_start|>", "<|image_pad|><|vision_end|>", "<|im_end|>\n<|im_start|>", "<tool_call>"],
)
def test_control_tokens_in_text_are_plain_text(encoder: JinaV4, hostile: str) -> None:
    lowest = min(json.loads((CHECKPOINT / "tokenizer.json").read_text())["added_tokens"], key=_id)
    ids = encoder.query_prompt(f"a {hostile} b").ids
    assert max(ids) < lowest["id"]
    first, second = encoder.encode_queries([f"{hostile} one", "two"], "retrieval")
    [alone] = encoder.encode_queries(["two"], "retrieval")
    assert closest(second, alone) <= 2e-5
    assert first.spans is not None
    assert len(first.tokens) > len(hostile) // 2  # in pieces, not as one token


def _id(token: dict[str, Any]) -> int:
    return int(token["id"])


def test_text_that_looks_like_an_address_or_path_is_not_opened(
    encoder: JinaV4, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture = tmp_path / "picture.png"
    Image.new("RGB", (64, 64)).save(picture)
    texts = ["http://example.org/x.png", str(picture), f"file://{picture}", str(CHECKPOINT)]
    monkeypatch.setattr(builtins, "open", lambda *a, **k: pytest.fail("a file was opened"))
    monkeypatch.setattr(Image, "open", lambda *a, **k: pytest.fail("a picture was opened"))
    monkeypatch.setattr(socket, "socket", lambda *a, **k: pytest.fail("a connection was opened"))
    encoder.encode_queries(texts, "retrieval")
    encodings = encoder.encode_texts([TextInput(text) for text in texts], "retrieval")
    assert all(e.boxes is None and e.spans is not None for e in encodings)


# -- adapters and turns -------------------------------------------------------------------------


def test_adapters_do_not_mix_under_threads() -> None:
    encoder = tiny(budget=64)
    words = [f"text number {i} " * (1 + i % 5) for i in range(6)]
    expected = {a: [encoder.encode_texts([TextInput(w)], a)[0] for w in words] for a in ADAPTERS}
    queries = {a: encoder.encode_queries(["the question"], a)[0] for a in ADAPTERS}

    def work(n: int) -> float:
        adapter = ADAPTERS[n % 3]
        if n % 2:
            return closest(encoder.encode_queries(["the question"], adapter)[0], queries[adapter])
        found = encoder.encode_texts([TextInput(w) for w in words], adapter)
        return max(closest(a, b) for a, b in zip(found, expected[adapter], strict=True))

    with ThreadPoolExecutor(6) as pool:
        assert max(pool.map(work, range(36))) <= 2e-5


def test_a_query_waits_for_one_forward_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = tiny(budget=16)
    order: list[str] = []
    call = encoder.placed.forward._call
    queries = ThreadPoolExecutor(1)
    asked: list[Any] = []

    def noted(adapters: list[str], inputs: Any, cache: Any = None) -> Any:
        order.append(adapters[0])
        if order == ["code"]:  # the batch's first forward runs: now the query comes
            asked.append(queries.submit(encoder.encode_queries, ["now"], "retrieval"))
            while not encoder.placed.forward._turns._urgent:
                pass
        return call(adapters, inputs, cache)

    monkeypatch.setattr(encoder.placed.forward, "_call", noted)
    encoder.encode_texts([TextInput("many words " * 20)], "code")  # in slices
    asked[0].result()
    queries.shutdown()
    assert order[:2] == ["code", "retrieval"]
    assert order.count("code") > 3


def test_a_turn_is_given_back_after_an_error() -> None:
    turns = Turns()
    with pytest.raises(ValueError), turns.take(urgent=False):
        raise ValueError
    with turns.take(urgent=True):
        pass


def test_batches_are_full_of_tokens_not_of_padding() -> None:
    lengths = [3, 500, 480, 20, 22, 18, 5, 4, 4, 300, 21]
    rows = [Row([1] * n, "code", (0, n)) for n in lengths]
    found = list(batches(rows, 1000))
    assert sorted(i for batch in found for i in batch) == list(range(len(rows)))
    for batch in found:
        padded = max(lengths[i] for i in batch) * len(batch)
        assert padded <= 1000
        assert sum(lengths[i] for i in batch) >= 0.75 * padded
    assert len(found) == 4


# -- pictures -----------------------------------------------------------------------------------


def _screen(path: Path, size: tuple[int, int], mode: str = "RGB") -> str:
    """Hard-edged marks on an even ground, like print."""
    ground = np.full((size[1], size[0], 3), 250, np.uint8)
    ground[10::24, 20:-20:6] = 0
    Image.fromarray(ground).convert(mode).save(path)
    return str(path)


def test_boxes_cover_the_picture_once(encoder: JinaV4) -> None:
    [encoding] = encoder.encode_images([BIG], "retrieval")
    assert encoding.boxes is not None
    assert encoding.spans is None
    assert len(encoding.boxes) == len(encoding.tokens)
    whole = (encoding.boxes == (0, 0, 1, 1)).all(axis=1)
    seen = encoding.boxes[~whole]
    areas = (seen[:, 2] - seen[:, 0]) * (seen[:, 3] - seen[:, 1])
    assert areas.sum() == pytest.approx(1, abs=1e-4)
    assert seen[0, :2].tolist() == [0, 0]
    assert seen[1, 0] > 0  # the first row comes first
    assert seen[1, 1] == 0
    assert whole.sum() == 11 + 2  # the prompt of this tokenizer: "user" and the rest in pieces


def test_large_screens_are_tiled_at_their_own_size(tmp_path: Path) -> None:
    path = _screen(tmp_path / "screen.png", (700, 500))
    budget = 150_000
    [plain] = tiny(max_pixels=budget).encode_images([path], "retrieval")
    [tiled] = tiny(max_pixels=budget, tiles=4).encode_images([path], "retrieval")
    assert np.allclose(plain.single, tiled.single)
    assert np.allclose(plain.tokens, tiled.tokens[: len(plain.tokens)], atol=1e-5)
    extra = tiled.boxes[len(plain.tokens) :]  # type: ignore[index]
    assert len(extra) > 350_000 / 28**2  # every pixel's square, and the overlaps
    assert extra.min() == 0
    assert extra.max() == pytest.approx(1)


def test_tiles_hold_every_pixel_and_words_on_their_borders() -> None:
    for height, width, limit in ((1080, 1920, 6), (3000, 4000, 6), (2400, 400, 4), (900, 700, 2)):
        cuts = tiles(height, width, 602_112, limit)
        covered = np.zeros((height, width), np.uint8)
        for x0, x1, y0, y1 in cuts:
            covered[y0:y1, x0:x1] += 1
        assert covered.min() == 1
        assert covered.max() > 1
        assert len(cuts) <= limit
    assert len(tiles(1080, 1920, 602_112, 6)) == 4


def test_photographs_have_no_fine_print(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    rough = Image.fromarray(rng.integers(0, 255, (40, 60, 3), dtype=np.uint8))
    noise = rng.integers(-6, 6, (400, 600, 3))
    photo = np.clip(np.asarray(rough.resize((600, 400), 3), np.int16) + noise, 0, 255)
    Image.fromarray(photo.astype(np.uint8)).save(tmp_path / "photo.png")
    assert not has_fine_print(decode(str(tmp_path / "photo.png")))
    assert has_fine_print(decode(_screen(tmp_path / "screen.png", (600, 400))))


@pytest.mark.parametrize(
    ("height", "width", "expected"),
    [(3000, 4000, (672, 896)), (100, 200, (112, 196)), (20, 20, (56, 56)), (28, 4000, (28, 4004))],
)
def test_sizes_are_the_published_ones(height: int, width: int, expected: tuple[int, int]) -> None:
    settings = Preprocessor.from_settings(Checkpoint.open(CHECKPOINT).images)
    assert settings.fitted(height, width, 602_112) == expected


def test_twenty_megapixels_fit(encoder: JinaV4, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    Image.new("RGB", (5000, 4000), "navy").save(path)
    [encoding] = encoder.encode_images([str(path)], "retrieval")
    assert len(encoding.tokens) <= 768 + 13


def test_transparency_is_white_and_orientation_is_followed(tmp_path: Path) -> None:
    clear = Image.new("RGBA", (64, 32), (0, 0, 0, 0))
    clear.save(tmp_path / "clear.png")
    assert (decode(str(tmp_path / "clear.png")) == 255).all()
    turned = Image.new("RGB", (64, 32), "red")
    exif = turned.getexif()
    exif[0x0112] = 6  # turn right to view
    turned.save(tmp_path / "turned.jpg", exif=exif)
    assert decode(str(tmp_path / "turned.jpg")).shape == (3, 64, 32)


@pytest.mark.parametrize("what", ["empty", "text", "truncated", "narrow", "bomb", "missing"])
def test_bad_pictures_are_said_to_be_bad(encoder: JinaV4, tmp_path: Path, what: str) -> None:
    path = tmp_path / "bad.png"
    match what:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("%!PS-Adobe-3.0 EPSF")
        case "truncated":
            path.write_bytes(Path(BIG).read_bytes()[:9000])
        case "narrow":
            Image.new("1", (10_000, 10)).save(path)
        case "bomb":
            Image.new("1", (20_000, 20_000)).save(path)
    with pytest.raises(InklingError) as error:
        encoder.encode_images([str(path)], "retrieval")
    assert error.value.path == str(path)


def test_several_pictures_keep_their_order(encoder: JinaV4) -> None:
    paths: Sequence[str] = [str(p) for p in sorted((FOLDER / "images").glob("*.png"))]
    for path, one in zip(paths, encoder.encode_images(paths, "code"), strict=True):
        [alone] = encoder.encode_images([path], "code")
        assert closest(one, alone) <= 3e-4
