"""Names: taken apart, and found as people ask for them."""

from __future__ import annotations

import os

import pytest

from engine.contract.errors import FileState
from engine.contract.types import Filters
from indexer.ledger.ledger import Done, Found, Ledger, Root
from indexer.ledger.name_words import split_words
from indexer.ledger.names import find
from indexer.reading.work import name_match
from tests.indexer.ledger.noted_files import add, done


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("IMG_2041.png", ["img", "2041", "png"]),
        ("quarterlyReport2023.pdf", ["quarterly", "report", "2023", "pdf"]),
        ("HTMLParser.py", ["html", "parser", "py"]),
        ("größeÄndern-v2", ["grosse", "andern", "v", "2"]),
        ("会议2023记录.txt", ["会", "议", "2023", "记", "录", "txt"]),
        ("naïve_CAFÉ", ["naive", "cafe"]),
        ("\udcff\udcfe", []),
        ("...", []),
    ],
)
def test_names_are_taken_apart(name: str, words: list[str]) -> None:
    assert split_words(name) == words


@pytest.fixture
def names(ledger: Ledger, root: Root) -> Ledger:
    add(
        ledger, root,
        "2023/quarterlyReport2023.pdf", "2023/IMG_2041.png", "2024/quarterly report draft.docx",
        "travel/receipts/taxi_berlin.jpg", "travel/berlin.md", "code/parse_http_header.py",
        "会议记录.txt", "Résumé final.pdf", "berlin wall history.txt",
    )  # fmt: skip
    return ledger


def best(ledger: Ledger, query: str, **filters: object) -> str | None:
    hits = ledger.find_names(query.split(), 5, Filters(**filters))  # type: ignore[arg-type]
    return os.path.basename(hits[0].file.path) if hits else None


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("quarterly report", "quarterlyReport2023.pdf"),
        ("report 2023", "quarterlyReport2023.pdf"),
        ("img 2041", "IMG_2041.png"),
        ("img_2041", "IMG_2041.png"),
        ("IMG_2041.png", "IMG_2041.png"),
        ("quart dra", "quarterly report draft.docx"),
        ("berlin.md", "berlin.md"),
        ("receipts taxi", "taxi_berlin.jpg"),
        ("http header parse", "parse_http_header.py"),
        ("会议", "会议记录.txt"),
        ("resume", "Résumé final.pdf"),
        ("the history of the berlin wall", "berlin wall history.txt"),
        ("the taxi we took", "taxi_berlin.jpg"),
        ("xyzzy", None),
    ],
)
def test_names_are_found_as_people_ask(names: Ledger, query: str, name: str | None) -> None:
    assert best(names, query) == name


def test_an_exact_name_scores_highest(names: Ledger) -> None:
    hits = names.find_names(["berlin.md"], 5)
    assert hits[0].score == 1.0
    assert all(hit.score < 1.0 for hit in hits[1:])
    assert [hit.score for hit in hits] == sorted((h.score for h in hits), reverse=True)


def test_filters_narrow_names(names: Ledger, root: Root) -> None:
    assert best(names, "berlin", exts=("jpg",)) == "taxi_berlin.jpg"
    assert best(names, "berlin", exts=("jpg", "png"), not_exts=("jpg",)) is None
    assert best(names, "berlin", folders=("receipts",)) == "taxi_berlin.jpg"
    assert best(names, "berlin", folders=(f"{root.path}/travel/receipts",)) == "taxi_berlin.jpg"
    assert best(names, "berlin", folders=(f"{root.path}/trav",)) is None
    assert best(names, "taxi", not_folders=("travel",)) is None
    assert best(names, "taxi", folders=(os.path.basename(os.path.dirname(root.path)),))
    assert best(names, "quarterly", after=1.5) == "quarterly report draft.docx"
    assert best(names, "quarterly", before=1.5) == "quarterlyReport2023.pdf"
    assert best(names, "taxi", min_size=2) is None
    assert best(names, "taxi", max_size=1) == "taxi_berlin.jpg"


def test_filters_alone_list_the_newest(names: Ledger) -> None:
    assert best(names, "") == "berlin wall history.txt"
    assert best(names, "", exts=("png",)) == "IMG_2041.png"


def test_a_photograph_is_as_old_as_what_is_seen_on_it(names: Ledger) -> None:
    (photo,) = names.find_names(["taxi"], 5)
    taken = 1_500_000_000.0
    names.finish([Done(photo.file.id, 1, "x", 1, "image", "photo", attributes={"taken": taken})], 1)
    assert best(names, "taxi", after=taken, before=taken + 1) == "taxi_berlin.jpg"
    assert best(names, "taxi", before=taken) is None
    listed = names.find_names([], 50, Filters(after=0.0))
    assert listed[0].file.id == photo.file.id, "it is later than the others, copied when it may"


