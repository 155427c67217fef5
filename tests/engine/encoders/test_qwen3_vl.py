"""Qwen3-VL-Embedding: exactly what transformers' own class gives, and an index without tokens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine import Engine
from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import FileFacts, TextInput, Unit, WordBox
from engine.encoders.qwen3_vl.encoder import QwenForward, check, load_exactly
from engine.models import files as model_files
from engine.models.sizes import as_found, recognise
from tests.golden.check import check as golden_check
from tests.golden.make_qwen3_vl import write


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("qwen3-vl")
    write(folder)
    return folder


def test_it_gives_what_the_reference_does(golden: Path) -> None:
    found = list(golden_check(golden))
    assert len(found) == (6 * 2 + 3) * 4
    assert [d for d in found if not d.ok] == []


def test_its_row_is_known_by_its_files(golden: Path) -> None:
    assert recognise(golden / "ckpt").id == "qwen3-vl-embedding"
    check(golden / "ckpt")


def test_odd_texts_are_read_to_the_window(golden: Path) -> None:
    encoder = load_exactly(golden / "ckpt", recognise(golden / "ckpt"))
    odd = ["\ud800", "x" * 400_000, "", "<|image_pad|>" * 9]
    made = encoder.encode_texts([TextInput(text, "Notes") for text in odd], "retrieval")
    assert all(abs(np.linalg.norm(m.single) - 1) < 1e-4 for m in made)
    assert len(encoder.text_row("x " * 200_000, "Say").ids) == encoder.spec.max_tokens
    together = [m.single for m in encoder.encode_queries(["two queues", "long " * 300], "code")]
    [alone] = encoder.encode_queries(["two queues"], "code")
    assert together[0] == pytest.approx(alone.single, abs=2e-5)


def test_a_long_text_is_read_in_slices(golden: Path) -> None:
    whole, sliced = (load_exactly(golden / "ckpt", recognise(golden / "ckpt")) for _ in range(2))
    sliced._memory._forward.budget = 64
    text = "the diagram with the two queues and what stands beside it " * 12
    [one], [other] = (e.encode_queries([text], "retrieval") for e in (whole, sliced))
    assert other.single == pytest.approx(one.single, abs=2e-5)


def test_memory_that_runs_out_costs_pixels(
    golden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (900, 600), "white").save(path)
    encoder = load_exactly(golden / "ckpt", recognise(golden / "ckpt"))
    real, tried = QwenForward.run_batch, []

    def run(self: QwenForward, rows: list[object], **more: object) -> object:
        tried.append(rows[0].cost)  # type: ignore[attr-defined]
        if len(tried) < 3:
            raise MemoryError
        return real(self, rows, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(QwenForward, "run_batch", run)
    assert len(encoder.encode_images([str(path)], "retrieval")) == 1
    assert tried == sorted(tried, reverse=True)
    assert encoder.notes == ["Memory ran out: large pictures are read with fewer pixels."]
    tried.clear()
    monkeypatch.setattr(
        QwenForward, "run_batch", lambda *given, **more: (_ for _ in ()).throw(MemoryError())
    )
    with pytest.raises(InklingError, match="not enough memory"):
        encoder.encode_images([str(path)], "retrieval")


def test_an_index_of_it_answers_without_token_vectors(golden: Path, base: BaseDir) -> None:
    spec = recognise(golden / "ckpt")
    model_files.accept_licence(spec, base)
    model_files.add(spec, base, golden / "ckpt")
    spec = as_found(spec, base)
    assert spec.dim == 64
    engine = Engine(base, spec, lambda words, limit, filters: [])
    try:
        texts = ["The retry of uploads waits.", "Bread with rye and a starter.", "Two queues."]
        facts = [FileFacts(n, f"/f/{n}.pdf", "pdf", None, "pdf", 1e9, 9) for n in range(3)]
        words = (WordBox(4, 9, (0.1, 0.1, 0.2, 0.2)),)
        units = [Unit(n, 0, "pdf", text, page=1, words=words) for n, text in enumerate(texts)]
        made = engine.encode(list(zip(facts, units, strict=True)))
        engine.replace({one.file.file_id: [one] for one in made})
        engine.maintain(force=True)
        for question, path in (("retry", "/f/0.pdf"), ("two queues", "/f/2.pdf")):
            *_, answer = engine.search(parse(question))
            assert answer.hits[0].path == path
            assert not answer.coverage.message
        *_, answer = engine.search(parse("retry"))
        boxes = [e for e in answer.hits[0].evidence if hasattr(e, "box")]
        assert len(boxes) == 1  # of the word, though there are no tokens
    finally:
        engine.close()
