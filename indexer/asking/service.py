"""Which language model is asked, whether it may be, and its answers: the port `Asking`."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import TYPE_CHECKING, Any

import anyio.to_thread
from msgspec import structs

from engine.asking.asking import Asking
from engine.contract.asking import Event, LanguageServer, Servers, Source, unconfirmed
from engine.contract.asking import Found as Answered
from engine.contract.errors import InklingError
from engine.contract.settings import Settings
from engine.contract.types import Notice
from indexer.asking.addresses import Address, here, read_address
from indexer.asking.counting import Counter
from indexer.asking.finding import Found, facts_of_one, listening, listens, look_at
from indexer.asking.how_to import how_to
from indexer.asking.policy import Policy, read_policy
from indexer.asking.programs import Facts
from indexer.asking.question import Question
from indexer.reading.extract.base import ExtractError

if TYPE_CHECKING:
    from indexer.asking.client import Client

log = logging.getLogger(__name__)

#: A key that a server asks for; it goes to the server that is named, and to no other.
KEY_VARIABLE = "INKLING_ASK_KEY"
#: Tokens that any model reads, where neither it nor its server says how many.
LEAST_CONTEXT = 4_096
#: Seconds for which a server's list of models holds.
_HOLDS_S = 600.0
#: Pixels of a page or picture as it is shown to a model: small print can be read, and it takes
#: about as many tokens as a page of text.
_PIXELS, _WIDTH = 1_000_000, 1_000
#: Seconds for a count of tokens.
_COUNT_S = 2.0


class LanguageModels:
    """Servers, and answers of their models; for one event loop."""

    def __init__(
        self,
        settings: Settings,
        confirm: Callable[[str], None],
        searching: Callable[[], Asking],
        draw: Callable[[str, int | None, int, int], bytes],
        missing: Callable[[], tuple[Notice, ...]] = tuple,
        *,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        """`confirm` keeps the host that was confirmed; `draw(path, page, width, pixels)` gives a
        page or picture, or raises; `missing` says why nothing can be found at all."""
        self._settings, self._confirm, self._environment = settings, confirm, environment
        self._searching, self._draw, self._missing = searching, draw, missing
        self._seen: dict[str, tuple[float, Found]] = {}
        self._first: Address | None = None  # of what was found, the one that is asked
        self._counters: dict[tuple[str, str], Counter] = {}
        self._blind = set[tuple[str, str]]()

    # What can be asked

    async def servers(self) -> Servers:
        """All servers that are found, looked at anew, and the one that is asked."""
        policy = read_policy(self._environment)
        try:
            policy.check()
        except InklingError as error:
            return Servers(forbidden_by=policy.asking, error=error.as_data())
        named = self._settings.ask_server.strip()
        (told, to_confirm), found = await asyncio.gather(self._named(policy), self._found())
        others = [one.told() for one in found if told is None or not _same(one.address, told)]
        listed = [told, *others] if told else others
        usable = [one for one in listed if one.error is None and (one.models or one is told)]
        server = "" if not usable or (named and usable[0] is not told) else usable[0].url
        self._first = next((one.address for one in found if one.address.url == server), None)
        models = usable[0].models if server else ()
        return Servers(
            servers=tuple(listed),
            server=server,
            model=(self._settings.ask_model or (models[0].id if models else "")) if server else "",
            to_confirm=to_confirm,
            forbidden_by=policy.other_machines,
            how_to=how_to(),
        )

    async def confirm(self, host: str) -> Servers:
        """Another machine may be asked from now on; InklingError unless its name was typed."""
        address = read_address(self._settings.ask_server or host)
        read_policy(self._environment).check_other(address.host)
        if host.strip().lower().rstrip(".") != address.host or not self._settings.ask_server:
            raise InklingError(
                "“{typed}” is not the machine that is named in the settings.",
                hint="Type {host}, exactly so.",
                told={"typed": host.strip(), "host": address.host},
            )
        await anyio.to_thread.run_sync(self._confirm, address.host)
        return await self.servers()

    async def _named(self, policy: Policy) -> tuple[LanguageServer | None, str]:
        """The server that the settings name, and the host that is to be confirmed first."""
        named = self._settings.ask_server.strip()
        if not named:
            return None, ""
        try:
            address = read_address(named)
        except InklingError as error:
            return LanguageServer(named, error=error.as_data()), ""
        local = bool(await anyio.to_thread.run_sync(here, address))
        confirmed = self._settings.ask_confirmed == address.host
        to_confirm = "" if local or confirmed or policy.other_machines else address.host
        try:
            self._check(address, policy, local=local)
            found = await self._look(address, local=local, fresh=True)
        except InklingError as error:
            return LanguageServer(address.url, local=local, error=error.as_data()), to_confirm
        return found.told(), ""

    async def _found(self) -> list[Found]:
        """What serves models on usual ports of this machine."""
        places = await listening()
        looked = await asyncio.gather(
            *(self._look(place, local=True, fresh=True) for place in places),
            return_exceptions=True,
        )
        return [one for one in looked if isinstance(one, Found)]

    async def _look(self, address: Address, *, local: bool, fresh: bool = False) -> Found:
        known = self._seen.get(address.url)
        if known is not None and not fresh and time.monotonic() - known[0] < _HOLDS_S:
            return known[1]
        self._seen.pop(address.url, None)
        found = await look_at(address, self._key(address), local=local)
        self._seen[address.url] = (time.monotonic(), found)
        return found

    def _key(self, address: Address) -> str:
        """The person's key, for the server that the person named."""
        try:
            named = read_address(self._settings.ask_server)
        except InklingError:
            return ""
        return self._environment.get(KEY_VARIABLE, "").strip() if named == address else ""

    def _check(self, address: Address, policy: Policy, *, local: bool) -> None:
        """InklingError where a server may not be asked."""
        if local:
            return
        policy.check_other(address.host)
        if self._settings.ask_confirmed != address.host:
            raise unconfirmed(address.host)

    # Asking

    async def answer(self, asked: Question) -> AsyncIterator[Event]:
        """The events of an answer; InklingError before the first. Closing it stops the model."""
        started = time.perf_counter()
        policy = read_policy(self._environment)
        policy.check()
        found = await self._chosen(asked, policy)
        # Loads the client library; `_chosen` has done so beside the loop.
        from indexer.asking.running import Target, answer

        model = self._model(found, asked.model)
        facts = await self._facts(found, model)
        place = (found.address.url, model)
        context = facts.context or LEAST_CONTEXT
        target = Target(
            found.address,
            found.local,
            model,
            self._key(found.address),
            context=min(context, self._settings.ask_tokens or context),
            longest=facts.context,
            sees=self._sees(facts, place),
            counter=self._counters.setdefault(place, Counter()),
            count=_counting(found, model),
            started=started,
            blind=lambda: self._blind.add(place),
        )
        searching = self._searching()
        events = answer(
            target,
            lambda room: searching.prepare(asked.query, asked.text, asked.turns, room),
            self._drawn,
        )
        try:
            async for event in events:
                if isinstance(event, Answered) and event.weak:
                    notices = (*self._missing(), *event.notices)
                    event = structs.replace(event, notices=notices)
                yield event
        finally:
            await events.aclose()  # type: ignore[attr-defined]

    async def _chosen(self, asked: Question, policy: Policy) -> Found:
        """The server that is asked, if it may be."""
        named = asked.server.strip() or self._settings.ask_server.strip()
        if named:
            address = read_address(named)
            local = bool(await anyio.to_thread.run_sync(here, address))
            self._check(address, policy, local=local)
            return await self._look(address, local=local)
        known = self._first
        for place in [known] if known is not None and await listens(known) else await listening():
            try:
                found = await self._look(place, local=True)
            except InklingError:
                continue  # something else listens there
            if found.told().models:
                self._first = place
                return found
        raise InklingError(
            "No server with a language model is found on this machine.",
            hint="How to get one is shown by `inkling ask --servers`.",
        )

    def _model(self, found: Found, asked: str) -> str:
        """Its name, which the server need not list: some load what they are asked for."""
        model = asked.strip() or self._settings.ask_model.strip()
        if not model:
            offered = found.told().models
            if not offered:
                raise InklingError(
                    "The server at {url} offers no language model.",
                    hint="Load one there, or name one in the settings.",
                    told={"url": found.address.url},
                )
            return offered[0].id
        return model

    async def _facts(self, found: Found, model: str) -> Facts:
        """What is known of the model; InklingError where it runs on another machine than the
        server. Asked with every question: what is loaded, and how much it reads, changes."""
        facts = found.models.get(model, Facts())
        if found.program.tell is not None:
            facts = await facts_of_one(found, model, self._key(found.address))
        if facts.away:
            raise InklingError(
                "The model {model} runs on {host}, not where its server is: it is not asked.",
                hint="Choose a model that the server itself runs.",
                told={"model": model, "host": facts.away},
            )
        return facts

    def _sees(self, facts: Facts, place: tuple[str, str]) -> bool:
        wanted = self._settings.ask_pictures
        if wanted == "never" or place in self._blind:
            return False
        return wanted == "always" or bool(facts.sees)

    def _drawn(self, source: Source) -> bytes | None:
        """A page or picture in the size a model takes; None where it can't be drawn or shown."""
        try:
            return self._draw(source.hit.path, source.hit.location.page, _WIDTH, _PIXELS)
        except (ExtractError, InklingError, OSError) as error:
            log.info("a picture goes as its words: %s", type(error).__name__)
            return None


async def servers_of(settings: Settings) -> Servers:
    """What can be asked by these settings, without an index."""

    def nothing(*_: Any) -> Any:
        raise AssertionError("nothing is asked here")

    return await LanguageModels(settings, nothing, nothing, nothing).servers()


def _same(address: Address, named: LanguageServer) -> bool:
    """Whether what was found on this machine is the server that is named, by whatever name."""
    try:
        return named.local and read_address(named.url).port == address.port
    except InklingError:
        return False


def _counting(found: Found, model: str) -> Callable[[Client, str], Any] | None:
    """Asks the server how many tokens a text has."""
    counting = found.program.counting
    if counting is None:
        return None

    import httpx2  # with the client library, by now

    async def count(client: Client, text: str) -> int | None:
        body = {"model": model, counting.text: text}
        try:
            answer = await asyncio.wait_for(
                client.http.post(found.address.origin + counting.path, json=body), _COUNT_S
            )
            return counting.count(answer.json()) if answer.status_code == 200 else None
        except (httpx2.HTTPError, TimeoutError, ValueError, LookupError, TypeError):
            return None  # then it is estimated

    return count
