"""Loads a class of transformers from published files: every tensor there, and none besides."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import torch

from engine.contract.errors import InklingError

REMEDY = "Get the files again with `inkling model download`."


def load_whole(
    load: Callable[..., Any], folder: Path, dtype: torch.dtype, *, beside: Collection[str] = ()
) -> Any:
    """The network that a class's `from_pretrained` gives; InklingError naming what is missing,
    extra or misshapen. `beside`: tensors that may be there all the same."""
    try:
        network, report = load(folder, dtype=dtype, output_loading_info=True, local_files_only=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise InklingError(
            "The model can't be loaded: {error}.", hint=REMEDY, told={"error": error}
        ) from error
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if names := sorted({*map(str, report[kind])} - set(beside)):
            raise InklingError(
                "The weights have {kind} tensors, among them {name}.",
                hint=REMEDY,
                told={"kind": kind.removesuffix("_keys"), "name": names[0]},
            )
    return network
