"""GNOME Shell's overview: `org.gnome.Shell.SearchProvider2`."""

from __future__ import annotations

from typing import Annotated

from dbus_fast import Variant
from dbus_fast.annotations import DBusSignature, DBusStr, DBusUInt32
from dbus_fast.service import ServiceInterface, dbus_method

from desktop.presentation.paths import printable
from desktop.provider import acting
from desktop.provider.answers import Answers
from desktop.provider.described import described, pixels
from desktop.provider.result_id import hit_of
from engine.contract.types import Hit

INTERFACE = "org.gnome.Shell.SearchProvider2"
Strings = Annotated[list[str], DBusSignature("as")]
Metas = Annotated[list[dict[str, Variant]], DBusSignature("aa{sv}")]
#: As such a method says that it gives nothing back.
Nothing = Annotated[None, DBusSignature("")]


class GnomeSearch(ServiceInterface):
    """Answers the overview; each method is a call that the shell makes."""

    def __init__(self, answers: Answers) -> None:
        super().__init__(INTERFACE)
        self._answers = answers

    @dbus_method()
    async def GetInitialResultSet(self, terms: Strings) -> Strings:
        return await self._answers.find(" ".join(terms))

    @dbus_method()
    async def GetSubsearchResultSet(self, previous_results: Strings, terms: Strings) -> Strings:
        # Asked anew: what answers "red boat" need not be among what answers "red".
        return await self._answers.find(" ".join(terms))

    @dbus_method()
    async def GetResultMetas(self, identifiers: Strings) -> Metas:
        known = [(one, self._answers.hit(one) or hit_of(one)) for one in identifiers]
        hits = [(one, hit) for one, hit in known if hit is not None]
        pictures = await self._answers.thumbnails([hit for _, hit in hits])
        return [_meta(one, hit, pictures.get(hit.path)) for one, hit in hits]

    @dbus_method()
    def ActivateResult(self, identifier: DBusStr, terms: Strings, timestamp: DBusUInt32) -> Nothing:
        hit = self._answers.hit(identifier) or hit_of(identifier)
        if hit is not None:
            acting.open_hit(self._answers.base, hit)

    @dbus_method()
    def LaunchSearch(self, terms: Strings, timestamp: DBusUInt32) -> Nothing:
        acting.ask_in_window(self._answers.base, " ".join(terms))


def _meta(identifier: str, hit: Hit, picture: bytes | None) -> dict[str, Variant]:
    said = described(hit)
    meta = {
        "id": Variant("s", identifier),
        "name": Variant("s", said.name),
        "description": Variant("s", said.description),
        "clipboardText": Variant("s", printable(hit.path)),
    }
    drawn = None if picture is None else pixels(picture)
    if drawn is not None:
        return {**meta, "icon-data": Variant("(iiibiiay)", list(drawn))}
    # As `g_icon_to_string` writes an icon of the theme with its fallbacks.
    return {**meta, "gicon": Variant("s", ". GThemedIcon " + " ".join(said.icons))}
