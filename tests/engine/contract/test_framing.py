"""Frames between processes: arrays and odd names arrive, nonsense does not pass for a message."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np
import pytest

from engine.contract import framing


def test_a_message_arrives_with_its_arrays_and_odd_names() -> None:
    sent = {"id": 3, "path": "/caf\udce9", "matrix": np.arange(6, dtype=np.float32).reshape(2, 3)}
    stream = io.BytesIO(framing.pack(sent) + framing.pack({"last": True}))
    got = framing.read(stream)
    assert got is not None
    np.testing.assert_array_equal(got.pop("matrix"), sent.pop("matrix"))
    assert got == sent
    assert framing.read(stream) == {"last": True}
    assert framing.read(stream) is None


def test_a_frame_cut_short_is_the_end() -> None:
    frame = framing.pack({"id": 3})
    for length in range(len(frame)):
        assert framing.read(io.BytesIO(frame[:length])) is None


@pytest.mark.parametrize(
    "nonsense",
    [
        b"\xff\xff\xff\xff",
        b"\x00\x00\x00\x01\x07",  # a number
        (10).to_bytes(4, "big") + b"\xc7\x07\x05" + b"1234567",  # an unknown extension
    ],
)
def test_nonsense_is_an_error(nonsense: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        framing.read(io.BytesIO(nonsense))


def test_a_frame_over_the_readers_limit_is_an_error() -> None:
    with pytest.raises(ValueError, match="over the limit of 10"):
        framing.read(io.BytesIO(framing.pack({"text": "x" * 100})), limit=10)


def test_importing_it_loads_no_numpy() -> None:
    code = "import sys, engine.contract.framing; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
