"""Optical character recognition: the text of a picture with the place of every word.

PP-OCRv6 as it comes with RapidOCR, driven by our own loop. Against RapidOCR's defaults
(measured by tests/benchmarks/ocr.py): no upscaling of small pictures to 736 px beyond 1.5 times,
crops batched by width and padded to 96 px instead of 320, the 18,710-way softmax only where a
character stands, allocation kept between runs, no angle classifier.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Box, WordBox
from indexer.reading.extract.reading_order import in_reading_order

MIN_SCORE = 0.5
DETECT_SIDE = 736  # the short side detection would like to have …
DETECT_UPSCALE = 1.5  # … but more than this costs time and finds nothing new
DETECT_MAX_SIDE = 2000
SLICE = 1600  # pixels of the long side of very long pictures that are looked at together
OVERLAP = 128  # more than any line is high
LINE_HEIGHT = 48  # what the recogniser was trained on
MIN_WIDTH, MAX_WIDTH = 96, 3840
BATCH_WIDTH = 800  # summed widths of a batch; larger ones fall out of the cache
DOUBTFUL = 0.8  # median score of the lines below which the page may be upside down; usual is 0.95
LARGE_INPUT = 1_200_000  # pixels of a detection after which memory is given back

#: A word, or one character of a script without spaces.
WORD = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿]|[^\s぀-ヿ㐀-䶿一-鿿豈-﫿]+")

Image = NDArray[np.uint8]
Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Line:
    """One recognised line; boxes are in fractions of the picture."""

    text: str
    box: Box
    score: float
    centres: tuple[float, ...]  # of each character, fraction of the line's length
    vertical: bool = False


_Found = tuple[str, float, tuple[float, ...]]  # text, score, centre of each character

_lock = threading.Lock()
_reader: _Reader | None = None


def read(pixels: Image) -> list[Line]:
    """The lines of a picture [h, w, 3] (uint8, RGB) in reading order."""
    global _reader
    with _lock:
        if _reader is None:
            _reader = _Reader()
        return _reader.read(np.ascontiguousarray(pixels[:, :, ::-1]))


def as_text(lines: Sequence[Line]) -> tuple[str, list[WordBox]]:
    """The lines joined by newlines, and a box for each word. Without those of signs alone: to OCR
    a ball is a “●”."""
    lines = [line for line in lines if any(c.isalnum() for c in line.text)]
    words: list[WordBox] = []
    start = 0
    for line in lines:
        for match in WORD.finditer(line.text):
            box = _part_of(line, match.start(), match.end())
            words.append(WordBox(start + match.start(), start + match.end(), box))
        start += len(line.text) + 1
    return "\n".join(line.text for line in lines), words


def _part_of(line: Line, start: int, end: int) -> Box:
    """The box of some characters of a line, cut halfway between neighbouring characters."""
    at = line.centres
    turned = len(at) > 1 and at[0] > at[-1]
    low = float(turned) if start == 0 else (at[start - 1] + at[start]) / 2
    high = float(not turned) if end >= len(at) else (at[end - 1] + at[end]) / 2
    low, high = min(low, high), max(low, high)
    x0, y0, x1, y1 = line.box
    if line.vertical:
        return (x0, y0 + low * (y1 - y0), x1, y0 + high * (y1 - y0))
    return (x0 + low * (x1 - x0), y0, x0 + high * (x1 - x0), y1)


class _Reader:
    """The two sessions and what stands between them; one per process, not thread-safe."""

    def __init__(self) -> None:
        import rapidocr
        from rapidocr.ch_ppocr_det.utils import DBPostProcess

        models = Path(rapidocr.__file__).parent / "models"
        self._detector = _session((models / "PP-OCRv6_det_small.onnx").read_bytes())
        body, self._weights, self._bias, characters = _without_head(
            models / "PP-OCRv6_rec_small.onnx"
        )
        self._recogniser = _session(body)
        self._characters = ["", *characters.splitlines(), " "]
        self._boxes = DBPostProcess(thresh=0.3, box_thresh=0.5, unclip_ratio=1.6, use_dilation=True)

    def read(self, bgr: Image) -> list[Line]:
        quads = self._detect(bgr)
        if not quads:
            return []
        crops = [_crop(bgr, quad) for quad in quads]
        found = self._recognise(crops)
        if len(found) >= 3 and median(line[1] for line in found) < DOUBTFUL:
            turned = self._recognise([np.ascontiguousarray(crop[::-1, ::-1]) for crop in crops])
            if sum(line[1] for line in turned) > sum(line[1] for line in found):
                return self._lines(bgr, quads, turned, turned=True)[::-1]
        return self._lines(bgr, quads, found, turned=False)

    def _lines(
        self, bgr: Image, quads: list[Floats], found: list[_Found], *, turned: bool
    ) -> list[Line]:
        """Lines in reading order; a turned page is ordered as it stands, then reversed."""
        height, width = bgr.shape[:2]
        lines = []
        for quad, (text, score, centres) in zip(quads, found, strict=True):
            if score >= MIN_SCORE and text.strip():
                (x0, y0), (x1, y1) = quad.min(axis=0), quad.max(axis=0)
                box = (float(x0 / width), float(y0 / height), float(x1 / width), float(y1 / height))
                vertical = (y1 - y0) >= 1.5 * (x1 - x0)
                if turned:
                    centres = tuple(1 - centre for centre in centres)
                lines.append(Line(text, box, score, centres, vertical))
        return in_reading_order(lines)

    def _detect(self, bgr: Image) -> list[Floats]:
        """Quadrilaterals [4, 2] in pixels of the picture, clockwise from the top left."""
        height, width = bgr.shape[:2]
        tall = height >= width
        quads: list[Floats] = []
        for start, end, core_start, core_end in _slices(max(height, width), min(height, width)):
            piece = bgr[start:end] if tall else bgr[:, start:end]
            for quad in self._detect_piece(piece):
                quad[:, 1 if tall else 0] += start
                if core_start <= quad[:, 1 if tall else 0].mean() < core_end:
                    quads.append(quad)
        return quads

    def _detect_piece(self, bgr: Image) -> Sequence[Floats]:
        import cv2

        height, width = bgr.shape[:2]
        size = _detection_size(height, width)
        mean = (127.5, 127.5, 127.5)
        blob = cv2.dnn.blobFromImage(cv2.resize(bgr, size), 1 / 127.5, size, mean)
        probability = _run(self._detector, blob, shrink=blob[0, 0].size > LARGE_INPUT)
        quads, _ = self._boxes(probability, (height, width))
        return [np.asarray(quad, dtype=np.float32) for quad in quads]

    def _recognise(self, crops: list[Image]) -> list[_Found]:
        """Text, score and character centres of each crop."""
        import cv2

        widths = [
            min(MAX_WIDTH, max(8, -(-LINE_HEIGHT * crop.shape[1] // crop.shape[0])))
            for crop in crops
        ]
        found: list[_Found] = [("", 0.0, ())] * len(crops)
        for batch, padded in _batches(widths):
            blob = np.zeros((len(batch), 3, LINE_HEIGHT, padded), np.float32)
            for row, n in enumerate(batch):
                line = cv2.resize(crops[n], (widths[n], LINE_HEIGHT))
                blob[row, :, :, : widths[n]] = line.transpose(2, 0, 1) / np.float32(127.5) - 1
            features = _run(self._recogniser, blob, shrink=False)
            steps = features.shape[1]
            for row, n in enumerate(batch):
                used = min(steps, -(-widths[n] * steps // padded) + 1)
                found[n] = self._decode(features[row, :used], widths[n] / padded * steps)
        return found

    def _decode(self, features: Floats, length: float) -> _Found:
        """Greedy CTC over features [t, 120]; `length` is the line's extent in steps."""
        logits = features @ self._weights
        logits += self._bias
        best = logits.argmax(axis=1)
        new = np.flatnonzero((best != 0) & (best != np.concatenate(([0], best[:-1]))))
        if not len(new):
            return "", 0.0, ()
        logits = logits[new]
        logits -= logits[np.arange(len(new)), best[new], None]
        score = float((1 / np.exp(logits).sum(axis=1)).mean())
        text = "".join(self._characters[n] for n in best[new])
        return text, score, tuple(np.clip((new + 0.5) / length, 0, 1).tolist())


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread each: two workers on two cores do more than one worker with two threads.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(session: Any, blob: Floats, *, shrink: bool) -> Floats:
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    if shrink:
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    output: Floats = session.run(None, {session.get_inputs()[0].name: blob}, options)[0]
    return output


