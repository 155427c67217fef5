"""EmbeddingGemma 2 gives the reference code's outputs on both back ends; mistakes show."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from engine.encoders.gemma2 import attention, forward, pictures, tokens
from engine.encoders.jina_v4.forward import States
from tests.engine.encoders.gemma2_tiny import FOLDER
from tests.golden import check
from tests.golden.gemma2_check import BACK_ENDS, Golden, differences

Patch = pytest.MonkeyPatch
Mutation = Callable[[Patch, Golden], None]


@pytest.fixture(autouse=True, scope="module")
def _one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.parametrize("back_end", BACK_ENDS)
def test_every_array_of_the_golden_folder(back_end: str) -> None:
    found = list(differences(Golden(FOLDER, back_end)))
    assert len(found) > 380
    assert [d for d in found if not d.ok] == []


def test_check_reports_by_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(_only_with(tmp_path / "good", "text.short.query.single.24", 0))]) == 0
    said = capsys.readouterr().out
    for back_end in BACK_ENDS:
        assert f"{back_end}: text single" in said
    assert check.main([str(_only_with(tmp_path / "bad", "text.short.query.single.24", 5e-5))]) == 1
    assert "text.short.query.single.24: 5" in capsys.readouterr().out
    assert check.main([str(_only_with(tmp_path / "new", "something.else", 0))]) == 1


def test_what_is_no_golden_folder_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def said(folder: Path) -> str:
        assert check.main([str(folder)]) == 2
        return capsys.readouterr().err

    assert "there is no golden.npz in it" in said(tmp_path / "nowhere")
    folder = _only_with(tmp_path / "golden", "text.short.query.single.24", 0)
    (folder / "golden.npz").write_bytes(b"PK\3\4 no more")
    assert "is damaged" in said(folder)
    shutil.copyfile(FOLDER / "golden.npz", folder / "golden.npz")
    (folder / "golden_meta.json").write_text("{}")
    assert "KeyError: 'texts'" in said(folder)
    (folder / "ckpt").unlink()
    shutil.copytree(FOLDER / "ckpt", folder / "ckpt")
    (folder / "ckpt" / "config.json").write_text('{"model_type": "bert"}')
    assert "no check for: bert" in said(folder)
    shutil.copy(FOLDER / "ckpt" / "config.json", folder / "ckpt" / "config.json")
    shutil.copyfile(FOLDER / "golden_meta.json", folder / "golden_meta.json")
    (folder / "ckpt" / "model.safetensors").unlink()
    assert "model.safetensors is missing" in said(folder)


def _only_with(folder: Path, key: str, off: float) -> Path:
    """A golden folder with one array, off by so much."""
    folder.mkdir()
    for part in ("ckpt", "images"):
        (folder / part).symlink_to(FOLDER / part)
    meta = json.loads((FOLDER / "golden_meta.json").read_text())
    (folder / "golden_meta.json").write_text(json.dumps({**meta, "images": {}}))
    with np.load(FOLDER / "golden.npz") as arrays:
        array = arrays[key] + off if key in arrays.files else np.zeros(3)
    np.savez(folder / "golden.npz", **{key: array})
    return folder


# -- mistakes, each of which must show ----------------------------------------------------------


def _prompt(query: str) -> Mutation:
    return lambda patch, golden: patch.setattr(
        tokens, "QUERY", {"retrieval": query, "code": query, "text-matching": query}
    )


def _apart(patch: Patch, golden: Golden) -> None:
    """Prompt and text tokenised apart."""
    make = tokens.Prompts.text

    def changed(self: Any, prefix: str, text: str) -> Any:
        before, after = make(self, prefix, ""), make(self, "", text)
        ids = [*before.ids[:-1], *after.ids[1:]]
        return tokens.Prompt(ids, np.full((len(ids), 2), -1, np.int32))

    patch.setattr(tokens.Prompts, "text", changed)


def _control_tokens(patch: Patch, golden: Golden) -> None:
    golden.prompts(8192)._tokenizer.encode_special_tokens = False


def _mean(change: Callable[[States], torch.Tensor]) -> Mutation:
    return lambda patch, golden: patch.setattr(States, "mean", property(change))


def _window(change: int) -> Mutation:
    def mutate(patch: Patch, golden: Golden) -> None:
        for layer in golden.forward.network.language_model.layers:  # type: ignore[attr-defined]
            if layer.self_attn.sliding_window is not None:
                layer.self_attn.sliding_window += change

    return mutate


def _scale(patch: Patch, golden: Golden) -> None:
    for module in golden.forward.network.modules():  # type: ignore[attr-defined]
        if hasattr(module, "scaling"):
            module.scaling = module.head_dim**-0.5


def _one_row(patch: Patch, golden: Golden) -> None:
    """Texts of a batch see one another."""
    patch.setattr(forward, "segments", lambda lengths: [attention.Segment(0, sum(lengths), 1)])


def _swapped(patch: Patch, golden: Golden) -> None:
    make = pictures.places
    patch.setattr(forward, "places", lambda patches: make(patches).flip(-1))


def _bgr(patch: Patch, golden: Golden) -> None:
    make = pictures.Grid.patches
    patch.setattr(pictures.Grid, "patches", lambda s, p, b: make(s, p.flip(0), b))


def _bilinear(patch: Patch, golden: Golden) -> None:
    resize = F.interpolate
    patch.setattr(F, "interpolate", lambda x, **how: resize(x, **{**how, "mode": "bilinear"}))


MUTATIONS: dict[str, tuple[str, Mutation]] = {
    "no prompt": ("text.short.query.single.48", _prompt("")),
    "prompt without blank": ("text.short.query.single.48", _prompt("task: search result | query:")),
    "prompt and text apart": ("text.space.document.single.48", _apart),
    "control tokens in a text": ("text.control.document.single.48", _control_tokens),
    "first token": ("text.short.query.single.48", _mean(lambda s: s.hidden[0])),
    "without marks": ("text.short.query.single.48", _mean(lambda s: s.hidden[1:-1].mean(0))),
    "unit length first": (
        "text.short.query.single.48",
        _mean(lambda s: F.normalize(s.hidden, dim=-1).mean(0)),
    ),
    "image tokens only": ("image.tiny_31x23.70.single", _mean(lambda s: s.hidden[2:-2].mean(0))),
    "window less one": ("text.long.query.single.48", _window(-1)),
    "window plus one": ("text.long.query.single.48", _window(1)),
    "scaled scores": ("text.short.query.single.48", _scale),
    "rows that see one another": ("batch.right", _one_row),
    "columns for rows": ("image.tall_47x610.70.single", _swapped),
    "BGR": ("image.tiny_31x23.70.single", _bgr),
    "another resize": ("image.tiny_31x23.70.single", _bilinear),
}


@pytest.mark.parametrize("mistake", MUTATIONS)
def test_check_sees(mistake: str, monkeypatch: Patch) -> None:
    where, mutate = MUTATIONS[mistake]
    golden = Golden(FOLDER)
    mutate(monkeypatch, golden)
    assert any(not d.ok for d in differences(golden, lambda key: key.startswith(where)))
