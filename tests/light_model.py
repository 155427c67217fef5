"""The model that encodes three times as fast as the default, for tests where any would do."""

from __future__ import annotations

from engine.contract.paths import BaseDir
from engine.contract.settings import Settings

LIGHT_MODEL = "minilm"


def light(base: BaseDir) -> BaseDir:
    """The same, set to it."""
    settings = Settings.load(base)
    settings.model = LIGHT_MODEL
    settings.save()
    return base
