"""Building another model's space beside the one that answers; real stores, made-up vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from engine.contract.errors import InklingError, StoreDamagedError
from engine.contract.paths import BaseDir
from engine.contract.settings import DEFAULT_MODEL, Settings
from engine.contract.types import FileFacts, Unit
from engine.models.registry import ModelSpec
from engine.store import Store, StoredUnit, table_name
from indexer.indexing import activation
from indexer.indexing.activation import ModelActivation
from indexer.indexing.failures import RepeatedFailures
from indexer.indexing.index import Index
from indexer.ledger.ledger import FileRecord
from indexer.ledger.spaces import Built
from indexer.reading.pool import ExtractorPool
from indexer.reading.work import facts_of
from indexer.sources.ignore import IgnoreRules
from indexer.sources.scan import scan_root
from tests.indexer.indexing.rig import SmallEngine, spoil_newest_commit
from tests.waiting import until

FILES = 6


class Building:
    """An index over a folder, all read with one model, and what builds for the other."""

    def __init__(self, base: BaseDir, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.engines: list[SmallEngine] = []
        #: Called before a batch goes to the space that is built, with the batch's files.
        self.before: Callable[[SmallEngine, set[int]], None] = lambda engine, ids: None
        self.refused: set[int] = set()  # files the new model can't take
        building = self

        class Watched(SmallEngine):
            def replace(self, files: Mapping[int, Sequence[StoredUnit]]) -> int:
                if self is not building.engines[0]:
                    building.before(self, set(files))
                return super().replace(dict(files))

            def encode(self, units: Sequence[tuple[FileFacts, Unit]]) -> list[StoredUnit]:
                mine = self is not building.engines[0]
                if mine and (self.unable or any(f.file_id in building.refused for f, _ in units)):
                    raise InklingError("It can't be encoded.")
                return super().encode(units)

        def make_engine(index: Index, spec: ModelSpec) -> SmallEngine:
            self.engines.append(Watched(base, spec))
            return self.engines[-1]

        monkeypatch.setattr(Index, "make_engine", make_engine)
        # Weights are not looked for: there is no model here.
        monkeypatch.setattr(activation, "ensure_usable", lambda spec, base: None)
        for name, value in {
            "BATCH_FILES": 2, "BACK_OFF_SECONDS": 0.0, "LET_GO_SECONDS": 0.0, "IDLE_WAIT": 0.05,
            "TIDY_SECONDS": 0.0, "SETTLE_SECONDS": 0.0, "AGAIN_SECONDS": 0.0,
        }.items():  # fmt: skip
            monkeypatch.setattr(activation, name, value)
        monkeypatch.setattr("indexer.indexing.failures.FIRST_SECONDS", 0.01)
        self.settings = Settings.load(base)
        self.settings.min_free_disk_gb, self.settings.pause_on_battery = 0, False
        self.index = Index(base, self.settings, ExtractorPool(base.scratch, 1), workers=1).open()
        scan_root(self.index.ledger, self.index.ledger.add_root(folder), IgnoreRules())
        self.index.reconcile()
        self.index.start()
        until(lambda: self.index.ledger.counts()["done"] == FILES and not self.index.busy)
        self.ids = {record.id for record in self.index.ledger.files()}
        self.failures = RepeatedFailures()
        self.activation = ModelActivation(self.index, self.failures)

    def begin(self, model: str = "jina-v4") -> None:
        self.settings.model = model
        self.activation.start()

    def again(self) -> None:
        """As the next process would."""
        self.activation.stop()
        self.activation = ModelActivation(self.index, self.failures)
        self.activation.start()

    def in_use(self, model: str) -> bool:
        return self.index.engine.spec.id == model

    def close(self) -> None:
        self.before = lambda engine, ids: None
        self.activation.stop()
        self.index.stop()


@pytest.fixture
def building(base: BaseDir, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Building]:
    folder = tmp_path / "notes"
    folder.mkdir()
    for number in range(FILES):
        (folder / f"{number}.md").write_text(f"# Note {number}\n\nThe keeper counted ships.\n")
    made = Building(base, folder, monkeypatch)
    yield made
    made.close()


def pause_after(building: Building, batches: int) -> None:
    """Hold building once so many batches are in the space."""
    count = 0

    def before(engine: SmallEngine, ids: set[int]) -> None:
        nonlocal count
        count += 1
        if count == batches:
            building.index.pause()

    building.before = before


def progress(building: Building) -> tuple[int, int]:
    found = building.activation.progress()
    assert found is not None
    return found["done"], found["total"]


def test_the_new_space_takes_over_and_going_back_takes_no_encoding(building: Building) -> None:
    building.begin()
    until(lambda: building.in_use("jina-v4"))
    old, new = building.engines
    assert building.index.engine is new
    assert new.store.file_ids() == building.ids
    assert sorted(new.encoded) == sorted(building.ids)
    assert building.activation.progress() is None
    assert building.activation.encoded == FILES
    assert building.index.ledger.counts()["done"] == FILES

    def old_is_closed() -> bool:
        try:
            old.store.file_ids()
        except InklingError:
            return True
        return False

    until(old_is_closed)
    building.settings.model = DEFAULT_MODEL
    building.activation.follow()
    until(lambda: building.in_use(DEFAULT_MODEL))
    assert building.engines[-1].encoded == []
    assert building.engines[-1].store.file_ids() == building.ids


def test_a_file_removed_meanwhile_leaves_the_space_that_is_built(building: Building) -> None:
    pause_after(building, 1)
    building.begin()
    until(lambda: progress(building) == (2, FILES))
    new = building.engines[1]
    gone = min(new.store.file_ids())
    building.index.ledger.mark_removed([gone])
    building.index.forget([gone])
    until(lambda: gone not in new.store.file_ids())
    building.index.resume()
    until(lambda: building.in_use("jina-v4"))
    assert new.store.file_ids() == building.ids - {gone}


def test_a_file_removed_while_its_batch_is_written_leaves_it_again(building: Building) -> None:
    gone = set[int]()

    def before(engine: SmallEngine, ids: set[int]) -> None:
        if not gone:
            gone.add(min(ids))
            building.index.ledger.mark_removed(gone)

    building.before = before
    building.begin()
    until(lambda: building.in_use("jina-v4"))
    assert building.engines[1].store.file_ids() == building.ids - gone


def test_a_restart_goes_on_and_what_the_space_lost_is_made_again(building: Building) -> None:
    pause_after(building, 2)
    building.begin()
    until(lambda: progress(building) == (4, FILES))
    first = building.engines[1]
    lost, *kept = sorted(first.store.file_ids())
    unknown = first.store.file_rows(kept[0])
    assert unknown
    first.store.delete_files([lost])
    building.before = lambda engine, ids: None
    building.again()
    building.index.resume()
    until(lambda: building.in_use("jina-v4"))
    second = building.engines[2]
    assert set(second.encoded) == building.ids - set(kept)
    assert second.store.file_ids() == building.ids


def test_what_was_in_a_commit_that_was_given_up_is_made_again(building: Building) -> None:
    pause_after(building, 2)
    building.begin()
    until(lambda: progress(building) == (4, FILES))
    building.activation.stop()
    first = building.engines[1]
    ledger, space = building.index.ledger, first.spec.space
    held = sorted(building.activation.spaces.units_by_file(space))
    record = next(r for r in ledger.files() if r.id == held[0])
    rows = rows_of(first, record)
    store = Store.open(building.index.base.store, space, first.spec.dim)
    version = store.replace_files({record.id: rows})
    store.close()
    built = Built(record.id, record.content_hash or "", record.reading_version, 1, version)
    building.activation.spaces.note(space, [built])
    spoil_newest_commit(building.index.base.store, first.spec)
    building.before = lambda engine, ids: None
    building.again()
    building.index.resume()
    until(lambda: building.in_use("jina-v4"))
    assert set(building.engines[2].encoded) == building.ids - set(held[1:])


def rows_of(engine: SmallEngine, record: FileRecord) -> list[StoredUnit]:
    return engine.encode([(facts_of(record), Unit(record.id, 0, "note", "words"))])


def test_rows_the_ledger_does_not_know_of_are_not_taken_over(building: Building) -> None:
    pause_after(building, 1)
    building.begin()
    until(lambda: progress(building) == (2, FILES))
    first = building.engines[1]
    first.store.replace_files({99_999: first.encode([_a_unit(building)])})
    building.before = lambda engine, ids: None
    building.again()
    building.index.resume()
    until(lambda: building.in_use("jina-v4"))
    assert building.engines[2].store.file_ids() == building.ids


def _a_unit(building: Building) -> tuple[FileFacts, Unit]:
    path = building.index.ledger.files()[0].path
    facts = FileFacts(99_999, path, "note", None, "md", 0.0, 1)
    return facts, Unit(99_999, 0, "note", "words")


def test_a_damaged_space_is_made_anew(building: Building) -> None:
    damaged = list[SmallEngine]()

    def before(engine: SmallEngine, ids: set[int]) -> None:
        if not damaged and progress(building)[0] == 2:
            damaged.append(engine)
            table = building.index.base.store / f"{table_name(engine.spec.space)}.lance"
            for path in (table / "_versions").glob("*.manifest"):  # no commit answers any more
                path.write_bytes(b"")
            raise StoreDamagedError("The search index is damaged.")

    building.before = before
    building.begin()
    until(lambda: building.in_use("jina-v4"))
    assert damaged == [building.engines[1]]
    assert sorted(building.engines[2].encoded) == sorted(building.ids)
    assert building.engines[2].store.file_ids() == building.ids


def test_an_error_is_said_and_building_goes_on_after_it(building: Building) -> None:
    errors = list[object]()

    def before(engine: SmallEngine, ids: set[int]) -> None:
        found = building.activation.progress()
        errors.append(found and found["error"])
        if len(errors) == 1:
            raise InklingError("The disk is full.", hint="Free some space.")

    building.before = before
    building.begin()
    until(lambda: building.in_use("jina-v4"))
    assert errors[0] is None
    assert errors[1] == {"message": "The disk is full.", "hint": "Free some space."}
    assert errors[2] is None
    assert building.engines[1].store.file_ids() == building.ids


def test_after_an_error_nothing_is_tried_until_something_changes(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(activation, "BACK_OFF_SECONDS", 1e6)
    tried = list[int]()

    def before(engine: SmallEngine, ids: set[int]) -> None:
        tried.append(1)
        raise InklingError("The disk is full.")

    building.before = before
    building.begin()
    until(lambda: building.activation.error is not None)
    for _ in range(3):  # rounds of its thread
        round_before = building.activation._tidied
        until(lambda: building.activation._tidied != round_before)  # noqa: B023
    assert tried == [1]
    building.before = lambda engine, ids: None
    building.activation.follow()
    until(lambda: building.in_use("jina-v4"))


def test_a_file_edited_meanwhile_is_not_taken_for_what_is_indexed(building: Building) -> None:
    edited = building.index.ledger.files()[0]
    Path(edited.path).write_text("# Other words\n\nA zeppelin went by.\n")
    building.begin()
    until(lambda: building.in_use("jina-v4"))
    assert building.activation.encoded == FILES - 1
    # It is read like any file that the model in use has not seen.
    until(lambda: building.index.ledger.counts()["done"] == FILES and not building.index.waiting)
    [row] = building.engines[1].store.file_rows(edited.id)
    assert "zeppelin" in row.text


def test_a_file_the_model_can_not_take_holds_up_nothing(building: Building) -> None:
    building.refused = {min(building.ids)}
    building.begin()
    until(lambda: building.in_use("jina-v4"))
    assert building.engines[1].store.file_ids() == building.ids - building.refused


def test_without_a_model_no_file_is_to_blame(building: Building) -> None:
    make = building.index.make_engine

    def unable(spec: ModelSpec) -> object:
        made = make(spec)
        made.unable = True  # type: ignore[attr-defined]
        return made

    building.index.make_engine = unable  # type: ignore[method-assign,assignment]
    building.begin()
    until(lambda: building.activation.error is not None)
    assert progress(building) == (0, FILES)
    building.engines[1].unable = False
    until(lambda: building.in_use("jina-v4"))
    assert building.engines[1].store.file_ids() == building.ids


def test_what_is_removed_later_leaves_the_space_that_is_kept(building: Building) -> None:
    building.begin()
    until(lambda: building.in_use("jina-v4"))
    gone = min(building.ids)
    building.index.ledger.mark_removed([gone])
    building.index.forget([gone])
    until(lambda: not building.activation.spaces.leftovers())
    building.settings.model = DEFAULT_MODEL
    building.activation.follow()
    until(lambda: building.in_use(DEFAULT_MODEL))
    assert building.index.engine.file_ids() == building.ids - {gone}


def test_a_model_in_use_or_wanted_is_not_removed(building: Building) -> None:
    building.begin()
    until(lambda: building.in_use("jina-v4"))
    old, new = (engine.spec for engine in building.engines[:2])
    with pytest.raises(InklingError, match="in use"):
        building.activation.drop(new)
    assert building.activation.size_bytes(old) > 0
    building.activation.drop(old)
    assert building.activation.size_bytes(old) == 0
    building.settings.model = DEFAULT_MODEL
    with pytest.raises(InklingError, match="in use"):
        building.activation.drop(old)
