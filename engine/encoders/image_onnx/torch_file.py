"""Tensors of a file that torch.save wrote before version 1.6, read without torch.

Such a file is five pickles (magic number, version, system, tensors, names of storages), then the
storages. A pickle can call anything: here nothing can be named but what a tensor is made of.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001
#: By what the pickle calls the storages. Others are not met in weights.
_TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Tensor(NamedTuple):
    storage: str
    type: np.dtype[Any]
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]  # in elements: convolutions may lie transposed


class _Names(pickle.Unpickler):
    """Resolves the names that tensors need, and none else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _TYPES:
            return _TYPES[name]
        raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of weights")

    def persistent_load(self, key: Any) -> Any:
        return key  # ("storage", type, name, device, elements, …)


def _tensor(storage: Any, offset: int, shape: Any, strides: Any, *_: Any) -> _Tensor:
    return _Tensor(str(storage[2]), storage[1], offset, tuple(shape), tuple(strides))


def read_tensors(file: Path) -> Mapping[str, NDArray[Any]]:
    """Every tensor by its name. ValueError if this is no such file; OSError."""
    with file.open("rb") as stream:
        try:
            if _Names(stream).load() != _MAGIC or _Names(stream).load() != _VERSION:
                raise ValueError("not a file of torch")
            _Names(stream).load()
            tensors: dict[str, _Tensor] = dict(_Names(stream).load())
            types = {tensor.storage: tensor.type for tensor in tensors.values()}
            names = list(_Names(stream).load())
            storages = {name: _storage(stream, types[name]) for name in names}
            return {name: _array(storages[t.storage], t) for name, t in tensors.items()}
        except (pickle.UnpicklingError, EOFError, LookupError, TypeError, AttributeError) as error:
            raise ValueError(f"{file.name} is no file of weights: {error}") from error


def _storage(stream: BinaryIO, kind: np.dtype[Any]) -> NDArray[Any]:
    count = int.from_bytes(stream.read(8), "little")
    return np.frombuffer(stream.read(count * kind.itemsize), kind, count)


def _array(storage: NDArray[Any], tensor: _Tensor) -> NDArray[Any]:
    last = tensor.offset + sum(
        (size - 1) * step for size, step in zip(tensor.shape, tensor.strides, strict=True)
    )
    if not 0 <= tensor.offset <= last < len(storage):
        raise ValueError("a tensor reaches beyond its storage")
    steps = [step * storage.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, steps).copy("C")
