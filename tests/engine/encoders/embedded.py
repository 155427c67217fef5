"""The embedded model that is not the default: what tests go over to where any other model will do.

It is there at once, and its worker is awake in half a second of processor time; one that needs
torch and transformers takes ten.
"""

from __future__ import annotations

from engine.contract.settings import DEFAULT_MODEL
from engine.models.registry import MODELS

(OTHER_MODEL,) = (s.id for s in MODELS.values() if s.awake and s.id != DEFAULT_MODEL)
