"""Archives beside this machine: what goes there, what comes back, and what happens when it
doesn't."""

from __future__ import annotations

import datetime as dt
import ipaddress
import stat
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.contract.query import parse
from engine.contract.settings import Settings
from engine.contract.types import Answer, Coverage, Hit
from engine.search.ranker import Ranker
from indexer.archives.known import KnownArchives
from indexer.archives.merging import merged
from indexer.archives.service import Archives
from indexer.asking.policy import Policy
from tests.indexer.archives.scripted_archive import ScriptedArchive, answer, serving
from tests.waiting import until


@dataclass
class Home:
    """A person's own side of it."""

    base: BaseDir
    settings: Settings
    archives: Archives
    policy: list[Policy] = field(default_factory=lambda: [Policy()])

    def ask(self, text: str = "words", limit: int = 20) -> Iterator[Answer]:
        asked = self.archives.ask(text, limit, None, False, lambda name: True)
        assert asked is not None
        local = Answer(
            (Hit("/here.md", features={"probability": 0.5}),), coverage=Coverage(2, 2, 0)
        )
        try:
            yield from merged(local, asked, Ranker.of("e5-minilm"), limit, newest=False)
        finally:
            asked.close()


@pytest.fixture
def home(base: BaseDir) -> Iterator[Home]:
    yield from _home(base, 30.0)


@pytest.fixture
def hasty(base: BaseDir) -> Iterator[Home]:
    """One that waits for no archive."""
    yield from _home(base, 0.3)


def _home(base: BaseDir, deadline_s: float) -> Iterator[Home]:
    settings = Settings.load(base.create())

    def save(rows: object) -> None:
        settings.set("archives", rows)
        settings.save()

    policies = [Policy()]
    archives = Archives(
        KnownArchives(base, settings, save),
        lambda: "e5-minilm-1-512",
        policy=lambda: policies[-1],
        deadline_s=deadline_s,
    )
    yield Home(base, settings, archives, policies)
    archives.close()


@pytest.fixture
def lab() -> Iterator[ScriptedArchive]:
    with serving() as script:
        yield script


def paths(told: Answer) -> list[str]:
    return [hit.path for hit in told.hits]


class TestAdding:
    def test_one_that_answers_is_kept_and_its_token_apart(
        self, home: Home, lab: ScriptedArchive
    ) -> None:
        (told,) = home.archives.add("Lab", lab.url, " secret\n")
        assert (told.name, told.title, told.fault, told.judged) == (
            "Lab", "The laboratory", "", True,
        )  # fmt: skip
        assert "secret" not in home.base.settings.read_text()
        kept = home.base.root / "archive-tokens.json"
        assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert Settings.load(home.base).archives == (f"Lab {lab.url}",)
        assert home.archives.remove("lab") == []
        assert "secret" not in kept.read_text()

    @pytest.mark.parametrize("name", ["", "here", "Here", "two words", "a:b", "x" * 41, "../a"])
    def test_names(self, home: Home, lab: ScriptedArchive, name: str) -> None:
        with pytest.raises(InklingError, match="no name for an archive"):
            home.archives.add(name, lab.url, "secret")

    @pytest.mark.parametrize("url", ["http://198.51.100.7", "http://198.51.100.7:8000/x"])
    def test_another_machine_is_never_asked_in_clear(self, home: Home, url: str) -> None:
        with pytest.raises(InklingError, match="in clear"):
            home.archives.add("Lab", url, "secret")

    @pytest.mark.parametrize("url", ["", "ftp://x", "https://u:p@host", "https://ho st", "x\n"])
    def test_what_is_no_address(self, home: Home, url: str) -> None:
        with pytest.raises(InklingError):
            home.archives.add("Lab", url, "secret")

    def test_a_wrong_token_is_said(self, home: Home, lab: ScriptedArchive) -> None:
        with pytest.raises(InklingError, match="refuses the token"):
            home.archives.add("Lab", lab.url, "wrong")
        with pytest.raises(InklingError, match="no token"):
            home.archives.add("Lab", lab.url, "two\nlines")
        assert home.settings.archives == ()

    def test_what_is_no_archive_is_not_kept(self, home: Home, lab: ScriptedArchive) -> None:
        for reply in (b"<html>", b"[]", b"{}", b"\xff"):
            lab.reply = lambda path, reply=reply: (200, reply, {})  # type: ignore[misc]
            with pytest.raises(InklingError, match="does not understand"):
                home.archives.add("Lab", lab.url, "secret")

    def test_a_policy_forbids_it(self, home: Home, lab: ScriptedArchive) -> None:
        home.archives.add("Lab", lab.url, "secret")
        home.policy.append(Policy(archives="/etc/inkling/policy.toml"))
        with pytest.raises(InklingError, match="No archive may be asked"):
            home.archives.add("Two", lab.url, "secret")
        asked = len(lab.requests)
        (told,) = home.ask()
        assert told.coverage.away == {"Lab": "forbidden"}
        assert len(lab.requests) == asked

    def test_a_token_does_not_follow_its_name_elsewhere(
        self, home: Home, lab: ScriptedArchive
    ) -> None:
        home.archives.add("Lab", lab.url, "secret")
        with serving() as other:
            home.settings.set("archives", (f"Lab {other.url}",))
            (told,) = home.archives.listed()
            assert told.fault == "token"
            assert "Authorization" not in other.requests[0][1]


