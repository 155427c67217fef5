"""Import LanceDB without its client for remote catalogues: half of the indexer's start.

LanceDB's name space package pulls in a generated REST client, whose nine interface modules build
hundreds of validators when imported: 1.5 of the 3.1 s of processor time that importing LanceDB took
on a busy machine. An embedded store never speaks to a catalogue. Only that package's own
`__init__` is left out; the types beside it, which LanceDB names in its signatures, are real.
"""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

_CLIENT = "lance_namespace_urllib3_client"


def leave_out_the_client() -> None:
    """Has to come before LanceDB is imported; where it came already, nothing is changed."""
    spec = importlib.util.find_spec(_CLIENT) if _CLIENT not in sys.modules else None
    if spec is None or not spec.submodule_search_locations:
        return  # another LanceDB, which has no use for it
    package = ModuleType(_CLIENT)
    package.__spec__ = spec
    package.__path__ = list(spec.submodule_search_locations)
    sys.modules[_CLIENT] = package


leave_out_the_client()
