"""Archives for tests: texts encoded once by the real model, under other names and rights each."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from engine.archive import About, Archive, ArchivedFile, Changes, file_id
from engine.contract.paths import BaseDir
from engine.contract.types import FileFacts, Unit
from engine.encoders.pool import EncoderPool
from engine.engine import Engine
from engine.models.registry import model_spec
from engine.served import QdrantStore
from engine.store import StoredUnit
from indexer.team.accounts import Tokens
from indexer.team.app import Guard, make_app
from indexer.team.asker import Account, principals_of
from indexer.team.audit import AuditLog
from indexer.team.following import Follower
from indexer.team.library import ArchiveLibrary
from indexer.team.limiting import Limiter, Limits
from indexer.team.names import Names
from indexer.team.search import ArchiveSearch
from indexer.team.views import Views

MODEL = "minilm"
SPEC = model_spec(MODEL)
TEXTS = (
    "The budget of the library was cut by a third in spring.",
    "Our meeting about the budget moved to Tuesday; bring the draft.",
    "Invoice 2041 for the repair of the harbour crane, payable in May.",
    "The crane in the harbour lifts forty tonnes of steel.",
    "A travel report from Berlin: museums, rain and good bread.",
    "How to bake sourdough bread: flour, water, salt and time.",
    "The quarterly report says that sales rose in the south.",
    "Quarterly figures, second draft, not to be passed on.",
    "Contract with the bakery for bread and rolls.",
    "The deposit of the flat is paid back after the move.",
    "Password rules for guests of the museum's network.",
    "Salaries of the department for the coming year.",
)
WORDS = (
    "budget", "report", "invoice", "draft", "meeting", "notes", "berlin", "bread", "crane",
    "summary", "quarterly", "2041", "Reports", "harbour",
)  # fmt: skip
QUESTIONS = (
    "budget meeting", "quartrly report", "crane harbour", "how to bake bread", "invoice 2041",
    "\"quarterly report\"", "draft -meeting", "kind:note report", "in:notes budget",
    "name:*report*", "salaries", "what was paid back", "budgt", "museum OR harbour", "",
)  # fmt: skip
NAMES = ("user:mara", "user:tom", "group:finance", "group:museum", "everyone", "uid:1000")


@cache
def _base() -> BaseDir:
    return BaseDir(Path(tempfile.mkdtemp(prefix="inkling-team-"))).create()


@cache
def encoded() -> tuple[StoredUnit, ...]:
    """Each text as the model's unit of a file of its own."""
    engine = Engine(_base(), model_spec(MODEL), lambda words, limit, filters: [])
    try:
        return tuple(
            engine.encode(
                [
                    (_facts(number, f"/{number}.txt"), Unit(number, 0, "note", text))
                    for number, text in enumerate(TEXTS, start=1)
                ]
            )
        )
    finally:
        engine.close()


def _facts(number: int, path: str, kind: str = "note") -> FileFacts:
    ext = path.rpartition(".")[2]
    return FileFacts(number, path, kind, None, ext, 1.7e9 + number % 9973, 100 + number % 89)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Given:
    """A file with its units, under no archive's number yet."""

    path: str
    kind: str
    texts: tuple[int, ...]
    rights: frozenset[str]
    state: str = "done"

    def of(self, archive: str) -> tuple[ArchivedFile, list[StoredUnit]]:
        """As an archive takes it."""
        number = file_id(archive, self.path)
        facts = _facts(number, self.path, self.kind)
        chosen = self.texts if self.state == "done" else ()
        units = [
            replace(
                encoded()[text],
                unit=replace(
                    encoded()[text].unit,
                    file_id=number,
                    ordinal=place,
                    kind=self.kind,
                    language="en",
                ),
                file=facts,
            )
            for place, text in enumerate(chosen)
        ]
        content = "-".join(map(str, chosen)) if chosen else ""
        reason = "" if self.state == "done" else "secret-name"
        file = ArchivedFile(
            facts,
            content,
            self.rights,
            self.state,
            reason,
            units=len(units),
            text_hash=content,  # type: ignore[arg-type]
        )
        return file, units


