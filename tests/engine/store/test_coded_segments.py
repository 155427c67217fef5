"""Segments with codes: what was plain becomes codes, nothing is lost, a codebook comes first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.contract.errors import StoreTooNewError
from engine.store import Store, StoredUnit, codebooks, schema
from engine.store import segments as segments_module
from engine.store.codebook import learn
from engine.store.segments import LOST, Segments, StoredTokens, TokenRecord, TokenRef
from engine.store.token_record import CodedRecord, pack_coded, unpack_record
from tests.engine.store.recording_disk import RecordingDisk, restore
from tests.engine.store.store_units import DIM, facts, found, unit, word
from tests.engine.store.test_codebook import directions
from tests.engine.store.test_segments import table

N = 30  # tokens of a record


@pytest.fixture(autouse=True)
def learns_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segments_module, "LEARN_BYTES", 60_000)
    monkeypatch.setattr(segments_module, "FEWEST_TOKENS", 500)


def make(seed: int, n: int = N, like: int = 0) -> TokenRecord:
    rng = np.random.default_rng(seed)
    starts = np.cumsum(rng.integers(1, 9, n))
    spans = np.stack([starts, starts + 3], axis=1).astype(np.int32)
    if n:
        spans[0] = -1
    tokens = np.roll(directions(seed, n), like, axis=1)
    return TokenRecord(
        np.rint(tokens * 127).astype(np.int8),
        spans=spans,
        boxes=rng.integers(0, 65536, (n, 4)).astype(np.uint16) if seed % 3 == 0 else None,
        word_spans=np.array([[1, 4], [6, 9]], np.int32),
        word_boxes=rng.integers(0, 65536, (2, 4)).astype(np.uint16),
    )


def says(stored: StoredTokens, record: TokenRecord, coded: bool) -> bool:
    """Whether it is that record: its places as they were, its tokens nearly."""
    if isinstance(stored, CodedRecord) != coded or len(stored.tokens) != len(record.tokens):
        return False
    for name in ("spans", "boxes", "word_spans", "word_boxes"):
        a, b = getattr(stored, name), getattr(record, name)
        if (a is None) != (b is None) or (a is not None and not np.array_equal(a, b)):
            return False
    if isinstance(stored, TokenRecord):
        return np.array_equal(stored.tokens, record.tokens)
    back = stored.tokens.book.decode(stored.tokens.rows)
    near = (back * record.tokens / 127).sum(axis=1)
    return bool(len(near) == 0 or near.mean() > 0.9)


def filled(folder: Path, count: int = 60) -> tuple[Segments, list[TokenRef]]:
    store = Segments(folder)
    return store, [store.append([make(seed)])[0] for seed in range(count)]


def learnt(folder: Path) -> tuple[Segments, list[TokenRef]]:
    """Sixty plain records and a codebook of them."""
    store, refs = filled(folder)
    assert store.wants_codebook
    assert not store.wants_coding
    store.learn(table(refs))
    assert not store.wants_codebook
    return store, refs


def test_a_codebook_is_learnt_once_there_is_enough(tmp_path: Path) -> None:
    store = Segments(tmp_path)
    refs = store.append([make(seed) for seed in range(5)])
    assert not store.wants_codebook
    refs += store.append([make(seed) for seed in range(5, 60)])
    assert store.wants_codebook
    store.learn(table(refs[:3]))  # too few of them are alive
    assert store.wants_codebook
    assert not list(tmp_path.glob("*.book"))


def test_what_was_plain_becomes_codes_and_references_stay(tmp_path: Path) -> None:
    store, refs = learnt(tmp_path)
    fresh = store.append([make(seed) for seed in (100, 101)] + [make(102, 0)])
    assert fresh[0].segment > refs[-1].segment
    found = store.read([*refs, *fresh])
    assert all(says(a, make(i), coded=False) for i, a in enumerate(found[:60]))
    assert all(says(a, make(i), coded=True) for i, a in zip((100, 101), found[60:], strict=False))
    assert says(found[62], make(102, 0), coded=True)
    before = records_bytes(tmp_path)
    assert store.wants_coding
    live = table([*refs[::2], *fresh])
    store.code_some(live)
    assert not store.wants_coding
    assert records_bytes(tmp_path) < before / 4  # half of them were dead
    for reader in (store, Segments(tmp_path)):
        assert not reader.wants_coding
        assert reader.readable(live).all()
        found = reader.read([*refs[::2], *fresh])
        assert all(says(a, make(2 * i), coded=True) for i, a in enumerate(found[:30]))
        assert says(found[30], make(100), coded=True)
        assert all(record is LOST for record in reader.read(refs[1::2]))


def test_packs_of_codes_are_packed_again(tmp_path: Path) -> None:
    store, refs = learnt(tmp_path)
    store.code_some(table(refs))
    codes = [r.tokens.rows for r in store.read(refs) if isinstance(r, CodedRecord)]
    assert store.compact(table(refs), force=True) == 0  # all of it is alive
    assert store.compact(table(refs[:20]), force=True) > 0
    found = store.read(refs[:20])
    assert all(says(a, make(i), coded=True) for i, a in enumerate(found))
    # Not coded a second time.
    again = [r.tokens.rows for r in found if isinstance(r, CodedRecord)]
    assert all(np.array_equal(a, b) for a, b in zip(codes, again, strict=False))


def test_after_a_crash_between_codebook_and_first_record(tmp_path: Path) -> None:
    """The segment that was being written has plain records: it is not gone on with."""
    store, refs = filled(tmp_path)
    tokens = np.concatenate([make(seed).tokens for seed in range(60)]).astype(np.float32) / 127
    store._books.add(learn(tokens, 1))  # and the process ends
    again = Segments(tmp_path)
    fresh = again.append([make(100)])[0]
    assert fresh.segment == refs[-1].segment + 1
    assert again.wants_coding
    again.code_some(table([*refs, fresh]))
    assert all(says(a, make(i), coded=True) for i, a in enumerate(again.read(refs)))
    assert says(again.read([fresh])[0], make(100), coded=True)


def test_a_power_cut_at_any_step(tmp_path: Path) -> None:
    """Whatever was acknowledged is there, plain or coded: never without its codebook."""
    root = tmp_path / "played"
    root.mkdir()
    disk = RecordingDisk(root)
    store = Segments(root / "s", disk=disk)
    refs: list[TokenRef] = []
    known = {"open": 0}

    def doing(what: str) -> None:
        disk.doing = what
        known[what] = len(refs)

    doing("plain")
    refs += store.append([make(seed) for seed in range(60)])
    doing("learn")
    store.learn(table(refs))
    doing("append")
    refs += store.append([make(seed) for seed in (60, 61)])
    doing("code")
    store.code_some(table(refs))
    doing("end")
    refs += store.append([make(62)])
    disk.close()
    looked = 0
    for number, step in enumerate(disk.steps):
        for loss, tree in step.left.items():
            folder = tmp_path / f"{number}-{loss}"
            restore(tree, folder)
            there = refs[: known[step.doing]]
            left = Segments(folder / "s")
            where = f"{step.doing}: {step.call}, without {loss}"
            assert left.readable(table(there)).all(), where
            for seed, record in enumerate(left.read(there)):
                assert says(record, make(seed), isinstance(record, CodedRecord)), where
            looked += 1
    assert looked > 20


def spoil(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7] + b"garbage")


@pytest.mark.parametrize("end", ["book", "copy"])
@pytest.mark.parametrize("damage", [spoil, Path.unlink])
def test_one_file_of_a_codebook_is_mended_by_the_other(
    tmp_path: Path, end: str, damage: object
) -> None:
    store, refs = learnt(tmp_path)
    store.code_some(table(refs))
    path = tmp_path / f"00000001.{end}"
    whole = path.read_bytes()
    assert callable(damage)
    damage(path)
    assert Segments(tmp_path, read_only=True).readable(table(refs)).all()
    again = Segments(tmp_path)
    assert all(says(a, make(i), coded=True) for i, a in enumerate(again.read(refs)))
    assert path.read_bytes() == whole


@pytest.mark.parametrize("packed", [False, True])
def test_without_its_codebook_a_record_is_lost_and_named(tmp_path: Path, packed: bool) -> None:
    store, refs = learnt(tmp_path)
    coded = store.append([make(100)])
    if packed:
        store.code_some(table([*refs, *coded]))
    for path in tmp_path.glob("00000001.[bc]*"):
        path.unlink()
    again = Segments(tmp_path)
    wanted = [*refs, *coded]
    assert again.readable(table(wanted)).tolist() == [not packed] * 60 + [False]
    assert again.read(coded)[0] is LOST
    # Another is learnt, under the same number: it is not taken for the one that is gone.
    if not packed:
        again.learn(table(refs[:40]))  # of all the same would be made again
    else:
        more = again.append([make(seed) for seed in range(200, 260)])
        again.learn(table(more))
    assert (tmp_path / "00000001.book").exists()
    assert again.read(coded)[0] is LOST
    assert Segments(tmp_path).readable(table(coded)).tolist() == [False]


def test_when_tokens_change_another_codebook_is_learnt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(codebooks, "OUTGROWN_TOKENS", 6_000)
    monkeypatch.setattr(codebooks, "_KEPT", 2)
    store, refs = learnt(tmp_path)
    for seed in range(100, 320):  # like those it was learnt from
        refs += store.append([make(seed)])
    assert not store.wants_codebook
    store = Segments(tmp_path)
    others = [store.append([make(seed, like=5)])[0] for seed in range(400, 620)]
    assert store.wants_codebook
    first = store.read(others[:1])[0]
    store.learn(table(refs + others))
    assert not store.wants_codebook
    later = store.append([make(700, like=5)])[0]
    assert later.segment > others[-1].segment
    assert sorted(path.name for path in tmp_path.glob("*.book")) == [
        "00000001.book", "00000002.book"
    ]  # fmt: skip
    for reader in (store, Segments(tmp_path)):
        known = reader.read([refs[-1], later, others[0]])
        assert isinstance(first, CodedRecord)
        assert isinstance(known[2], CodedRecord)
        assert np.array_equal(known[2].tokens.rows, first.tokens.rows)
        assert says(known[0], make(319), coded=True)
        assert says(known[1], make(700, like=5), coded=True)


def test_other_tokens_than_the_codebooks_stay_plain(tmp_path: Path) -> None:
    """Of other dimensions; also what is damaged is kept as it is, and neither for ever tried."""
    store, refs = filled(tmp_path)
    odd = store.append([TokenRecord(np.ones((3, 8), np.int8))])
    raw = tmp_path / "00000000.seg"
    data = bytearray(raw.read_bytes())
    data[refs[7].offset + 40] ^= 1
    raw.write_bytes(data)
    store.learn(table([*refs, *odd]))
    odd += store.append([TokenRecord(np.ones((2, 8), np.int8))])
    store.code_some(table([*refs, *odd]))
    assert not store.wants_coding
    assert [len(record.tokens) for record in store.read(odd)] == [3, 2]
    assert store.read([refs[7]])[0] is LOST
    assert says(store.read([refs[8]])[0], make(8), coded=True)


@pytest.mark.parametrize("n", [0, 1, 5])
def test_every_flipped_byte_of_a_coded_record_is_noticed(n: int) -> None:
    book = learn(directions(1, 2_000), 1)
    record = make(3, n)
    tokens = record.tokens.reshape(n, 32).astype(np.float32) / 127
    data = pack_coded(record, book.encode(tokens))
    books = {book.id: book}
    assert says(unpack_record(data, books), record, coded=True)
    with pytest.raises(LookupError):
        unpack_record(data, {})
    for at in range(len(data)):
        broken = bytearray(data)
        broken[at] ^= 0x41
        with pytest.raises(ValueError):
            unpack_record(bytes(broken), books)
    for length in (0, 5, len(data) - 1):
        with pytest.raises(ValueError):
            unpack_record(data[:length], books)


# The whole store


def with_tokens(n: int, ordinal: int = 0) -> StoredUnit:
    stored = unit(facts(n), ordinal, word(n))
    return StoredUnit(stored.unit, stored.file, stored.vector, make(n * 10 + ordinal))


def contents(store: Store, files: range) -> Iterator[tuple[int, StoredTokens]]:
    for n in files:
        for ordinal, row in enumerate(store.file_rows(n)):
            assert row.ref is not None
            yield n * 10 + ordinal, store.tokens([row.ref])[0]


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Eighty units, as an Inkling left them that knew no codes."""
    with monkeypatch.context() as earlier:
        earlier.setattr(segments_module, "LEARN_BYTES", 1 << 40)
        earlier.setattr(schema, "MIGRATIONS", ())
        store = Store.open(tmp_path, "m", DIM)
        for n in range(40):
            store.replace_files({n: [with_tokens(n, k) for k in range(2)]})
        store.maintain(force=True)
        store.close()
    return tmp_path


