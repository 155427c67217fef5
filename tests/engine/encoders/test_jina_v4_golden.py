"""jina-v4 gives the reference code's outputs, and the check sees each plausible mistake."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.encoders.jina_v4 import encoder as jina_v4
from engine.encoders.jina_v4 import forward as jina_v4_forward
from engine.encoders.jina_v4 import tokens as jina_v4_tokens
from engine.encoders.jina_v4.forward import Forward, Row, States
from tests.golden import check, jina_v4_check
from tests.golden.jina_v4_check import Golden, differences

FOLDER = Path(check.__file__).parent / "jina_v4"

Patch = pytest.MonkeyPatch
Mutation = Callable[[Patch, Golden], None]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def test_every_array_of_the_golden_folder() -> None:
    found = list(differences(Golden(FOLDER)))
    assert len(found) > 350
    assert [d for d in found if not d.ok] == []


def test_check_reports_by_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(_only_with(tmp_path / "good", "text.one.query.code.single", 0))]) == 0
    assert check.main([str(_only_with(tmp_path / "bad", "text.one.query.code.single", 5e-5))]) == 1
    assert check.main([str(_only_with(tmp_path / "unknown", "something.else", 0))]) == 1
    # The last digits differ by processor, with and without bf16 units.
    said = re.search(r"text\.one\.query\.code\.single: (\S+) > 2e-05", capsys.readouterr().out)
    assert said is not None
    assert float(said[1]) == pytest.approx(5e-5, rel=0.05)


def _only_with(folder: Path, key: str, off: float) -> Path:
    """A golden folder with one array, off by so much."""
    golden = Golden(FOLDER)
    folder.mkdir()
    for part in ("ckpt", "images"):
        (folder / part).symlink_to(FOLDER / part)
    (folder / "golden_meta.json").write_text(json.dumps({**golden.meta, "cases": {}}))
    array = golden.arrays.get(key, np.zeros(3)) + off
    np.savez(folder / "golden.npz", **{key: array})
    return folder


# -- mistakes, each of which must show ----------------------------------------------------------


def _wrap_call(change: Callable[[list[str], dict[str, Any]], list[str]]) -> Mutation:
    """Change adapters or inputs on their way into the network."""

    def mutate(patch: Patch, golden: Golden) -> None:
        call = Forward._call

        def changed(self: Forward, adapters: list[str], inputs: Any, cache: Any = None) -> Any:
            return call(self, change(adapters, inputs), inputs, cache)

        patch.setattr(Forward, "_call", changed)

    return mutate


def _wrong_adapter(adapters: list[str], inputs: dict[str, Any]) -> list[str]:
    turned = {"retrieval": "code", "code": "text-matching", "text-matching": "retrieval"}
    return [turned.get(a, a) for a in adapters]


def _no_adapter(adapters: list[str], inputs: dict[str, Any]) -> list[str]:
    return [jina_v4_forward.NO_ADAPTER] * len(adapters)


def _first_adapter_for_all(adapters: list[str], inputs: dict[str, Any]) -> list[str]:
    return adapters[:1] * len(adapters)


def _positions_1d(adapters: list[str], inputs: dict[str, Any]) -> list[str]:
    places = inputs["position_ids"]
    places[:] = torch.arange(places.shape[2])
    return adapters


def _bgr(adapters: list[str], inputs: dict[str, Any]) -> list[str]:
    if "pixel_values" in inputs:
        pixels = inputs["pixel_values"]
        inputs["pixel_values"] = pixels.view(len(pixels), 3, -1).flip(1).reshape(len(pixels), -1)
    return adapters


def _scaling(factor: float) -> Mutation:
    def mutate(patch: Patch, golden: Golden) -> None:
        for module in golden.forward.network.modules():
            if hasattr(module, "scaling") and isinstance(module.scaling, dict):
                module.scaling = {k: v * factor for k, v in module.scaling.items()}

    return mutate


def _prefix(query: str, passage: str) -> Mutation:
    def mutate(patch: Patch, golden: Golden) -> None:
        patch.setattr(jina_v4_tokens, "QUERY", query)
        patch.setattr(jina_v4_tokens, "PASSAGE", passage)

    return mutate


def _text_row(make: Callable[[list[int], str], Row]) -> Mutation:
    def mutate(patch: Patch, golden: Golden) -> None:
        patch.setattr(jina_v4, "text_row", make)

    return mutate


def _image_range(change: Callable[[list[int], int, int], tuple[int, int]]) -> Mutation:
    def mutate(patch: Patch, golden: Golden) -> None:
        make = jina_v4_tokens.Prompts.image

        def changed(self: Any, tokens: int) -> Any:
            ids, (start, end) = make(self, tokens)
            return ids, change(ids, start, end)

        patch.setattr(jina_v4_tokens.Prompts, "image", changed)

    return mutate


def _no_final_newline(patch: Patch, golden: Golden) -> None:
    make = jina_v4_tokens.Prompts.image
    patch.setattr(
        jina_v4_tokens.Prompts,
        "image",
        lambda self, tokens: (make(self, tokens)[0][:-1], make(self, tokens)[1]),
    )


def _bidirectional(patch: Patch, golden: Golden) -> None:
    for layer in golden.forward.network.get_base_model().model.language_model.layers:
        layer.self_attn.is_causal = False


def _last_token(patch: Patch, golden: Golden) -> None:
    patch.setattr(States, "mean", property(lambda s: s.hidden[s.row.pooled[1] - 1]))


def _pooled_in_bf16(patch: Patch, golden: Golden) -> None:
    mean = States.mean.fget  # type: ignore[attr-defined]
    patch.setattr(States, "mean", property(lambda s: mean(s).bfloat16()))


def _projector(change: Callable[[Any], None]) -> Mutation:
    def mutate(patch: Patch, golden: Golden) -> None:
        change(golden.forward.network.get_base_model().multi_vector_projector)

    return mutate


def _no_lora_on_projector(layer: Any) -> None:
    layer.scaling = dict.fromkeys(layer.scaling, 0.0)


def _no_bias(layer: Any) -> None:
    layer.base_layer.bias.zero_()


def _vision_blocks(windowed: bool) -> Mutation:
    def mutate(patch: Patch, golden: Golden) -> None:
        tower = golden.forward.network.get_base_model().model.visual
        patch.setattr(tower, "fullatt_block_indexes", [] if windowed else range(99))

    return mutate


def _resized_by_pillow(patch: Patch, golden: Golden) -> None:
    from PIL import Image

    def resize(picture: torch.Tensor, size: tuple[int, int], **how: Any) -> torch.Tensor:
        source = Image.fromarray(picture[0].permute(1, 2, 0).numpy())
        resized = source.resize(size[::-1], Image.Resampling.BICUBIC)
        array = torch.frombuffer(bytearray(resized.tobytes()), dtype=torch.uint8)
        return array.view(1, *size, 3).permute(0, 3, 1, 2)

    patch.setattr(F, "interpolate", resize)


MUTATIONS: dict[str, tuple[str, Mutation]] = {
    "wrong adapter": ("text.one", _wrap_call(_wrong_adapter)),
    "no adapter": ("text.one", _wrap_call(_no_adapter)),
    "one adapter for a mixed batch": ("batch3.mixed", _wrap_call(_first_adapter_for_all)),
    "LoRA scaling 1 for 2": ("text.one", _scaling(0.5)),
    "LoRA scaling off by 1 %": ("text.one", _scaling(1.01)),
    "no prefix": ("text.one", _prefix("", "")),
    "prefix without space": ("text.one", _prefix("Query:", "Passage:")),
    "prefixes exchanged": ("text.one", _prefix("Passage: ", "Query: ")),
    "appended EOS": (
        "text.one",
        _text_row(lambda ids, a: Row([*ids, 514], a, (0, len(ids) + 1))),
    ),
    "prefix left out of the mean": (
        "text.short",
        _text_row(lambda ids, a: Row(ids, a, (min(2, len(ids) - 1), len(ids)))),
    ),
    "last-token pooling": ("text.short", _last_token),
    "pooled in bf16": ("text.short", _pooled_in_bf16),
    "bidirectional attention": ("text.short", _bidirectional),
    "projector without LoRA": ("text.one", _projector(_no_lora_on_projector)),
    "projector without bias": ("text.one", _projector(_no_bias)),
    "image mean over all tokens": ("image.gray", _image_range(lambda ids, a, b: (0, len(ids)))),
    "image mean without markers": ("image.gray", _image_range(lambda ids, a, b: (a + 1, b - 1))),
    "image mean without end marker": ("image.gray", _image_range(lambda ids, a, b: (a, b - 1))),
    "no final newline": ("image.gray", _no_final_newline),
    "1-D positions": ("image.gray", _wrap_call(_positions_1d)),
    "full attention in every vision block": ("image.mid", _vision_blocks(windowed=False)),
    "windows in every vision block": ("image.mid", _vision_blocks(windowed=True)),
    "BGR": ("image.small", _wrap_call(_bgr)),
    "resize by Pillow": ("image.mid", _resized_by_pillow),
}


@pytest.mark.parametrize("mistake", MUTATIONS)
def test_check_sees(mistake: str, monkeypatch: Patch) -> None:
    where, mutate = MUTATIONS[mistake]

    def only(key: str) -> bool:
        return key.startswith(where) or key == "pixel_values"

    golden = Golden(FOLDER)
    mutate(monkeypatch, golden)
    assert any(not d.ok for d in differences(golden, only))


def test_what_the_mutations_look_at_holds_without_them() -> None:
    golden = Golden(FOLDER)
    for where in {where for where, _ in MUTATIONS.values()}:
        found = list(differences(golden, lambda key, at=where: key.startswith(at)))  # type: ignore[misc]
        assert found
        assert all(d.ok for d in found)


def test_long_texts_in_slices_are_the_same() -> None:
    golden = Golden(FOLDER)
    ids = list(golden.ids("long", "passage"))
    [whole] = golden.rows([jina_v4.text_row(ids, "retrieval")])
    golden.forward.budget = 7
    [sliced] = golden.rows([jina_v4.text_row(ids, "retrieval")])
    assert (whole.hidden - sliced.hidden).abs().max() <= jina_v4_check.TEXT_LIMIT
    assert (whole.tokens - sliced.tokens).abs().max() <= jina_v4_check.TEXT_LIMIT
    assert F.cosine_similarity(whole.mean, sliced.mean, dim=0) > 0.999999
