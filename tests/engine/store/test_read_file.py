"""Reads at any place of a file, by several threads, on systems with and without pread."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from engine.store.segment_files import ReadFile


@pytest.mark.parametrize("alone", [True, False])
def test_threads_do_not_move_each_others_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alone: bool
) -> None:
    if not alone:
        monkeypatch.delattr(os, "pread", raising=False)
    path = tmp_path / "file"
    path.write_bytes(b"".join(i.to_bytes(4, "big") * 64 for i in range(256)))
    file = ReadFile(path)
    wanted = [*range(256)] * 20
    with ThreadPoolExecutor(8) as threads:
        read = [*threads.map(lambda i: file.read_at(i * 256, 256), wanted)]
    assert read == [i.to_bytes(4, "big") * 64 for i in wanted]
    assert file.read_each([(256, 4), (512, 4)]) == [b"\0\0\0\1", b"\0\0\0\2"]