def _without_head(path: Path) -> tuple[bytes, Floats, Floats, str]:
    """The recogniser up to its features, the last layer's weights and bias, its characters.

    A third of the time went into that layer: it is multiplied unpacked, and softmaxed over
    18,710 characters at every step although most steps are blank.
    """
    import onnx

    model = onnx.load(path)
    graph = model.graph
    makers = {output: node for node in graph.node for output in node.output}
    values = {value.name: value for value in graph.initializer}
    node, chain = makers[graph.output[0].name], []
    while True:
        chain.append(node)
        if node.op_type == "MatMul":
            break
        node = makers[node.input[0]]
    bias = next(values[n.input[1]] for n in chain if n.op_type == "Add")
    weights = values[node.input[1]]
    arrays = [np.ascontiguousarray(onnx.numpy_helper.to_array(v)) for v in (weights, bias)]
    for gone in chain:
        graph.node.remove(gone)
    for value in (weights, bias):
        graph.initializer.remove(value)
    shape = [None, None, arrays[0].shape[0]]
    graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info(node.input[0], 1, shape))
    characters = next(m.value for m in model.metadata_props if m.key == "character")
    return model.SerializeToString(), arrays[0], arrays[1], characters


def _detection_size(height: int, width: int) -> tuple[int, int]:
    """Width and height for the detector, multiples of 32."""
    scale = max(1.0, min(DETECT_UPSCALE, DETECT_SIDE / min(height, width)))
    scale = min(scale, DETECT_MAX_SIDE / max(height, width))
    return max(32, round(width * scale / 32) * 32), max(32, round(height * scale / 32) * 32)