class TestAsking:
    def test_hits_say_where_they_live(self, home: Home, lab: ScriptedArchive) -> None:
        home.archives.add("Lab", lab.url, "secret")
        *_, told = home.ask("in:work  archive:Lab words")
        assert [(hit.path, hit.archive) for hit in told.hits] == [
            ("/srv/lab/one.md", "Lab"), ("/here.md", ""),
        ]  # fmt: skip
        assert told.stage == "merged"
        assert not any(hit.features or hit.content for hit in told.hits)
        sent = lab.requests[-1][2]
        assert sent == {"query": "in:work words", "limit": 20, "plain": False, "raw": True}

    def test_filters_go_along(self, home: Home, lab: ScriptedArchive) -> None:
        home.archives.add("Lab", lab.url, "secret")
        filters = parse("kind:pdf archive:Lab").filters
        asked = home.archives.ask("a", 5, filters, ["b"], lambda name: True)
        assert asked is not None
        assert [len(some) for some in asked.arrivals(0.0)] == [1]
        assert lab.requests[-1][2]["filters"] == {"kinds": ["pdf"]}

    def test_a_later_one_comes_as_a_further_stage(self, home: Home, lab: ScriptedArchive) -> None:
        with serving() as slow:
            slow.found = answer("/srv/two.md")
            home.archives.add("Lab", lab.url, "secret")
            home.archives.add("Two", slow.url, "secret")
            slow.gate.clear()
            stages = home.ask()
            assert "/srv/lab/one.md" in paths(next(stages))
            assert slow.arrived.is_set()
            slow.gate.set()
            last = next(stages)
            assert {"/here.md", "/srv/lab/one.md", "/srv/two.md"} == set(paths(last))
            assert list(stages) == []

    def test_what_nobody_waits_for_is_ended(self, home: Home, lab: ScriptedArchive) -> None:
        home.archives.add("Lab", lab.url, "secret")
        lab.gate.clear()
        asked = home.archives.ask("a", 5, None, False, lambda name: True)
        assert asked is not None
        assert lab.arrived.wait(30)
        asked.close()
        until(lambda: all(future.cancelled() for future in asked._futures))

    def test_a_slow_one_is_named_and_the_rest_stands(
        self, hasty: Home, lab: ScriptedArchive
    ) -> None:
        hasty.archives.add("Lab", lab.url, "secret")
        lab.gate.clear()
        *_, told = hasty.ask()
        assert paths(told) == ["/here.md"]
        assert told.coverage.message == "The archive Lab did not answer in time."
        assert told.coverage.away == {"Lab": "slow"}

    @pytest.mark.parametrize(
        ("status", "body", "fault"),
        [
            (401, b"", "token"),
            (403, b"", "token"),
            (429, b"", "busy"),
            (500, b"", "strange"),
            (302, b"", "strange"),
            (200, b"<html>", "strange"),
            (200, b"[" * 100_000, "strange"),
            (200, b'{"hits": 3}', "strange"),
            (200, b'{"hits": [{"path": "/a", "score": NaN}]}', "strange"),
            (200, b'{"hits": [{"path": "/a", "mtime": 1e300}]}', "strange"),
            (
                200,
                b'{"hits": [{"path": "/a", "evidence": [{"type": "text", "start": 0, "end": 9}]}]}',
                "strange",
            ),
        ],
    )
    def test_nonsense_is_one_sentence(
        self, home: Home, lab: ScriptedArchive, status: int, body: bytes, fault: str
    ) -> None:
        home.archives.add("Lab", lab.url, "secret")
        where = {"Location": "http://127.0.0.1:1/v1/search"} if status == 302 else {}
        lab.reply = lambda path: (status, body, where)
        (told,) = home.ask()
        assert told.coverage.away == {"Lab": fault}
        assert "Lab" in told.coverage.message
        assert paths(told) == ["/here.md"]

    def test_one_that_is_down_is_not_asked_again_at_once(self, home: Home) -> None:
        with serving() as gone:
            home.archives.add("Lab", gone.url, "secret")
        (told,) = home.ask()
        assert told.coverage.away == {"Lab": "away"}
        assert home.archives.faults() == {"Lab": "away"}
        (again,) = home.ask()
        assert again.coverage.away == {"Lab": "away"}

    def test_text_by_way_of_the_archive(self, home: Home, lab: ScriptedArchive) -> None:
        home.archives.add("Lab", lab.url, "secret")
        assert home.archives.text("lab", {"path": b"/srv/a\xff.md", "page": None}) == "all of it"
        assert lab.requests[-1][0] == "/v1/text?path=%2Fsrv%2Fa%FF.md"
        with pytest.raises(InklingError, match="no archive"):
            home.archives.text("other", {})


class TestCertificates:
    def test_only_one_that_is_vouched_for(self, home: Home, tmp_path: Path) -> None:
        authority = _certificate(tmp_path)
        with serving((authority, f"{authority}.key")) as lab:
            with pytest.raises(InklingError, match="can't prove"):
                home.archives.add("Lab", lab.url, "secret")
            assert lab.requests == []
            (told,) = home.archives.add("Lab", lab.url, "secret", authority)
            assert (told.fault, told.authority) == ("", authority)
            *_, found = home.ask()
            assert "/srv/lab/one.md" in paths(found)
        with pytest.raises(InklingError, match="can't prove"):
            home.archives.add("Lab", lab.url, "secret", str(tmp_path / "none.pem"))


def _certificate(place: Path) -> str:
    """The path of one for this machine that signs itself; its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "lab")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = place / "lab.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    Path(f"{path}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(path)


def test_no_thread_without_archives(home: Home) -> None:
    before = threading.active_count()
    assert home.archives.ask("a", 5, None, False, lambda name: True) is None
    assert home.archives.listed() == []
    assert threading.active_count() == before
