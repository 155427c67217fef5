"""The engine's front door: cheap to import, and enough for everybody behind it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import engine as front_door
from engine import Engine, NameMatch, thumb_path
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import FileFacts, Unit
from engine.models.registry import model_spec
from tests.engine.word_encoder import WordEncoder

FACTS = FileFacts(7, "/n/bread.md", "note", None, "md", 1e9, 10)
NAME_ONLY = FileFacts(8, "/n/bread and butter.mp4", "other", None, "mp4", 1e9, 10)


@pytest.fixture
def engine(base: BaseDir, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    monkeypatch.setattr("engine.engine.EncoderPool", WordEncoder)
    names = [
        NameMatch(FACTS, 0.9),
        NameMatch(NAME_ONLY, 0.8, state="skipped", reason="unsupported"),
    ]
    made = Engine(base, model_spec("minilm"), lambda words, limit, filters: names)
    made.replace({7: made.encode([(FACTS, Unit(7, n, "note", f"bread {n}")) for n in range(2)])})
    yield made
    made.close()


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys, engine, engine.contract.types;"
        "print([m for m in ('numpy','lancedb','torch','engine.engine') if m in sys.modules]);"
        "from engine import Engine; print(Engine.__module__, 'torch' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.splitlines() == ["[]", "engine.engine False"]


def test_it_gives_out_what_it_says(tmp_path: Path) -> None:
    assert all(getattr(front_door, name) is not None for name in front_door.__all__)
    with pytest.raises(AttributeError, match="Motor"):
        front_door.Motor  # noqa: B018 (looking is the test)
    assert thumb_path(BaseDir(tmp_path), 258, 3) == BaseDir(tmp_path).thumbs / "02" / "258-3.webp"


def test_a_file_found_by_its_name_alone_says_why_at_every_stage(engine: Engine) -> None:
    for answer in engine.search(parse("bread")):
        states = {hit.path: (hit.state, hit.reason) for hit in answer.hits}
        assert states == {
            "/n/bread.md": ("done", ""),
            "/n/bread and butter.mp4": ("skipped", "unsupported"),
        }


def test_what_is_stored_can_be_looked_at(engine: Engine) -> None:
    before = engine.version
    assert engine.count() == 2
    assert engine.file_ids() == {7}
    assert engine.places() == {7: ("/n/bread.md", 1e9)}
    assert [row.text for row in engine.file_rows(7)] == ["bread 0", "bread 1"]
    assert engine.broken_files == frozenset()
    assert engine.size_bytes() > 1000
    engine.delete([7])
    assert engine.version > before
    assert engine.count() == 0


def test_the_encoder_can_be_asked_and_told(engine: Engine) -> None:
    assert engine.encoder_state == "ready"
    assert engine.encoder_notes == []
    engine.set_idle(5.0)
    assert engine.encoders.idle_s == 5.0


def test_names_answer_without_a_store(engine: Engine) -> None:
    engine.store.close()
    answer = engine.search_names(parse("bread"), limit=1)
    assert [hit.path for hit in answer.hits] == [FACTS.path]
    assert answer.stage == "rescored"


def test_a_file_known_by_name_alone_is_among_the_answers(engine: Engine) -> None:
    *_, answer = engine.search(parse("bread and butter"))
    alone = next(hit for hit in answer.hits if hit.path == NAME_ONLY.path)
    assert alone.lanes == ("name",)
    assert alone.snippet == ""
    told = engine.explain(parse("bread and butter"), 8)
    assert told["name"] == {"rank": 2, "score": 0.8}
    assert told["dense"] is None
    assert told["rescored"]["rank"] == 2  # type: ignore[index]


def test_filters_alone_can_be_explained(engine: Engine) -> None:
    told = engine.explain(parse("kind:note"), 7)
    assert told["name"] == {"rank": 1, "score": 0.9}
    assert told["rescored"] is None


def test_features_are_still_known_by_their_former_keys(engine: Engine) -> None:
    told = engine.explain(parse("bread 1"), 7)
    assert told["held"] == told["term_coverage"] is not None
    assert told["quoted"] == told["proximity"]
    assert told["weights"]["held"] == told["weights"]["term_coverage"] > 0  # type: ignore[index]
