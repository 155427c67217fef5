"""The lanes of a search, one row each: a new lane is a module here and a row in this table.

Rows stand in the order in which candidates are joined and a hit's lanes are named.
"""

from engine.search.lanes.dense import Dense
from engine.search.lanes.lane import Lane
from engine.search.lanes.late import Late
from engine.search.lanes.names import Names
from engine.search.lanes.seen import Seen
from engine.search.lanes.sight import Sight
from engine.search.lanes.words import Words

#: By the name that hits, explanations and scripts know them by.
LANES: dict[str, Lane] = {
    "name": Names(),
    "text": Words(),
    "dense": Dense(),
    "sight": Sight(),
    "seen": Seen(),
    "late": Late(),
}

__all__ = ["LANES", "Lane"]
