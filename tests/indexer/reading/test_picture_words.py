"""What a photograph shows: the network against torch's own arithmetic, its words, and hostile
files of weights."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.contract.errors import InklingError
from engine.encoders.image_onnx import network as networks
from engine.encoders.image_onnx.network import DISTRIBUTION, PACKAGE, WEIGHTS, Network, network
from engine.encoders.image_onnx.torch_file import read_tensors
from engine.encoders.text_onnx.weights import package_folder
from indexer.reading.chunking import units_of
from indexer.reading.context import context_of
from indexer.reading.extract import picture
from indexer.reading.extract.base import ExtractOptions
from indexer.reading.extract.picture import extract_picture
from indexer.reading.extract.picture_words import phrases_shown, words_shown
from indexer.reading.messages import pack_extraction, unpack_extraction


@pytest.fixture(scope="module")
def weights_file() -> Path:
    return package_folder(PACKAGE, DISTRIBUTION) / WEIGHTS


def ball() -> Image.Image:
    """Round, shaded, orange, on white."""
    y, x = np.mgrid[-1:1:300j, -1:1:300j]
    inside = (x**2 + y**2) < 0.64
    light = np.clip(1.05 - ((x + 0.3) ** 2 + (y + 0.35) ** 2) / 1.6, 0.35, 1.0)
    rng = np.random.default_rng(3)
    pores = 1.0 - 0.06 * rng.random(inside.shape)
    skin = np.stack([255 * light * pores, 140 * light * pores, 20 * light * pores], axis=2)
    return Image.fromarray(np.where(inside[..., None], skin, 255).astype(np.uint8))


def test_tensors_are_those_that_torch_reads(weights_file: Path) -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.load(weights_file, weights_only=True)
    ours = read_tensors(weights_file)
    assert ours.keys() == theirs.keys()
    assert all(np.array_equal(ours[name], theirs[name].numpy()) for name in theirs)


def test_the_graph_computes_what_torch_does(weights_file: Path) -> None:
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    w = torch.load(weights_file, weights_only=True)

    def convolution(x: object, name: str, norm: str, stride: int = 1, bent: bool = True) -> object:
        kernel = w[f"{name}.weight"]
        side = kernel.shape[-1]
        need = max((-(-x.shape[-1] // stride) - 1) * stride + side - x.shape[-1], 0)
        x = functional.pad(x, (need // 2, need - need // 2) * 2)
        groups = x.shape[1] if kernel.shape[1] == 1 else 1
        x = functional.conv2d(x, kernel, stride=stride, groups=groups)
        told = [w[f"{norm}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        x = functional.batch_norm(x, *told, eps=1e-3)
        return functional.relu6(x) if bent else x

    strides = [1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1]
    picture = ball()
    x = torch.from_numpy(networks._pixels(picture))
    with torch.no_grad():
        x = convolution(x, "_conv_stem", "_bn0", 2)
        for number, stride in enumerate(strides):
            name, before = f"_blocks.{number}.", x
            if f"{name}_expand_conv.weight" in w:
                x = convolution(x, f"{name}_expand_conv", f"{name}_bn0")
            x = convolution(x, f"{name}_depthwise_conv", f"{name}_bn1", stride)
            x = convolution(x, f"{name}_project_conv", f"{name}_bn2", bent=False)
            if x.shape == before.shape and number:
                x = x + before
        features = convolution(x, "_conv_head", "_bn1").mean(dim=(2, 3))
        odds = functional.linear(features, w["_fc.weight"], w["_fc.bias"]).softmax(dim=1)
    seen = network().see(picture)
    np.testing.assert_allclose(seen.features, features[0].numpy(), atol=2e-4)
    np.testing.assert_allclose(seen.probabilities, odds[0].numpy(), atol=2e-5)


def test_a_ball_is_called_one() -> None:
    words = words_shown(network().see(ball()))
    assert words[0].endswith("ball")  # one class …
    assert "ball" in words  # … and what several of them are


def test_phrases_are_captions_with_their_probabilities() -> None:
    phrases = phrases_shown(network().see(ball()))
    assert len(phrases) == 10
    assert phrases[0][0].startswith("a photo of ")
    assert phrases[0][0].endswith("ball (ball)")
    shares = [share for _, share in phrases]
    assert shares == sorted(shares, reverse=True)
    assert 0 < sum(shares) <= 1.001


def test_a_photograph_says_what_it_shows_and_a_screenshot_does_not(tmp_path: Path) -> None:
    (tmp_path / "scratch").mkdir()
    options = ExtractOptions(str(tmp_path / "scratch"))
    ball().save(tmp_path / "IMG_2041.png")
    read = extract_picture(tmp_path / "IMG_2041.png", options)
    assert read.picture == "photo"
    context = context_of(read, str(tmp_path / "IMG_2041.png"), str(tmp_path))(read.parts[0])
    assert context.startswith("photo › ")
    assert " ball" in context
    assert unpack_extraction(pack_extraction(read)).sights == read.sights != []
    (unit,) = units_of(read, 1, str(tmp_path / "IMG_2041.png"), str(tmp_path))
    assert unit.shows == tuple(read.sights)
    read.parts[0].text = "Written on it"
    (unit,) = units_of(read, 1, str(tmp_path / "IMG_2041.png"), str(tmp_path))
    assert unit.shows == ()  # what is written says more
    screen = Image.new("RGB", (800, 500), "white")
    draw = ImageDraw.Draw(screen)
    for n in range(12):
        draw.text((30, 20 + 38 * n), f"Settings of printer number {n}", "black", font_size=24)
    screen.save(tmp_path / "b.png")
    written = extract_picture(tmp_path / "b.png", options)
    assert (written.shows, written.sights) == ([], [])


def test_without_the_network_a_picture_is_read_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Network:
        raise InklingError("The package with the model's weights is not installed.")

    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(picture, "network", missing)
    ball().save(tmp_path / "a.png")
    read = extract_picture(tmp_path / "a.png", ExtractOptions(str(tmp_path / "scratch")))
    assert read.shows == []
    assert any("not installed" in note for note in read.notes)


class _Opener:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return (open, ("stolen.txt",))


@pytest.mark.parametrize("hostile", [_Opener(), {"a": _Opener()}])
def test_a_pickle_that_calls_something_is_refused(hostile: object, tmp_path: Path) -> None:
    file = tmp_path / "weights.pth"
    parts = (0x1950A86A20F9469CFC6C, 1001, {}, hostile, [])
    file.write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts))
    with pytest.raises(ValueError, match="no file of weights"):
        read_tensors(file)


def test_a_file_cut_short_or_of_another_kind_is_refused(weights_file: Path, tmp_path: Path) -> None:
    data = weights_file.read_bytes()
    for part in (data[: len(data) // 2], data[:50], b"", b"PK\x03\x04" + data, pickle.dumps(7)):
        file = tmp_path / "weights.pth"
        file.write_bytes(part)
        with pytest.raises(ValueError):
            read_tensors(file)