def drawn(random_: random.Random, most: int = 14) -> list[Given]:
    """Files as chance has them."""
    files: dict[str, Given] = {}
    for number in range(random_.randint(1, most)):
        name = " ".join(random_.sample(WORDS, random_.randint(1, 3)))
        kind, ext = random_.choice((("note", "txt"), ("note", "md"), ("pdf", "pdf")))
        folder = f"/share/{random_.choice(WORDS)}/{random_.choice(('notes', 'old'))}"
        path = f"{folder}/{name} {number % 3}.{ext}"
        texts = tuple(random_.sample(range(len(TEXTS)), random_.randint(1, 3)))
        rights = frozenset(random_.sample(NAMES, random_.randint(1, 2)))
        state = "withheld" if random_.random() < 0.1 else "done"
        files[path] = Given(path, kind, texts, rights, state)
    return list(files.values())


def made(folder: Path, files: Sequence[Given], archive: str = "") -> Archive:
    """An archive that holds them."""
    opened = Archive.create(folder, "team", model_spec(MODEL))
    opened.put([file.of(archive or opened.about.archive_id) for file in files])
    return opened


class Held:
    """What an archive tells whoever follows it, of files in memory: how it keeps them has tests of
    its own."""

    def __init__(self, archive: str, files: Sequence[Given]) -> None:
        self.about = About(archive, "team", 1, MODEL, SPEC.space, SPEC.dim, SPEC.token_dim, 0.0, {})
        self.commit = 1
        made = [file.of(archive) for file in files]
        self._files = tuple(file for file, _ in made)
        self._units = {file.file_id: units for file, units in made}

    def changes(self, after: int, limit: int | None = None) -> Changes:
        """All files are of the first commit."""
        return Changes(1, () if after else self._files)

    def units(self, file_ids: Sequence[int]) -> list[StoredUnit]:
        """Of these files."""
        return [unit for file_id in file_ids for unit in self._units[file_id]]


class Running:
    """A service over files, in the process: its real names, points, search and API."""

    def __init__(
        self, folder: Path, files: Sequence[Given], tokens: Tokens, archive: str = "a team's"
    ) -> None:
        held = Held(archive, files)
        folder.mkdir(parents=True, exist_ok=True)
        self.names = Names(folder / "names.sqlite", archive)
        self.points = QdrantStore.open(folder / "points", held.about)
        self.follower = Follower(held, self.names, self.points, folder / "thumbs")
        while self.follower.step():
            pass
        self.views = Views(self.names, self.points, encoder(), SPEC)
        self.log = folder / "audit.jsonl"
        self._audit = AuditLog(self.log)
        self.guard = Guard(tokens, Limiter(Limits(1_000_000, 8)), self._audit)
        self.app = make_app(
            ArchiveSearch(self.views, self.follower.away),
            ArchiveLibrary(self.views, held.about, SPEC, folder / "thumbs", self.follower.health),
            lambda: (held.about, self.names.commit),
            self.guard,
            lambda error: None,
            dict,
        )
        self.client = TestClient(self.app)

    def close(self) -> None:
        """Let go of it."""
        self.client.close()
        self.views.close()
        self._audit.close()
        self.points.close()
        self.names.close()


class Known:
    """Accounts by name: the token is the name."""

    def __init__(self, accounts: Mapping[str, Sequence[str]]) -> None:
        self._accounts = {
            name: Account(name, principals_of(name, groups)) for name, groups in accounts.items()
        }

    def of(self, token: str) -> Account | None:
        """Whose a token is."""
        return self._accounts.get(token)

    def problem(self) -> str:
        """None."""
        return ""


@cache
def encoder() -> EncoderPool:
    """The real encoder of questions, in this process; each question is encoded once."""
    return _Remembers(EncoderPool(SPEC, _base()))  # type: ignore[return-value]


class _Remembers:
    """An encoder that gives again what it gave."""

    fast = False

    def __init__(self, real: EncoderPool) -> None:
        self._real = real
        self._known: dict[tuple[object, ...], Any] = {}

    def encode_queries_by_adapter(self, queries: Sequence[str], adapters: Sequence[str]) -> Any:
        key = (*queries, "|", *adapters)
        if key not in self._known:
            self._known[key] = self._real.encode_queries_by_adapter(queries, adapters)  # type: ignore[arg-type]
        return self._known[key]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)
