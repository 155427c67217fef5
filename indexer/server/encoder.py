"""The encoder on another machine: naming it, confirming it, what it serves, leaving it."""

from __future__ import annotations

from typing import Any

from engine.contract.errors import InklingError
from engine.encoders.elsewhere import AwayError
from engine.models.files import weights_here
from engine.models.registry import MODELS, ModelSpec
from engine.models.served import as_served, forget_served, note_served
from indexer.asking.addresses import here, read_address
from indexer.encoder_service.elsewhere import Encoders
from indexer.indexing.index import Index
from indexer.server.settings import SettingsOwner


class EncoderPort:
    """The port `Encoder`; for any thread."""

    def __init__(self, index: Index, encoders: Encoders, settings: SettingsOwner) -> None:
        self._index, self._encoders, self._settings = index, encoders, settings

    def told(self) -> dict[str, Any]:
        """What is named, how it goes, and where encoding happens at what rate."""
        return self._index.engine.encoding()

    def use(self, address: str, token: str, authority: str, model: str) -> dict[str, Any]:
        """Name one; it is asked at once where it may be."""
        read = read_address(address)
        if not here(read):
            self._encoders.check_policy(read)
            if read.scheme != "https":
                raise InklingError(
                    "Nothing is sent to {host} unencrypted.",
                    hint="Name it by https://, and start the service there with --cert and --key.",
                    told={"host": read.host},
                )
        before = self._encoders.kept.of(read)
        self._encoders.kept.keep(read, token.strip() or before[0], authority or before[1])
        self._settings.change({"encoder_address": read.origin, "encoder_model": model.strip()})
        return self.told() if self._encoders.named().to_confirm else self.test()

    def confirm(self, host: str) -> dict[str, Any]:
        """Another machine may encode from now on; InklingError unless its name was typed."""
        named = self._encoders.named()
        if named.address is None or named.local:
            raise InklingError("No encoder on another machine is named.")
        self._encoders.check_policy(named.address)
        if host.strip().lower().rstrip(".") != named.address.host:
            raise InklingError(
                "“{typed}” is not the machine that is named.",
                hint="Type {host}, exactly so.",
                told={"typed": host.strip(), "host": named.address.host},
            )
        self._settings.confirm(named.address.host, "encoder_address")
        return self.test()

    def test(self) -> dict[str, Any]:
        """Ask it what it serves: `serves`, or why not in `error`. What it tells of a model whose
        weights are not here is kept: the model can be used by it."""
        named = self._encoders.named()
        try:
            about = self._encoders.way(named).about()
        except AwayError as error:
            return {**self.told(), "serves": None, "error": error.as_data()}
        spec = None if named.model else self._note(about)
        serves = {
            "model": spec.id if spec else str(about.get("model", ""))[:200],
            "title": spec.title if spec else str(about.get("model", ""))[:200],
            "version": str(about.get("version", ""))[:50],
            "device": str(about.get("device", ""))[:50],
            "state": str(about.get("state", ""))[:50],
            "usable": spec is not None or bool(named.model),
        }
        return {**self.told(), "serves": serves}

    def _note(self, about: dict[str, Any]) -> ModelSpec | None:
        """The model that is served, if it is one of ours; its sizes are kept where the weights are
        not here, unless an index was built with others."""
        spec = MODELS.get(str(about.get("model", "")))
        if spec is None:
            return None
        try:
            found = as_served(spec, about)
        except ValueError:
            return None
        used = {self._index.engine.spec.id, self._index.settings.model}
        sees = self._index.seeing.model
        used |= {self._index.settings.sight_model, "" if sees is None else sees.spec.id}
        if spec.download_bytes and not weights_here(spec, self._index.base) and spec.id not in used:
            note_served(found, self._index.base)
        return found

    def leave(self) -> dict[str, Any]:
        """Encode on this machine alone. What is known of models in use stays: their space has its
        name by it."""
        self._settings.change({"encoder_address": "", "encoder_model": ""})
        self._encoders.kept.forget()
        settings, sees = self._index.settings, self._index.seeing.model
        kept = {self._index.engine.spec.id, settings.model, settings.sight_model}
        forget_served(self._index.base, kept | ({sees.spec.id} if sees else set()))
        return self.told()
