"""How a picture looks, without what stands in it."""

from __future__ import annotations

from pathlib import Path

from engine.encoders.image_onnx.look import look_at, packed
from indexer.reading.extract.render import drawn

#: Enough of a drawing: the network looks at fewer pixels.
_WIDTH = 1_000


def look_of(path: Path) -> bytes:
    """Of the first frame or page; ExtractError, and InklingError where no picture can be looked
    at."""
    image, _ = drawn(path, 1, _WIDTH)
    return packed(look_at(image))
