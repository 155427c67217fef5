"""What another machine's encoder told of a model whose weights are not here: BASE/models/ID/
served.json, so that its vectors have a space, and the same one when the weights come.

Standard library only, like engine.models.files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from engine.contract.paths import BaseDir
from engine.models.files import model_folder, read_object, served_file, write_json
from engine.models.registry import MODELS, ModelSpec

#: Of a row, what weights decide.
_SIZES = ("dim", "token_dim", "edition")


def sizes_of(spec: ModelSpec) -> dict[str, Any]:
    """What a machine tells of the weights that it has."""
    return {"revision": spec.revision, "dims": list(spec.dims)} | {
        name: getattr(spec, name) for name in _SIZES
    }


def as_served(spec: ModelSpec, told: Mapping[str, Any]) -> ModelSpec:
    """The row with these sizes; ValueError where they are none of this model's."""
    dims, dim, token_dim, edition = (told.get(n) for n in ("dims", *_SIZES))
    if told.get("revision") != spec.revision:
        raise ValueError("another revision")
    if not isinstance(dims, list) or not all(isinstance(one, int) for one in dims):
        raise ValueError("no sizes")
    if type(dim) is not int or not 0 < dim <= max(spec.dims) or dim not in dims:
        raise ValueError("no size")
    if type(token_dim) is not int or not 0 <= token_dim <= 4096:
        raise ValueError("no size of tokens")
    if not isinstance(edition, str) or not (edition.isalnum() or not edition) or len(edition) > 64:
        raise ValueError("no edition")
    return replace(spec, dims=tuple(dims), dim=dim, token_dim=token_dim, edition=edition)


def served(spec: ModelSpec, base: BaseDir) -> ModelSpec | None:
    """The row as another machine has it; None where none has told."""
    told = read_object(served_file(spec, base))
    try:
        return as_served(spec, told) if told else None
    except ValueError:
        return None


def note_served(spec: ModelSpec, base: BaseDir) -> None:
    """Keep what was told; the licence has to be accepted here all the same."""
    write_json(served_file(spec, base), sizes_of(spec))


def forget_served(base: BaseDir, kept: Collection[str]) -> None:
    """Of every model but these: no machine serves them any more."""
    for spec in MODELS.values():
        if spec.id not in kept and model_folder(spec, base).is_dir():
            served_file(spec, base).unlink(missing_ok=True)
