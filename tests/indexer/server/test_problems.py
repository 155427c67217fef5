"""What `problems` tells: files without content, files read in part, what rules leave out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.contract.errors import InklingError
from engine.contract.left_out import LEFT_OUT
from indexer.ledger.ledger import Done
from indexer.server.problems import told
from indexer.sources.ignore import IgnoreRules
from tests.indexer.sources.place import Place


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path)
    place.rules = IgnoreRules(["old/"])
    for name in ("a.md", "b.csv", "c.pdf", "d.bin", "vault.kdbx", "x.tmp", "old/e.md"):
        place.write(name)
    place.scan()
    ledger = place.ledger
    ids = {name: place.record(place.folder / name).id for name in ("a.md", "b.csv", "c.pdf")}
    part = "Only the first 2 of 9 characters are indexed."
    read = [
        Done(ids["a.md"], 1, "h", 1, "note"),
        Done(ids["b.csv"], 1, "i", 1, "note", detail=part, partly=True),
        Done(ids["c.pdf"], 1, "j", 1, "pdf", detail="3 of 5 pages read.", unread=2, partly=True),
    ]
    ledger.finish(read, 1)
    yield place
    ledger.close()


def names(rows: list[dict[str, object]]) -> list[str]:
    return sorted(os.path.basename(str(row["path"])) for row in rows)


def test_all_of_it(place: Place) -> None:
    binary = place.record(place.folder / "d.bin")
    assert told(place.ledger, None, None, None, 100)["pending"] == 2  # and the pages of c.pdf
    place.ledger.set_state(binary.id, "skipped", "unsupported")
    found = told(place.ledger, None, None, None, 100)
    assert names(found["problems"]) == ["d.bin", "vault.kdbx"]
    assert {row["detail"] for row in found["partly"]} == {
        "Only the first 2 of 9 characters are indexed.", "3 of 5 pages read.",
    }  # fmt: skip
    assert {row["reason"]: row["state"] for row in found["partly"]} == {
        "read-in-part": "done", "partly-read": "pending",
    }  # fmt: skip
    assert found["counts"] == {
        "unsupported": 1, "secret-name": 1, "read-in-part": 1, "partly-read": 1,
    }  # fmt: skip
    rules = {(row["reason"], row["rule"]): row for row in found["left_out"]}
    assert set(rules) == {("default", "*.tmp"), ("setting", "old/"), ("secret-name", "*.kdbx")}
    assert (rules["setting", "old/"]["files"], rules["setting", "old/"]["folders"]) == (0, 1)
    assert all(row["sentence"] and row["hint"] for row in rules.values())


def test_what_one_reason_state_or_rule_holds(place: Place) -> None:
    def asked(**only: str) -> list[str]:
        given = {"reason": None, "state": None, "rule": None, **only}
        return names(told(place.ledger, limit=100, **given)["problems"])

    assert asked(rule="*.tmp") == ["x.tmp"]
    assert asked(rule="*.kdbx") == ["vault.kdbx"]
    assert asked(reason="setting") == ["old"]
    assert asked(state="left-out") == ["old", "x.tmp"]
    assert asked(state="partly") == ["b.csv", "c.pdf"]
    assert asked(reason="read-in-part") == ["b.csv"]
    assert asked(reason="partly-read") == ["c.pdf"]
    assert asked(reason="secret-name", rule="*.kdbx") == ["vault.kdbx"]
    assert asked(reason="secret-name", state="failed") == []
    assert asked(rule="nothing/of/this") == []
    for wrong in ({"reason": "unlucky"}, {"state": "happy"}):
        with pytest.raises(InklingError):
            asked(**wrong)


def test_what_is_read_whole_again_is_listed_no_more(place: Place) -> None:
    ledger = place.ledger
    record = place.record(place.folder / "b.csv")
    assert record.partly
    place.write("b.csv", "shorter now")
    place.scan()
    assert "b.csv" not in names(ledger_rows(place))
    ledger.finish([Done(record.id, 1, "k", 1, "note")], 2)
    assert "b.csv" not in names(ledger_rows(place))


def test_pages_that_cannot_be_read_stay_told(place: Place) -> None:
    record = place.record(place.folder / "c.pdf")
    place.ledger.keep_part(record.id, "3 of 5 pages read. The others can't be read.")
    [row] = [row for row in ledger_rows(place) if str(row["path"]).endswith("c.pdf")]
    assert (row["state"], row["reason"]) == ("done", "read-in-part")


def ledger_rows(place: Place) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = told(place.ledger, None, None, None, 100)["partly"]
    return rows


def test_every_kind_of_rule_is_worded() -> None:
    for code, row in LEFT_OUT.items():
        assert code == row.code
        assert row.sentence.endswith(".")
        assert row.hint.endswith(".")
