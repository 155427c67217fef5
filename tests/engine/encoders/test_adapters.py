"""Search with a model whose adapters have spaces of their own: the tiny jina-v4."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import FileFacts, Kind, TextInput, Unit
from engine.engine import Engine
from tests.engine.encoders.jina_tiny import tiny_engine

FILES: list[tuple[Kind, str]] = [
    ("note", "The ferry leaves the harbour at seven."),
    ("note", "Feed the sourdough starter every evening."),
    ("note", "The bicycle needs a new chain."),
    ("code", "def send_again(chunk):\n    return upload(chunk)"),
    ("code", "class Ferry:\n    def leave(self, harbour): ..."),
]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with tiny_engine(BaseDir(tmp_path_factory.mktemp("base")).create()) as made:
        for file_id, (kind, text) in enumerate(FILES):
            facts = FileFacts(file_id, f"/home/me/{file_id}.txt", kind, None, "txt", 0.0, 1)
            unit = Unit(file_id, 0, kind, text)
            made.replace({file_id: made.encode([(facts, unit)])})
        yield made


def test_each_adapter_asks_its_own_space(engine: Engine) -> None:
    query = parse("ferry harbour")
    run = engine.run(query)
    encoded, found, dense = run.context.encoded, run.candidates, run.features.raw("dense")
    assert set(encoded.by_adapter) == {"retrieval", "code"}
    vectors = engine.store.vectors(found.unit_ids)
    code = [i for i, file_id in enumerate(found.file_ids) if FILES[file_id][0] == "code"]
    prose = [i for i in range(len(found.file_ids)) if i not in code]
    assert len(code) == 2
    assert len(prose) == 3
    for places, adapter in ((code, "code"), (prose, "retrieval")):
        single = encoded.by_adapter[adapter].single  # type: ignore[index]
        raw = np.array([vectors[found.unit_ids[i]] @ single for i in places])
        assert np.argsort(-raw).tolist() == np.argsort(-dense[places]).tolist()


def test_lanes_are_fused_by_rank(engine: Engine) -> None:
    """Neither adapter's nearness counts more for being measured on a larger scale."""
    run = engine.run(parse("ferry harbour"))
    kinds = [FILES[file_id][0] for file_id in run.candidates.file_ids]
    for scores in (run.features.raw("dense"), run.features.raw("late")):
        best = {kind: max(s for s, k in zip(scores, kinds, strict=True) if k == kind)
                for kind in ("note", "code")}  # fmt: skip
        assert best["note"] == best["code"]


def test_filters_choose_the_adapters(engine: Engine) -> None:
    for text, adapters in (
        ("ferry kind:code", {"code"}),
        ("ferry kind:note", {"retrieval"}),
        ("ferry kind:photo", {"retrieval"}),
        ("ferry kind:photo kind:code", {"retrieval", "code"}),
    ):
        assert set(engine.run(parse(text)).context.encoded.by_adapter) == adapters


def test_like_asks_its_own_space(engine: Engine) -> None:
    assert [Path(hit.path).stem for hit in engine.similar(3).hits] == ["4"]
    assert {Path(hit.path).stem for hit in engine.similar(0).hits} == {"1", "2"}


def test_like_is_judged_by_its_adapter_where_the_model_is_fast(engine: Engine) -> None:
    engine.encoders.encode_queries(["loaded"], "retrieval")
    by_vectors = [hit.score for hit in engine.similar(0).hits]
    engine.encoders.fast = True
    try:
        answer = engine.similar(0)
    finally:
        engine.encoders.fast = False
    texts = [FILES[0][1], FILES[1][1], FILES[2][1]]
    made = engine.encoders.encode_texts([TextInput(t) for t in texts], "text-matching")
    nearer = 1 if made[0].single @ made[1].single > made[0].single @ made[2].single else 2
    assert answer.hits[0].path == f"/home/me/{nearer}.txt"
    assert [hit.score for hit in answer.hits] == by_vectors
