"""The registry: every row is whole, loads lazily and travels to a worker unchanged."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import msgpack
import pytest

from engine.contract.errors import InklingError
from engine.contract.kinds import FILE_KINDS
from engine.models.registry import DEFAULT_MODEL, MODELS, ModelSpec, model_spec


@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS.keys())
def test_row_is_whole(spec: ModelSpec) -> None:
    assert spec.dim in spec.dims
    assert list(spec.dims) == sorted(spec.dims, reverse=True)
    assert spec.adapters
    assert "text" in spec.modalities
    assert spec.texts_per_request > 0
    module, _, function = spec.module.partition(":")
    assert module.startswith("engine.encoders.")
    assert function
    assert all(len(digest) == 64 for digest in spec.sha256.values())


@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS.keys())
def test_every_kind_has_an_adapter_that_the_model_has(spec: ModelSpec) -> None:
    assert {spec.adapter_for(kind) for kind in FILE_KINDS} <= set(spec.adapters)
    assert (spec.adapter_for("code") == "code") is ("code" in spec.adapters)
    assert spec.adapter_for("note") == "retrieval"


def test_a_lone_adapter_is_for_every_kind() -> None:
    for adapter in ("retrieval", "text-matching", "code"):
        lone = replace(MODELS[DEFAULT_MODEL], adapters=(adapter,))
        assert {lone.adapter_for(kind) for kind in FILE_KINDS} == {adapter}
        assert lone.kinds_of(adapter) == ()
    two = replace(MODELS[DEFAULT_MODEL], adapters=("code", "retrieval"))
    assert two.kinds_of("code") == ("code",)
    assert {*two.kinds_of("retrieval"), "code"} == set(FILE_KINDS)


def test_default_needs_no_download() -> None:
    assert MODELS[DEFAULT_MODEL].download_bytes == 0


@pytest.mark.parametrize("spec", MODELS.values(), ids=MODELS.keys())
def test_travels_as_data(spec: ModelSpec) -> None:
    sent = msgpack.unpackb(msgpack.packb(spec.to_message()))
    assert ModelSpec.from_message(sent) == spec


def test_spaces_differ() -> None:
    assert len({spec.space for spec in MODELS.values()}) == len(MODELS)
    # A model's tables are found by its id: no id may begin like another.
    assert not [(a, b) for a in MODELS for b in MODELS if a.startswith(f"{b}-")]


def test_unknown_model_names_the_known() -> None:
    with pytest.raises(InklingError, match="minilm"):
        model_spec("gpt")


def test_parent_side_stays_light() -> None:
    code = (
        "import sys, engine.encoders.pool, engine.models.registry;"
        "print([m for m in ('torch','transformers','lancedb','tokenizers') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