def _slices(long: int, short: int) -> Iterator[tuple[int, int, int, int]]:
    """Start and end of each piece of the long side, and of the part it answers for.

    Only pictures that are much longer than wide (scrolled screenshots) are cut: shrinking them to
    DETECT_MAX_SIDE would leave nothing to read.
    """
    if long <= DETECT_MAX_SIDE or long < 2.5 * short:
        yield 0, long, 0, long + 1
        return
    step = max(SLICE, short) - OVERLAP
    for start in range(0, max(1, long - OVERLAP), step):
        end = min(long, start + step + OVERLAP)
        core = 0 if start == 0 else start + OVERLAP // 2
        yield start, end, core, long + 1 if end == long else end - OVERLAP // 2


def _batches(widths: Sequence[int]) -> Iterator[tuple[list[int], int]]:
    """Crops of like width together, and the width they are padded to."""
    batch: list[int] = []
    for n in sorted(range(len(widths)), key=widths.__getitem__):
        if batch and (len(batch) + 1) * max(MIN_WIDTH, widths[n]) > BATCH_WIDTH:
            yield batch, _padded(widths[batch[-1]])
            batch = []
        batch.append(n)
    if batch:
        yield batch, _padded(widths[batch[-1]])


def _padded(width: int) -> int:
    return max(MIN_WIDTH, -(-width // 8) * 8)


def _crop(bgr: Image, quad: Floats) -> Image:
    """A line cut out upright; lines that run downwards are laid on their side."""
    from rapidocr.utils.process_img import get_rotate_crop_image

    return np.ascontiguousarray(get_rotate_crop_image(bgr, quad.copy()))
