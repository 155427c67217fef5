"""What the routes and agents may ask of the indexer: one narrow protocol for each concern."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from engine.contract.archives import ArchiveTold
from engine.contract.asking import Event, Servers
from engine.contract.errors import InklingError
from engine.contract.judgements import Judgement, Judgements
from engine.contract.types import Answer, Filters, Query
from engine.models.registry import Role
from indexer.asking.question import Question


class Search(Protocol):
    """Asking the index. Every method may raise InklingError."""

    def search(
        self,
        text: str,
        *,
        image: str | None = None,
        limit: int = 20,
        filters: Filters | None = None,
        plain: bool | Sequence[str] = False,
        raw: bool = False,
        elsewhere: bool = False,
    ) -> Iterator[Answer]:
        """The stages of an answer, each replacing the one before. `plain`: words that are no
        filter, as `Reading.words` has them, or True for all. `raw`: the last with what its hits
        were ranked by, for whoever joins it with another index's. `elsewhere`: archives are asked,
        too; what they have comes in further stages, `merged`."""

    def query(
        self,
        text: str,
        *,
        image: str | None = None,
        filters: Filters | None = None,
        plain: bool | Sequence[str] = False,
    ) -> Query:
        """The same question as the engine takes it."""

    def similar(self, path: str, limit: int = 20) -> Answer:
        """Files like an indexed one."""

    def explain(
        self, path: str, query: str | None = None, image: str | None = None
    ) -> dict[str, Any]:
        """Why a file is, or is not, in the index and among the answers to a query."""


class Reading(Protocol):
    """What is known of the files. Every method may raise InklingError."""

    def status(self) -> dict[str, Any]:
        """What the front ends show of all this; see the API."""

    def problems(
        self, reason: str | None, state: str | None, rule: str | None, limit: int
    ) -> dict[str, Any]:
        """Files that are not indexed, or not all of them, with their reasons, and how many there
        are of each; what rules leave out."""

    def recent(self, limit: int) -> list[dict[str, Any]]:
        """The newest files in the index."""

    def values(self) -> dict[str, dict[str, int]]:
        """By the word of a filter what the index holds of it, and how many files."""

    def thumbnail(self, path: str, page: int | None) -> Path | None:
        """The thumbnail of an indexed file or its page, WebP; None if there is none."""

    def text(self, path: str, page: int | None = None, lines: tuple[int, int] | None = None) -> str:
        """A file's text as the index has it: all, one page, or the passages of some lines."""


class Library(Reading, Protocol):
    """Watched folders and the files in them. Every method may raise InklingError."""

    def add_folders(self, paths: Sequence[str]) -> list[str]:
        """Watch folders; the watched ones that cover them."""

    def remove_folders(self, paths: Sequence[str]) -> int:
        """Forget folders with all that is stored of them; the number of files forgotten."""

    def estimate(self, paths: Sequence[str]) -> dict[str, Any]:
        """What watching these folders would cost."""

    def retry(self, paths: Sequence[str] | None) -> int:
        """Try failed files again: these, or all whose reason allows it; how many."""

    def allow(self, paths: Sequence[str]) -> int:
        """Index these withheld files after all; how many."""

    def render(self, path: str, page: int | None, width: int) -> bytes:
        """A page or picture as PNG, `width` pixels wide; ExtractError if it can't be drawn."""


class Archives(Protocol):
    """Other indexes that the person added. Every method may raise InklingError."""

    def listed(self) -> list[ArchiveTold]:
        """All of them, looked at anew."""

    def add(self, name: str, url: str, token: str, authority: str = "") -> list[ArchiveTold]:
        """Ask one from now on."""

    def remove(self, name: str) -> list[ArchiveTold]:
        """Forget one and its token."""

    def text(self, name: str, only: Mapping[str, Any]) -> str:
        """A file's text as an archive has it; `only` as `/v1/text` is asked."""

    def picture(self, name: str, target: str, only: Mapping[str, Any]) -> bytes:
        """A thumbnail, or a page drawn."""


class Models(Protocol):
    """Models and their weights; each call answers the overview. May raise InklingError."""

    def overview(self) -> dict[str, Any]:
        """Every model, the one that answers, and the one that is to take its place."""

    def recognise(self, folder: Path) -> str:
        """The id of the model whose weights a folder holds."""

    def use(
        self, model: str, *, licence_accepted: bool, download: bool, role: Role = "text"
    ) -> dict[str, Any]:
        """Have this model wanted in a role from now on, after its weights are here; "" leaves the
        role of sight to the model that reads."""

    def download(self, model: str, *, licence_accepted: bool) -> dict[str, Any]:
        """Begin to fetch its weights, or go on."""

    def pause(self, model: str) -> dict[str, Any]:
        """Stop its download; what is here is kept."""

    def add(self, folder: Path, model: str | None, *, licence_accepted: bool) -> dict[str, Any]:
        """Use the weights in a folder, where they are."""

    def remove(self, model: str) -> dict[str, Any]:
        """Delete its weights and its index."""


class Asking(Protocol):
    """Answers in sentences, by a language model that the person runs. Every method may raise
    InklingError."""

    async def servers(self) -> Servers:
        """What can be asked, looked at anew."""

    async def confirm(self, host: str) -> Servers:
        """The person has typed the name of another machine that may be asked."""

    def answer(self, asked: Question) -> AsyncIterator[Event]:
        """The events of an answer; closing it stops the model."""


class Encoder(Protocol):
    """The encoder on another machine. Every method may raise InklingError."""

    def told(self) -> dict[str, Any]:
        """What is named, how it goes, and where encoding happens at what rate."""

    def use(self, address: str, token: str, authority: str, model: str) -> dict[str, Any]:
        """Name one, with its token and certificates; asked at once where it may be."""

    def confirm(self, host: str) -> dict[str, Any]:
        """The person has typed the name of the machine that may encode."""

    def test(self) -> dict[str, Any]:
        """Ask it what it serves."""

    def leave(self) -> dict[str, Any]:
        """Encode on this machine alone."""


class Judging(Protocol):
    """A person's own judged questions. Every method may raise InklingError."""

    judgements: Judgements

    def judge(self, said: Judgement, *, take_back: bool = False) -> int:
        """Keep what is said of an answer, or forget it; how many judgements there are."""

    def evaluate(self, given: Sequence[Judgement] = (), *, fit: bool = False) -> dict[str, Any]:
        """How well each model whose index is whole answers these, or all that were judged."""

    def use_shipped(self) -> bool:
        """Rank as Inkling comes; whether another ranker did."""


class SettingsPort(Protocol):
    """The settings, which the indexer alone writes."""

    def told(self) -> dict[str, Any]:
        """All `values` by key, and the `revision` that grows with every change."""

    def change(self, values: Mapping[str, object]) -> list[str]:
        """Check, save and follow new values, all or none; the keys that need a restart."""


class Control(Protocol):
    """The process itself: pausing, going on, ending."""

    def state(self) -> str:
        """scanning, indexing, idle or paused."""

    def pause(self, seconds: float | None = None) -> None:
        """Stop indexing for a while, or until `resume`; search goes on."""

    def resume(self) -> None:
        """Index again."""

    def stop(self) -> None:
        """End the process, in order and soon."""

    def damaged(self, error: InklingError) -> None:
        """A route met what can't be read any more: have it mended."""


@dataclass(frozen=True, slots=True)
class Ports:
    """All of them, for the application to hand out one by one."""

    search: Search
    library: Library
    models: Models
    asking: Asking
    encoder: Encoder
    judging: Judging
    archives: Archives
    settings: SettingsPort
    control: Control
