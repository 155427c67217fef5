"""Where units live: rows and vectors in LanceDB with arrays beside it for look-ups, token
multi-vectors in segment files."""

from engine.store import lean_import  # noqa: F401 (has to come before lancedb)
from engine.store.condition import ANYTHING, Condition
from engine.store.looks import Looks
from engine.store.picture_space import PictureSpace
from engine.store.protocol import UnitStore
from engine.store.rows import Candidate, Reword, Row, StoredUnit
from engine.store.sightings import Sighting, Sightings, sight_space, sight_spaces
from engine.store.spaces import drop_space, list_spaces, set_space_aside, space_dim, table_name
from engine.store.table import Store
from engine.store.text_matches import TextMatches

__all__ = [
    "ANYTHING",
    "Candidate",
    "Condition",
    "Looks",
    "PictureSpace",
    "Reword",
    "Row",
    "Sighting",
    "Sightings",
    "Store",
    "StoredUnit",
    "TextMatches",
    "UnitStore",
    "drop_space",
    "list_spaces",
    "set_space_aside",
    "sight_space",
    "sight_spaces",
    "space_dim",
    "table_name",
]
