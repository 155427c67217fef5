"""The sight model that suits a machine, and how long it would take there."""

from __future__ import annotations

import pytest

from engine.models import offers
from engine.models.offers import recommended, speed
from engine.models.registry import MODELS


def test_what_is_recommended_is_free_and_sees() -> None:
    for card in (True, False):
        spec = recommended(card=card)
        assert spec.commercial_use
        assert "sight" in spec.roles
        assert spec.figures
    assert recommended(card=False).download_bytes < recommended(card=True).download_bytes
    assert recommended() in (recommended(card=True), recommended(card=False))


def test_time_is_measured_or_told_from_a_product(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = recommended(card=False)
    least, middle, most = spec.picture_work
    assert speed(spec, 2.5, card=False, threads=1) == offers.Speed(2.5, "measured")
    assert speed(spec, None, card=True, threads=1) is None
    assert speed(MODELS["jina-v4"], None, card=False, threads=1) is None
    for rate, work in ((least / 50, least), (middle / 4, middle), (most * 9, most)):
        monkeypatch.setattr(offers, "product_rate", lambda rate=rate: rate)
        told = speed(spec, None, card=False, threads=1)
        assert told is not None
        assert told.seconds == pytest.approx(work / rate / 0.9)
        halved = speed(spec, None, card=False, threads=2)
        assert halved is not None
        assert halved.seconds <= max(told.seconds, 5.0)


def test_a_product_is_really_timed() -> None:
    assert 1e8 < offers.product_rate() < 1e14


def test_every_figure_has_its_source() -> None:
    for spec in MODELS.values():
        assert all(what and value and source for what, value, source in spec.figures)


def test_work_is_that_of_the_published_network() -> None:
    from engine.encoders.gemma2.placement import picture_work

    published = {
        "vision_config": {
            "hidden_size": 768,
            "intermediate_size": 3072,
            "num_hidden_layers": 16,
            "pooling_kernel_size": 3,
        },
        "text_config": {"hidden_size": 512, "intermediate_size": 2048, "num_hidden_layers": 24},
    }
    told = [picture_work(published, budget) for budget in (70, 140, 280)]
    assert list(MODELS["embeddinggemma-2"].picture_work) == pytest.approx(told, rel=0.05)
