"""What a picture is: screenshot, diagram, photo or scan, told by cheap statistics."""

from __future__ import annotations

import numpy as np
from PIL import Image

from engine.types import PictureClass


def classify(image: Image.Image, *, camera: bool, text_lines: int) -> PictureClass:
    """The class of an RGB picture; `camera` says that EXIF names one."""
    small = image.copy()
    small.thumbnail((256, 256), Image.Resampling.NEAREST)
    colours = np.asarray(small).reshape(-1, 3)
    unique = len(np.unique(colours, axis=0)) / max(1, len(colours))
    if camera or unique > 0.5:
        return "scan" if text_lines > 20 and camera else "photo"
    return "screenshot" if text_lines > 3 else "diagram"
