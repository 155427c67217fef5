"""A model's row as the weights that are here have it, and which model a folder of weights is.

Standard library only, like engine.models.files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models.files import model_folder, read_object
from engine.models.registry import MODELS, ModelSpec
from engine.models.served import served


def as_found(spec: ModelSpec, base: BaseDir) -> ModelSpec:
    """The row with the sizes that config.json gives and an edition that names the weights.

    A smaller checkpoint of a family works as it is, and vectors of other weights get a space of
    their own. While the weights are not here, as another machine has them that encodes with them;
    else unchanged.
    """
    manifest = read_object(model_folder(spec, base) / "manifest.json")
    if not spec.download_bytes:
        return spec
    if not manifest.get("files"):
        return served(spec, base) or spec
    config = manifest.get("config", {})
    dims = _dims(spec, config)
    wanted = [dim for dim in dims if dim <= spec.dim]
    token_dim = int(config.get(spec.token_dim_key) or spec.token_dim)
    return replace(
        spec,
        dims=dims,
        dim=max(wanted, default=min(dims)),
        token_dim=min(token_dim, _width(spec, config)),
        edition=_edition(manifest["files"]),
    )


def _dims(spec: ModelSpec, config: Mapping[str, Any]) -> tuple[int, ...]:
    """Sizes the single vector can be cut to, largest first."""
    if trained := config.get(spec.dims_key):
        return tuple(sorted(map(int, trained), reverse=True))
    width = _width(spec, config)
    return tuple(dim for dim in spec.dims if dim <= width) or (width,)


def _width(spec: ModelSpec, config: Mapping[str, Any]) -> int:
    return int(config.get(spec.width_key) or spec.dims[0])


def _edition(manifest: Mapping[str, Mapping[str, Any]]) -> str:
    """The same for the same weights, wherever they lie and whatever else lies beside them."""
    numbers = (".safetensors", ".onnx", ".onnx_data")
    digests = sorted(e["sha256"] for name, e in manifest.items() if name.endswith(numbers))
    return hashlib.sha256("".join(digests).encode()).hexdigest()[:8]


def recognise(folder: Path) -> ModelSpec:
    """The model whose weights a folder holds, by its config.json; InklingError if it is none."""
    config = read_object(folder / "config.json")
    family = [
        spec
        for spec in MODELS.values()
        if spec.recognised_by and all(_has(config, mark) for mark in spec.recognised_by)
    ]
    # One of the family by its files; where some are missing, the check names them.
    whole = (spec for spec in family if all((folder / name).exists() for name in spec.files))
    if found := next(whole, None) or next(iter(family), None):
        return found
    known = ", ".join(spec.source for spec in MODELS.values() if spec.download_bytes)
    raise InklingError(
        "{folder} does not hold a model that Inkling knows.",
        hint="Give the folder with config.json and the weights of one of these: {known}.",
        path=str(folder),
        told={"folder": folder, "known": known},
    )


def _has(config: Mapping[str, Any], mark: str) -> bool:
    """Whether it has this key, or the key with this value."""
    key, _, value = mark.partition("=")
    return key in config and (not value or config[key] == value)