def records_bytes(folder: Path) -> int:
    """Without the codebooks, which are large beside so few records."""
    return sum(path.stat().st_size for path in folder.glob("*.[sp]*"))


def rest(store: Store) -> int:
    """Maintenance as often as something is left to do; how often."""
    for times in range(20):
        if not (store._segments.wants_codebook or store._segments.wants_coding):
            return times
        store.maintain()
    raise AssertionError("it does not come to an end")


def test_an_old_index_becomes_codes_in_the_background(old: Path) -> None:
    store = Store.open(old, "m", DIM)
    assert store.broken_files == set()
    assert all(says(r, make(seed), coded=False) for seed, r in contents(store, range(40)))
    version, before = store.version, records_bytes(old / "m.segments")
    refs = [row.ref for n in range(40) for row in store.file_rows(n)]
    assert rest(store) == 2
    assert records_bytes(old / "m.segments") < before / 2.5
    assert store.version == version  # no row has changed
    assert refs == [row.ref for n in range(40) for row in store.file_rows(n)]
    store.replace_files({50: [with_tokens(50)], 3: [with_tokens(3)]})
    store.delete_files([4])
    store.maintain(force=True)
    store.close()
    store = Store.open(old, "m", DIM)
    assert store.broken_files == set()
    assert store.file_ids() == {*range(40), 50} - {4}
    assert found(store, word(50)) == ["50:0"]
    assert all(says(r, make(seed), coded=True) for seed, r in contents(store, range(5, 51)))
    store.close()


