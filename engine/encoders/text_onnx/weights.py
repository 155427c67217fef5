"""Weights as they are published: checked against their digest, mapped, never copied as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from engine.contract.errors import InklingError
from engine.models.packages import find_package

Floats = NDArray[np.float32]


class Matrix(Protocol):
    """Numbers in whatever form on disk, float32 where they are looked at."""

    @property
    def shape(self) -> tuple[int, ...]: ...

    def __getitem__(self, rows: Any, /) -> Floats:
        """Some rows: a list, or a slice."""


#: By the names they were published under.
Tensors = Mapping[str, Matrix]


def package_folder(package: str, distribution: str) -> Path:
    """The folder of a package with weights, found without running the package's code."""
    folder = find_package(package)
    if folder is None:
        raise InklingError(
            "The package {distribution} with the model's weights is not installed.",
            hint="Install {distribution}, or reinstall Inkling.",
            told={"distribution": distribution},
        )
    return folder


def check_digest(file: Path, expected: str, distribution: str) -> None:
    """InklingError if a weight file is not byte for byte the one the registry names."""
    try:
        with file.open("rb") as stream:
            actual = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise InklingError(
            "The model file {name} can't be read: {error}.",
            hint="Reinstall Inkling's dependencies.",
            path=str(file),
            told={"name": file.name, "error": error.strerror or error},
        ) from error
    if actual != expected:
        raise InklingError(
            "The model file {name} is not the one Inkling expects (sha256 {actual}…, should be "
            "{expected}…).",
            hint="It is damaged or was exchanged: reinstall the package {distribution}.",
            path=str(file),
            told={
                "name": file.name,
                "actual": actual[:12],
                "expected": expected[:12],
                "distribution": distribution,
            },
        )


def mapped(file: Path) -> Tensors:
    """The float32 tensors of a safetensors file by name, read from disk as they are touched."""
    with file.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        header: dict[str, Any] = json.loads(stream.read(size))
    # One mapping for all of them.
    whole = np.memmap(file, np.uint8, mode="r", offset=8 + size)
    return {
        name: whole[slice(*entry["data_offsets"])].view("<f4").reshape(entry["shape"])
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }
