"""A store of another schema is carried over or refused, never taken for damaged."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from engine.contract.errors import InklingError, StoreDamagedError, StoreTooNewError
from engine.store import Store, drop_space, rows, schema, set_space_aside
from engine.store.schema import Migration, schema_version
from engine.store.space_file import NAME
from tests.engine.store.store_units import DIM, facts, found, unit, vector, word
from tests.engine.store.test_opening import contents

SHELF = pa.field("shelf", pa.float64())
LETTERS = pa.field("letters", pa.int64())
SHOUTED = pa.field("shouted", pa.string())


def shout(table: pa.Table) -> pa.Table:
    column = pa.array([text.upper() for text in table["text"].to_pylist()], pa.string())
    return table.set_column(table.schema.get_field_index("shouted"), SHOUTED, column)


LATER = (
    Migration({SHELF: "CAST(NULL AS DOUBLE)", LETTERS: "CAST(length(text) AS BIGINT)"}),
    Migration({SHOUTED: "CAST('' AS STRING)"}, rewrite=shout),
)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Makes this Inkling the one after so many migrations."""
    fields = rows.fields_of

    def more(stored: Any, ref: Any) -> dict[str, Any]:
        text = stored.unit.text
        return {**fields(stored, ref), "shelf": 1.5, "letters": len(text), "shouted": text.upper()}

    def become(steps: int) -> None:
        monkeypatch.setattr(schema, "MIGRATIONS", LATER[:steps])
        monkeypatch.setattr(rows, "fields_of", more if steps else fields)

    return become


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight units and another space, as an Inkling that counted no versions left them."""
    for space in ("m", "other"):
        store = Store.open(tmp_path, space, DIM)
        for n in range(8):
            store.replace_files({n: [unit(facts(n), text=word(n))]})
        store.close()
        (tmp_path / f"{space}.lance" / NAME).unlink()
    return tmp_path


def columns(store: Store, *names: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = store._table.read(
        lambda t: t.search().select(["id", *names]).to_arrow().to_pylist()
    )
    return sorted(found, key=lambda row: str(row["id"]))


def check(store: Store) -> None:
    """Everything of the eight units is still there."""
    assert store.file_ids() == set(range(8))
    assert store.broken_files == set()
    assert found(store, word(5)) == ["5:0"]
    assert store.search_vector(vector(300), None, 1)[0].unit_id == "3:0"
    row = store.rows(["4:0"])["4:0"]
    assert row.ref is not None
    assert len(store.tokens([row.ref])[0].tokens) == 3


@pytest.mark.parametrize("steps", [1, 2])
def test_an_older_store_is_carried_over(
    folder: Path, later: Callable[[int], None], steps: int
) -> None:
    other = contents(folder, "m.")
    later(steps)
    store = Store.open(folder, "m", DIM)
    check(store)
    assert columns(store, "letters", "shelf")[5] == {
        "id": "5:0", "letters": len(word(5)), "shelf": None,
    }  # fmt: skip
    if steps == 2:
        assert columns(store, "shouted")[5]["shouted"] == word(5).upper()
    assert contents(folder, "m.") == other
    store.replace_files({20: [unit(facts(20), text=word(20))]})
    store.update_paths({5: facts(5, "/elsewhere/zebra.md")})
    store.maintain(force=True)
    assert {row["id"] for row in columns(store, "shelf") if row["shelf"] == 1.5} == {"20:0"}
    version = store.version
    store.close()
    again = Store.open(folder, "m", DIM)  # nothing is done twice
    assert (again.version, again.count()) == (version, 9)
    again.close()
    second = Store.open(folder, "other", DIM)  # each at its own time
    check(second)
    second.close()


@pytest.mark.parametrize("noted", [True, False])
def test_a_newer_store_is_refused_and_left_alone(
    folder: Path, later: Callable[[int], None], noted: bool
) -> None:
    later(2)
    Store.open(folder, "m", DIM).close()
    if not noted:  # the columns tell it as well
        (folder / "m.lance" / NAME).write_text("nonsense")
    before = contents(folder)
    for steps in (0, 1):
        later(steps)
        for read_only in (True, False):
            with pytest.raises(StoreTooNewError, match="newer version of Inkling"):
                Store.open(folder, "m", DIM, read_only=read_only)
    assert contents(folder) == before
    Store.open(folder, "other", DIM).close()  # version 1 is carried over to 1 alone
    later(2)
    store = Store.open(folder, "m", DIM)
    check(store)
    store.close()


def test_a_step_cut_short_is_begun_again(
    folder: Path, later: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    later(2)

    def fail(table: pa.Table) -> pa.Table:
        raise KeyboardInterrupt

    broken = (LATER[0], Migration(LATER[1].columns, rewrite=fail))
    with monkeypatch.context() as patch:
        patch.setattr(schema, "MIGRATIONS", broken)
        with pytest.raises(KeyboardInterrupt):
            Store.open(folder, "m", DIM)
    store = Store.open(folder, "m", DIM)
    check(store)
    assert columns(store, "shouted")[2]["shouted"] == word(2).upper()
    store.close()


def test_terms_of_an_earlier_analyzer_are_made_anew(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "m", DIM)
    texts = ("plain words", "فاتورة ٤٨١٥٧٢", "圖書館")
    store.replace_files({n: [unit(facts(n), text=text)] for n, text in enumerate(texts)})
    store._table.write(lambda t: t.update(where="file_id > 0", values={"fts": " as it was "}))
    mark = columns(store, "fts")[0]
    store.close()
    (tmp_path / "m.lance" / NAME).write_text('{"schema": 2, "notes": {}}')
    store = Store.open(tmp_path, "m", DIM)
    assert found(store, "481572") == ["1:0"]
    assert found(store, "图书馆") == ["2:0"]
    assert columns(store, "fts")[0] == mark
    assert found(store, "was") == []
    store.close()


def test_an_older_store_is_not_opened_for_reading_only(
    folder: Path, later: Callable[[int], None]
) -> None:
    later(1)
    before = contents(folder)
    with pytest.raises(InklingError, match="earlier version"):
        Store.open(folder, "m", DIM, read_only=True)
    assert contents(folder) == before


def test_another_length_of_vectors_is_damage(folder: Path) -> None:
    with pytest.raises(StoreDamagedError):
        Store.open(folder, "m", DIM * 2)


def test_notes_last(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "m", DIM)
    assert store.meta.get("contents") is None
    store.meta.set("contents", "1.2.3")
    store.meta.set("other", "ü")
    store.close()
    for read_only in (True, False):
        again = Store.open(tmp_path, "m", DIM, read_only=read_only)
        assert (again.meta.get("contents"), again.meta.get("other")) == ("1.2.3", "ü")
        again.close()
    reader = Store.open(tmp_path, "m", DIM, read_only=True)
    with pytest.raises(InklingError, match="reading only"):
        reader.meta.set("contents", "2")
    path = tmp_path / "m.lance" / NAME
    assert json.loads(path.read_text())["schema"] == schema_version()
    assert Store.open(tmp_path, "n", DIM).meta.get("contents") is None
    writer = Store.open(tmp_path, "m", DIM)
    writer.maintain(force=True)
    assert path.exists()
    writer.close()
    set_space_aside(tmp_path, "m")
    assert not path.exists()
    drop_space(tmp_path, "n")
    assert not (tmp_path / "n.lance").exists()


def test_notes_that_can_not_be_understood_are_gone(tmp_path: Path) -> None:
    Store.open(tmp_path, "m", DIM).close()
    for text in ("", "[]", '{"schema": "x"}', '{"schema": 1, "notes": 3}', "\x00" * 50):
        (tmp_path / "m.lance" / NAME).write_text(text)
        store = Store.open(tmp_path, "m", DIM)
        assert store.meta.get("contents") is None
        store.close()
        assert json.loads((tmp_path / "m.lance" / NAME).read_text())["schema"] == schema_version()