def test_starting_does_not_wait_for_a_codebook(old: Path) -> None:
    store = Store.open(old, "m", DIM)
    store.maintain(force=True)
    assert store._segments.wants_codebook
    store.close()


def test_a_busy_store_learns_and_codes_later(tmp_path: Path) -> None:
    store = Store.open(tmp_path, "m", DIM)
    for n in range(40):
        store.replace_files({n: [with_tokens(n, k) for k in range(2)]})
    store.maintain()  # due after so many commits
    assert not store._segments.wants_codebook
    assert store._segments.wants_coding
    store.replace_files({40: [with_tokens(40)]})
    store.maintain()
    assert store._segments.wants_coding  # something was written since the last time
    assert rest_after_a_while(store) == 1
    assert all(says(r, make(seed), coded=True) for seed, r in contents(store, range(41)))
    store.close()


def rest_after_a_while(store: Store) -> int:
    store._upkeep._last -= 60  # nothing was written for a minute
    store.maintain()
    return rest(store)


def test_lost_codebooks_are_damage_to_be_mended(old: Path) -> None:
    store = Store.open(old, "m", DIM)
    rest(store)
    store.close()
    for path in (old / "m.segments").glob("*.[bc]o*"):
        path.write_bytes(b"nothing")
    store = Store.open(old, "m", DIM)
    assert store.broken_files == set(range(40))
    store.replace_files({1: [with_tokens(1)]})
    store.close()
    store = Store.open(old, "m", DIM)
    assert store.broken_files == {*range(40)} - {1}
    assert all(says(r, make(seed), coded=False) for seed, r in contents(store, range(1, 2)))
    store.close()


def test_an_earlier_inkling_does_not_take_codes_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Store.open(tmp_path, "m", DIM).close()
    monkeypatch.setattr(schema, "MIGRATIONS", ())
    with pytest.raises(StoreTooNewError):
        Store.open(tmp_path, "m", DIM)
