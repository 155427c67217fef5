"""Search over a real store with the real embedded model: lanes, stages, demands, evidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.types import (
    Answer,
    BoxEvidence,
    FileFacts,
    Filters,
    Kind,
    TextEvidence,
    Unit,
    WordBox,
)
from engine.engine import Engine
from engine.models.registry import model_spec
from engine.search.ports import NameMatch

TEXTS: dict[int, tuple[str, Kind, str]] = {
    1: ("/n/bread.md", "note", "Feed the sourdough starter in the evening and bake at dawn."),
    2: (
        "/n/retry.py",
        "code",
        "def send_with_retry(chunk):\n    # wait longer after every failure",
    ),
    3: ("/n/cert.png", "screenshot", "The certificate of this server has expired on Monday."),
    4: ("/n/lease.pdf", "pdf", "The deposit is returned within thirty days after moving out."),
    5: ("/n/設定.txt", "note", "設定画面で言語を変更します。"),
}
REMOVED: set[int] = set()


def facts(file_id: int) -> FileFacts:
    path, kind, _ = TEXTS[file_id]
    return FileFacts(file_id, path, kind, None, path.rpartition(".")[2], 1e9 + file_id, 100)


def names(words: Sequence[str], limit: int, filters: Filters) -> list[NameMatch]:
    """A names lane over the five paths."""
    wanted = [word.lower() for word in words]
    return [
        NameMatch(facts(i), 1.0)
        for i in TEXTS
        if wanted and all(word in TEXTS[i][0] for word in wanted)
    ][:limit]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    base = BaseDir(tmp_path_factory.mktemp("engine")).create()
    made = Engine(base, model_spec("minilm"), names, alive=lambda i: i not in REMOVED)
    units = []
    for file_id, (_, kind, text) in TEXTS.items():
        words = (WordBox(0, len(text), (0.1, 0.2, 0.5, 0.3)),) if kind == "screenshot" else ()
        page = 7 if kind == "pdf" else None
        units.append((facts(file_id), Unit(file_id, 0, kind, text, page=page, words=words)))
    stored = made.encode(units)
    made.replace({one.unit.file_id: [one] for one in stored})
    yield made
    made.close()


def last(engine: Engine, query: str, limit: int = 20) -> Answer:
    *_, answer = engine.search(parse(query), limit)
    return answer


IDS = {path: file_id for file_id, (path, _, _) in TEXTS.items()}


def ids(answer: Answer) -> list[int]:
    return [IDS[hit.path] for hit in answer.hits]


def found(engine: Engine, query: str) -> list[int]:
    return ids(last(engine, query))


@pytest.mark.parametrize(
    ("query", "file_id"),
    [
        ("when do I get my money back from the landlord", 4),
        ("try the upload again with a growing pause", 2),
        ("how do I make a loaf", 1),
        ("TLS problem because something is out of date", 3),
        ("設定", 5),
        ("lease.pdf", 4),
    ],
)
def test_the_right_file_comes_first(engine: Engine, query: str, file_id: int) -> None:
    assert found(engine, query)[0] == file_id


def test_how_much_of_the_question_a_file_holds_is_known_from_the_words_on(engine: Engine) -> None:
    held, foreign = (
        [run.signals["best_exact_coverage"] for stage in run.stages() if stage != "names"]
        for run in map(
            engine.run, map(parse, ("deposit thirty days", "Kaution binnen zwei Wochen"))
        )
    )
    assert held == [1.0] * 3
    assert foreign == [0.0] * 3


def test_stages_replace_one_another(engine: Engine) -> None:
    answers = list(engine.search(parse("expired certificate")))
    assert [answer.stage for answer in answers] == ["names", "words", "fused", "rescored"]
    assert answers[-1].hits[0].lanes == ("text", "dense", "late")
    assert answers[0].took_ms <= answers[1].took_ms <= answers[2].took_ms


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('"starter in the"', {1}),
        ('"in the starter"', set()),
        ('"has expired" "of this server"', {3}),
        ("oven kind:code", {2}),
        ("oven ext:pdf", {4}),
        ("oven after:2090", set()),
        ("loaf -kind:code -kind:pdf -kind:note", {3}),
        ("certificate -expired -sourdough -retry", {4, 5}),
    ],
)
def test_demands_hold(engine: Engine, query: str, expected: set[int]) -> None:
    assert set(found(engine, query)) == expected


def test_a_sentence_that_quotes_what_nothing_holds_is_answered_all_the_same(
    engine: Engine,
) -> None:
    misquoted = last(engine, 'a message that says "certificate of the server is expired"')
    assert misquoted.phrase_relaxed
    assert ids(misquoted)[0] == 3
    quoted = last(engine, 'a message that says "certificate of this server"')
    assert not quoted.phrase_relaxed
    assert ids(quoted) == [3]
    elsewhere = last(engine, 'a message kind:code that says "certificate of this server"')
    assert elsewhere.phrase_relaxed
    assert ids(elsewhere) == [2]


def test_typing_errors_are_mended_and_said_and_what_stands_there_is_marked(
    engine: Engine,
) -> None:
    for typed, file_id, spelling, marked in (
        ("sourdogh startr", 1, "sourdough starter", {"sourdough", "starter"}),
        ("certifcate", 3, "certificate", {"certificate"}),
        ("depositt returned", 4, "deposit returned", {"deposit", "returned"}),
    ):
        names_stage, *_, answer = engine.search(parse(typed))
        assert (ids(answer)[0], answer.spelling) == (file_id, spelling)
        assert names_stage.spelling == ""
        hit = answer.hits[0]
        told = {hit.snippet[e.start : e.end] for e in hit.evidence if isinstance(e, TextEvidence)}
        assert told >= marked
    assert last(engine, "sourdough starter").spelling == ""


def test_a_quotation_in_a_name_is_held(engine: Engine) -> None:
    named = last(engine, 'n lease pdf "lease.pdf"')
    assert not named.phrase_relaxed


def test_quotation_marks_without_a_sentence_are_meant(engine: Engine) -> None:
    for query in ('"in the starter"', 'sourdough starter "in the starter"'):
        answer = last(engine, query)
        assert not answer.hits
        assert not answer.phrase_relaxed


def test_evidence_of_a_picture_is_a_box(engine: Engine) -> None:
    hit = last(engine, "expired certificate").hits[0]
    marked = {hit.snippet[e.start : e.end] for e in hit.evidence if isinstance(e, TextEvidence)}
    assert {"certificate", "expired"} <= marked
    boxes = [e.box for e in hit.evidence if isinstance(e, BoxEvidence)]
    assert boxes == [pytest.approx((0.1, 0.2, 0.5, 0.3), abs=1e-3)]
    assert last(engine, "deposit returned").hits[0].location.page == 7


def test_a_file_removed_a_moment_ago_is_no_ghost(engine: Engine) -> None:
    assert 3 in found(engine, "expired certificate")
    REMOVED.add(3)
    try:
        assert 3 not in found(engine, "expired certificate")
    finally:
        REMOVED.clear()


def test_nothing_that_matches_is_said(engine: Engine) -> None:
    assert last(engine, "quarterly shareholder dividends of the zeppelin company").weak
    assert not last(engine, "when is the deposit returned").weak


def test_similar_leaves_out_the_file_itself(engine: Engine) -> None:
    answer = engine.similar(1)
    assert set(ids(answer)) == {2, 3, 4, 5}


def test_explain_ranks_every_lane(engine: Engine) -> None:
    told = engine.explain(parse("expired certificate"), 3)
    assert told["rescored"] == {"rank": 1, "score": pytest.approx(told["rescored"]["score"])}  # type: ignore[index]
    assert told["text"]["rank"] == 1  # type: ignore[index]
    assert engine.explain(parse("expired certificate"), 4)["text"] is None
