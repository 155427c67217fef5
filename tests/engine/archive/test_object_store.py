"""An archive in a bucket: as in a folder where the store is a good one, a sentence where not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.archive import Archive, conformance
from engine.contract.errors import InklingError, StoreBusyError
from tests.archives import SPEC, entry, same_archive
from tests.engine.archive import s3
from tests.engine.archive.test_two_writers import written_by_two
from tests.engine.archive.writer import change, fill

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def stores() -> Iterator[s3.Store]:
    with s3.running() as store:
        yield store


@pytest.fixture
def store(stores: s3.Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[s3.Store]:
    for name, value in {**s3.KEYS, "AWS_ENDPOINT_URL": stores.url}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(conformance, "_checked", set())
    stores.bad = None
    stores.bucket("archives")
    yield stores
    stores.bad = None


def test_a_bucket_holds_what_a_folder_holds(store: s3.Store, tmp_path: Path) -> None:
    local = Archive.create(tmp_path / "local", "x", SPEC)
    there = Archive.create("s3://archives/team/one", "x", SPEC)
    for archive in (local, there):
        fill(archive, "x", 2)
        change(archive)
    assert same_archive(local, there)
    again = Archive.open("s3://archives/team/one", {"endpoint": store.url}, read_only=True)
    assert same_archive(local, again)
    assert again.commit == local.commit
    assert len(again.changes(2).gone) == 1
    there.compact()
    assert there.check() == []
    assert same_archive(local, there)


@pytest.mark.slow
def test_two_writers_at_once_lose_nothing_in_a_bucket(store: s3.Store) -> None:
    written_by_two("s3://archives/two", 3)


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        (s3.accepting_second_writes, "accepts a second write"),
        (s3.ignoring_ranges, "does not answer a range"),
        (s3.forgetting_to_list, "listing lacks"),
    ],
)
def test_a_store_that_loses_commits_is_not_written_to(
    store: s3.Store, bad: s3.Bad, sentence: str
) -> None:
    store.bad = bad
    with pytest.raises(InklingError, match=f"is not safe for an archive: .*{sentence}"):
        Archive.create("s3://archives/bad", "x", SPEC)
    store.bad = None
    with pytest.raises(InklingError, match="no archive"):
        Archive.open("s3://archives/bad", read_only=True)


REFUSALS = [
    (s3.refusing(403, "AccessDenied"), InklingError, "may not be used.*s3:PutObject"),
    (s3.refusing(400, "ExpiredToken"), StoreBusyError, "has expired.*Log in anew"),
    (s3.refusing(403, "RequestTimeTooSkewed"), StoreBusyError, "clock.*Set the clock"),
    (s3.refusing(403, "InvalidAccessKeyId"), InklingError, "keys .* are not accepted"),
    (s3.refusing(507, "InsufficientStorage"), StoreBusyError, "no room left.*Make room"),
    (s3.refusing(400, "EntityTooLarge"), StoreBusyError, "no room left"),
    (s3.refusing(404, "NoSuchBucket"), InklingError, "no bucket.*Make the bucket"),
]


@pytest.mark.parametrize(("bad", "kind", "sentence"), REFUSALS)
def test_what_a_store_refuses_is_told_when_it_is_opened(
    store: s3.Store, bad: s3.Bad, kind: type[InklingError], sentence: str
) -> None:
    store.bad = bad
    with pytest.raises(kind, match=sentence):
        Archive.create("s3://archives/refused", "x", SPEC)


@pytest.mark.parametrize(("bad", "kind", "sentence"), REFUSALS)
def test_what_a_store_refuses_later_is_told_as_well_and_nothing_is_lost(
    store: s3.Store, bad: s3.Bad, kind: type[InklingError], sentence: str
) -> None:
    uri = f"s3://archives/later-{abs(hash(sentence)) % 10**9}"
    archive = Archive.create(uri, "x", SPEC)
    archive.put([entry(archive, "a")])
    store.bad = bad
    with pytest.raises(kind, match=sentence):
        archive.put([entry(archive, "b")])
    store.bad = None
    assert [f.facts.path for f in Archive.open(uri, read_only=True).files()] == ["/source/a"]
    assert archive.put([entry(archive, "b")]) == 2
    assert archive.check() in ([], [s for s in archive.check() if "units are of no file" in s])


def test_a_clock_that_is_off_is_told(store: s3.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3._Handler, "date", "Mon, 01 Jan 2001 00:00:00 GMT")
    with pytest.raises(InklingError, match=r"clock.*timedatectl"):
        Archive.create("s3://archives/clock", "x", SPEC)


def test_a_bucket_that_is_not_there_is_told(store: s3.Store) -> None:
    for wrong in (
        lambda: Archive.create("s3://nowhere/x", "x", SPEC),
        lambda: Archive.open("s3://nowhere/x"),
    ):
        with pytest.raises(InklingError, match="There is no bucket"):
            wrong()
    with pytest.raises(InklingError, match=r"no bucket|no archive"):
        Archive.open("s3://nowhere/x", read_only=True)


def test_a_store_that_is_away_is_told(store: s3.Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with pytest.raises(StoreBusyError, match="can't be reached"):
        Archive.open("s3://archives/x")


def test_keys_that_are_missing_are_told(
    store: s3.Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    with pytest.raises(InklingError, match=r"no keys.*AWS_PROFILE"):
        Archive.open("s3://archives/x")
    monkeypatch.setenv("AWS_PROFILE", "unknown")
    with pytest.raises(InklingError, match=r"no keys.*AWS_PROFILE"):
        Archive.open("s3://archives/x")


def test_without_the_extra_a_folder_still_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, store: s3.Store
) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    Archive.create(tmp_path / "archive", "x", SPEC)
    with pytest.raises(InklingError, match=r"pip install 'inkling-search\[archive\]'"):
        Archive.create("s3://archives/x", "x", SPEC)


def test_a_place_is_tried_once_a_process(store: s3.Store) -> None:
    archive = Archive.create("s3://archives/once", "x", SPEC)
    before = store.requests
    conformance.check_object_store(archive.place)
    assert store.requests == before
