"""KRunner, Plasma's search: `org.kde.krunner1`."""

from __future__ import annotations

from typing import Annotated, Any

from dbus_fast import Variant
from dbus_fast.annotations import DBusDict, DBusSignature, DBusStr
from dbus_fast.service import ServiceInterface, dbus_method

from desktop import strings as s
from desktop.provider import acting
from desktop.provider.answers import LEAST_LETTERS, Answers
from desktop.provider.described import described
from desktop.provider.result_id import address, hit_of
from desktop.wording.language import tr
from engine.contract.types import Hit
from engine.contract.version import APPLICATION_ID

INTERFACE = "org.kde.krunner1"
Matches = Annotated[list[list[Any]], DBusSignature("a(sssida{sv})")]
Actions = Annotated[list[list[str]], DBusSignature("a(sss)")]

#: Id, title and icon of what can be done beside opening.
_ACTIONS = [["window", tr("Show in Inkling"), APPLICATION_ID]]
_POSSIBLE = 30  # a possible match: programs and settings of that name stand before it
#: Relevances 0..1 that KRunner orders by, from the first result down.
_FIRST, _STEP = 0.7, 0.02
#: As such a method says that it gives nothing back.
Nothing = Annotated[None, DBusSignature("")]


class KRunnerSearch(ServiceInterface):
    """Answers KRunner; each method is a call that it makes."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(INTERFACE)
        self._answers = answers
        self._asked = ""
        self._token = ""

    @dbus_method()
    async def Match(self, query: DBusStr) -> Matches:
        self._asked = query
        found = await self._answers.find(query)
        hits = [(one, hit) for one in found if (hit := self._answers.hit(one)) is not None]
        return [_match(one, hit, place) for place, (one, hit) in enumerate(hits)]

    @dbus_method()
    def Actions(self) -> Actions:
        return _ACTIONS

    @dbus_method()
    def Run(self, matchId: DBusStr, actionId: DBusStr) -> Nothing:
        token, self._token = self._token, ""
        hit = self._answers.hit(matchId) or hit_of(matchId)
        if actionId == "window":
            acting.ask_in_window(self._answers.base, self._asked, token)
        elif hit is not None:
            acting.open_hit(self._answers.base, hit, token)

    @dbus_method()
    def SetActivationToken(self, token: DBusStr) -> Nothing:
        self._token = token  # of the next `Run`

    @dbus_method()
    def Config(self) -> DBusDict:
        return {"MinLetterCount": Variant("i", LEAST_LETTERS)}

    @dbus_method()
    def Teardown(self) -> Nothing:
        """A search is over: nothing is kept for it that another would not need."""


def _match(identifier: str, hit: Hit, place: int) -> list[Any]:
    said = described(hit)
    properties = {
        "subtext": Variant("s", said.description),
        "urls": Variant("as", [address(hit.path)]),
        "category": Variant("s", s.APP),
    }
    relevance = _FIRST - _STEP * place
    return [identifier, said.name, said.icons[0], _POSSIBLE, relevance, properties]