def test_what_the_extractor_learned_counts_in_the_filters(names: Ledger) -> None:
    (hit,) = names.find_names(["2041"], 5)
    assert best(names, "2041", kinds=("screenshot",)) is None
    names.finish([done(hit.file.id, "image", "x", "diagram")], 1)
    assert best(names, "2041", kinds=("screenshot",)) is None
    assert best(names, "2041", kinds=("diagram",)) == "IMG_2041.png"
    assert best(names, "2041", kinds=("image", "pdf")) == "IMG_2041.png"
    assert best(names, "2041", not_kinds=("image",)) is None


def test_moved_and_removed_files_are_found_so(names: Ledger, root: Root) -> None:
    (hit,) = names.find_names(["taxi"], 5)
    path = f"{root.path}/archive/cab.jpg"
    names.move_files(root.id, [(hit.file.id, Found(os.fsencode(path), 1, 1, 1))])
    assert names.find_names(["taxi"], 5) == []
    assert [h.file.path for h in names.find_names(["cab"], 5)] == [path]
    assert [h.file.path for h in names.find_names(["archive"], 5)] == [path]
    names.mark_removed([hit.file.id])
    assert names.find_names(["cab"], 5) == []


@pytest.mark.parametrize("query", ['"', "a AND", "*", "name:x", "(", "'; DROP TABLE files", "NEAR"])
def test_no_query_is_an_error(names: Ledger, query: str) -> None:
    names.find_names([query], 5, Filters(exts=(query,), folders=(query,), not_kinds=(query,)))
    names.find_names(query.split(), 5)
    assert len(names.files()) == 9


QUERIES = ["report", "invoice 17", "alpha beta", "the budget meeting", "draft 19.txt", "zzz", ""]


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_reads_the_whole_table(ledger: Ledger, root: Root, query: str) -> None:
    """Time is for the benchmarks; a query plan gone wrong shows in SQLite's own words."""
    words = ["alpha", "beta", "report", "invoice", "photo", "budget", "meeting", "draft"]
    names = [f"{words[n % 8]}/{words[n % 7]}_{words[n // 7 % 8]}{n}.txt" for n in range(500)]
    add(ledger, root, *names)
    asked: list[str] = []
    with ledger.database.read() as connection:
        connection.set_trace_callback(asked.append)
        find(connection, query.split(), 20, Filters())
        connection.set_trace_callback(None)
        asked = [sql for sql in asked if sql.startswith("SELECT")]
        plans = [row[3] for sql in asked for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}")]
    assert plans
    assert [plan for plan in plans if plan.startswith("SCAN files") and "INDEX" not in plan] == []


def test_every_name_is_ranked_not_only_the_newest(ledger: Ledger, root: Root) -> None:
    add(ledger, root, "report.pdf", "old/annual report.txt", "report")
    add(ledger, root, *(f"report-{n:04d}-draft.txt" for n in range(900)))
    found = [os.path.basename(hit.file.path) for hit in ledger.find_names(["report"], 5)]
    assert found[:3] == ["report", "report.pdf", "annual report.txt"]
    words = ["report", "annual"]
    (first, *_) = ledger.find_names(words, 5)
    assert os.path.basename(first.file.path) == "annual report.txt"


def test_words_in_their_order_are_found_among_many_in_another(ledger: Ledger, root: Root) -> None:
    add(ledger, root, "tax return of the year before last with all its enclosures.pdf")
    add(ledger, root, *(f"return tax {n}.txt" for n in range(400)))
    (first, *_) = ledger.find_names(["tax", "return"], 5)
    assert os.path.basename(first.file.path).startswith("return tax")  # shorter: covers more
    found = [os.path.basename(h.file.path) for h in ledger.find_names(["tax", "return"], 1000)]
    assert "tax return of the year before last with all its enclosures.pdf" in found


def test_files_are_found_by_name_whatever_became_of_them(ledger: Ledger, root: Root) -> None:
    states: dict[str, tuple[FileState, str]] = {
        "plan a.md": ("done", ""),
        "plan b.md": ("pending", ""),
        "plan c.bin": ("skipped", "unsupported"),
        "plan d.pdf": ("failed", "broken"),
        "plan e.key": ("withheld", "secret-name"),
    }
    ids = add(ledger, root, *states)
    ledger.finish([done(i, attributes={"pages": 3.0}) for i in (ids[0], ids[4])], 1)
    for file_id, (state, reason) in list(zip(ids, states.values(), strict=True))[1:]:
        ledger.set_state(file_id, state, reason)
    for name, (state, reason) in states.items():
        match = name_match(ledger.find_names([name], 5)[0])
        assert (os.path.basename(match.file.path), match.score) == (name, 1.0)
        assert (match.state, match.reason) == (state, reason)
    matches = [name_match(hit) for hit in ledger.find_names(["plan"], 5)]
    assert {match.state for match in matches} == {state for state, _ in states.values()}
    # Of what is withheld nothing is told but its name.
    told = {match.state: dict(match.file.attributes) for match in matches}
    assert (told["done"], told["withheld"]) == ({"pages": 3.0}, {})
    assert {hit.file.state for hit in ledger.find_names([], 9)} == set(told) - {"withheld"}
