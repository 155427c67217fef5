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
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engine.contract.types import Box, WordBox
from indexer.reading.extract import more_letters
from indexer.reading.extract.reading_order import in_reading_order

MIN_SCORE = 0.5
DETECT_SIDE = 736  # the short side detection would like to have …
DETECT_UPSCALE = 1.5  # … but more than this costs time and finds nothing new
DETECT_MAX_SIDE = 2000
#: Large pictures are looked at once more, COARSE times smaller, for lonely lines so high that the
#: detector does not see them as such: of short words on signs, 60 to 300 pixels high, 15 of 15 were
#: read instead of 9, of all that tests.benchmarks.ocr_drawn draws 56 of 57 instead of 54, and on
#: screenshots the same as before, for 6 to 11 % more time.
COARSE, COARSE_FROM = 3, 1_000_000
COARSE_HEIGHT = 32  # pixels of the detection; lower lines are seen better at full size
COARSE_KNOWN = 0.6  # share of a coarse line from which on a line found at full size will do
COARSE_SCORE = 0.8  # icons that are taken for a character stay below
COARSE_PIECES = 0.75  # of its characters; more than that were read at full size, with less beside
LONELY = 2  # where nothing is seen it is looked at once more, so many times smaller
SLICE = 1600  # pixels of the long side of very long pictures that are looked at together
OVERLAP = 128  # more than any line is high
FEATURES = 120  # of a step of a line
LINE_HEIGHT = 48  # what the recogniser was trained on
MIN_WIDTH, MAX_WIDTH = 96, 3840
BATCH_WIDTH = 800  # summed widths of a batch; larger ones fall out of the cache
GLANCE_SIDE = 480  # of a small copy that tells whether there are lines
DOUBTFUL = 0.8  # median score of the lines below which the page may be upside down; usual is 0.95

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


class _Found(NamedTuple):
    """What a line says."""

    text: str = ""
    score: float = 0.0
    centres: tuple[float, ...] = ()  # of each character
    illegible: str | None = None  # the script, where it is one that is not read


@dataclass(frozen=True, slots=True)
class _Seen:
    """A line as it stands in the picture, and what it says."""

    quad: Floats  # [4, 2] pixels, clockwise from the top left
    coarse: bool  # seen when all was looked at smaller
    text: str
    score: float
    centres: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """What OCR made of a picture."""

    lines: list[Line]  # in reading order
    #: The script of each line that is there in letters it does not know; "" where that is not sure.
    illegible: tuple[str, ...] = ()


_lock = threading.Lock()
_reader: _Reader | None = None


def read(pixels: Image) -> Reading:
    """The lines of a picture [h, w, 3] (uint8, RGB)."""
    with _lock:
        return _loaded().read(np.ascontiguousarray(pixels[:, :, ::-1]))


def holds_lines(pixels: Image) -> bool:
    """Whether a small copy of a picture shows lines of text; of a photograph it costs a tenth of
    what reading it does."""
    with _lock:
        return _loaded().glance(np.ascontiguousarray(pixels[:, :, ::-1]))


def lines_of(pixels: Image) -> list[Image]:
    """The lines of a picture, cut out (BGR)."""
    bgr = np.ascontiguousarray(pixels[:, :, ::-1])
    with _lock:
        return [_crop(bgr, quad) for quad, _ in _loaded().detect(bgr)]


def features_of(lines: list[Image]) -> list[Floats]:
    """What the recogniser sees of each, before it decides for its own letters [t, FEATURES]."""
    with _lock:
        seen = {n: features for n, features, _ in _loaded().features(lines)}
    return [seen[n] for n in range(len(lines))]


def _loaded() -> _Reader:
    global _reader
    if _reader is None:
        _reader = _Reader()
    return _reader


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

    def read(self, bgr: Image) -> Reading:
        quads = self.detect(bgr)
        if not quads:
            return Reading([])
        crops = [_crop(bgr, quad) for quad, _ in quads]
        found = self._recognise(crops)
        if len(found) >= 3 and median(line[1] for line in found) < DOUBTFUL:
            turned = self._recognise([np.ascontiguousarray(crop[::-1, ::-1]) for crop in crops])
            if sum(line[1] for line in turned) > sum(line[1] for line in found):
                return Reading(self._lines(bgr, quads, turned, turned=True)[::-1])
        lines = self._lines(bgr, quads, found, turned=False)
        illegible = (line.illegible for line in found)
        return Reading(lines, tuple(script for script in illegible if script is not None))

    def glance(self, bgr: Image) -> bool:
        height, width = bgr.shape[:2]
        scale = min(1.0, GLANCE_SIDE / max(height, width))
        return bool(self._detect_at(bgr, _multiples(width * scale, height * scale)))

    def _lines(
        self,
        bgr: Image,
        quads: list[tuple[Floats, bool]],
        found: list[_Found],
        *,
        turned: bool,
    ) -> list[Line]:
        """Lines in reading order; a turned page is ordered as it stands, then reversed."""
        height, width = bgr.shape[:2]
        lines = []
        all_seen = [
            _Seen(quad, coarse, line.text, line.score, line.centres)
            for (quad, coarse), line in zip(quads, found, strict=True)
        ]
        for seen in without_doubles(all_seen):
            text, score, centres = seen.text, seen.score, seen.centres
            if score >= MIN_SCORE and text.strip():
                x0, y0, x1, y1 = _box(seen.quad)
                box = (x0 / width, y0 / height, x1 / width, y1 / height)
                vertical = (y1 - y0) >= 1.5 * (x1 - x0)
                if turned:
                    centres = tuple(1 - centre for centre in centres)
                lines.append(Line(text, box, score, centres, vertical))
        return in_reading_order(lines)

    def detect(self, bgr: Image) -> list[tuple[Floats, bool]]:
        """Quadrilaterals [4, 2] in pixels of the picture, clockwise from the top left, and whether
        they were seen by the coarse look."""
        height, width = bgr.shape[:2]
        tall = height >= width
        quads: list[tuple[Floats, bool]] = []
        for start, end, core_start, core_end in _slices(max(height, width), min(height, width)):
            piece = bgr[start:end] if tall else bgr[:, start:end]
            whole = end - start == max(height, width)
            for quad, coarse in self._detect_piece(piece, whole=whole):
                quad[:, 1 if tall else 0] += start
                if core_start <= quad[:, 1 if tall else 0].mean() < core_end:
                    quads.append((quad, coarse))
        return quads

    def _detect_piece(self, bgr: Image, *, whole: bool) -> list[tuple[Floats, bool]]:
        """Lines, and on large pictures also those that are too large to be seen as such there."""
        size = _detection_size(*bgr.shape[:2])
        quads = [(quad, False) for quad in self._detect_at(bgr, size)]
        if size[0] * size[1] < COARSE_FROM:
            return quads
        if not quads and not whole:
            # On a capture of several screens a lonely line is lost at one size and seen at another.
            half = _multiples(size[0] / LONELY, size[1] / LONELY)
            quads = [(quad, False) for quad in self._detect_at(bgr, half)]
        least = COARSE_HEIGHT * bgr.shape[0] / size[1]
        boxes = [_box(quad) for quad, _ in quads]
        for quad in self._detect_at(bgr, _multiples(size[0] / COARSE, size[1] / COARSE)):
            covered = sum(_shared(_box(quad), box) for box in boxes)
            if _height(quad) >= least and covered < COARSE_KNOWN:
                quads.append((quad, True))
        return quads

    def _detect_at(self, bgr: Image, size: tuple[int, int]) -> list[Floats]:
        import cv2

        height, width = bgr.shape[:2]
        mean = (127.5, 127.5, 127.5)
        blob = cv2.dnn.blobFromImage(cv2.resize(bgr, size), 1 / 127.5, size, mean)
        probability = _run(self._detector, blob, give_back=True)
        quads, _ = self._boxes(probability, (height, width))
        return [np.asarray(quad, dtype=np.float32) for quad in quads]

    def _recognise(self, crops: list[Image]) -> list[_Found]:
        """Text, score and character centres of each crop."""
        found = [_Found()] * len(crops)
        for n, features, length in self.features(crops):
            found[n] = self._decode(features, length)
        return found

    def features(self, crops: list[Image]) -> Iterator[tuple[int, Floats, float]]:
        """Each crop's number, what the recogniser sees of it step by step [t, FEATURES], and how
        many steps the line itself takes."""
        import cv2

        widths = [
            min(MAX_WIDTH, max(8, -(-LINE_HEIGHT * crop.shape[1] // crop.shape[0])))
            for crop in crops
        ]
        batches = list(_batches(widths))
        for number, (batch, padded) in enumerate(batches, start=1):
            blob = np.zeros((len(batch), 3, LINE_HEIGHT, padded), np.float32)
            for row, n in enumerate(batch):
                line = cv2.resize(crops[n], (widths[n], LINE_HEIGHT))
                blob[row, :, :, : widths[n]] = line.transpose(2, 0, 1) / np.float32(127.5) - 1
            seen = _run(self._recogniser, blob, give_back=number == len(batches))
            steps = seen.shape[1]
            for row, n in enumerate(batch):
                used = min(steps, -(-widths[n] * steps // padded) + 1)
                yield n, seen[row, :used], widths[n] / padded * steps

    def _decode(self, features: Floats, length: float) -> _Found:
        """What features [t, FEATURES] say; `length` is the line's extent in steps."""
        found = self._own_letters(features, length)
        if found.score >= DOUBTFUL and not is_illegible(found.text, found.score):
            return found
        script = more_letters.script_of(features)
        if script in more_letters.READ:
            text, score, steps = more_letters.steps_of(features)
            if score >= more_letters.SURE_OF_TEXT:
                return _Found(text, score, _centres(np.array(steps), length))
        if script or is_illegible(found.text, found.score):
            return found._replace(illegible=script)
        return found

    def _own_letters(self, features: Floats, length: float) -> _Found:
        """Greedy CTC with the letters that the recogniser was trained on."""
        logits = features @ self._weights
        logits += self._bias
        best = logits.argmax(axis=1)
        new = np.flatnonzero((best != 0) & (best != np.concatenate(([0], best[:-1]))))
        if not len(new):
            return _Found()
        logits = logits[new]
        logits -= logits[np.arange(len(new)), best[new], None]
        score = float((1 / np.exp(logits).sum(axis=1)).mean())
        text = "".join(self._characters[n] for n in best[new])
        return _Found(text, score, _centres(new, length))


def _centres(steps: NDArray[np.int_], length: float) -> tuple[float, ...]:
    return tuple(np.clip((steps + 0.5) / length, 0, 1).tolist())


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One thread each: two workers on two cores do more than one worker with two threads.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _run(session: Any, blob: Floats, *, give_back: bool) -> Floats:
    """What a session makes of a blob; `give_back`: it keeps no memory for the next one, which is a
    picture later. Kept, it would be 300 MB a worker that has nothing to read."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.log_severity_level = 4
    if give_back:
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
    return _multiples(width * scale, height * scale)


def _multiples(width: float, height: float) -> tuple[int, int]:
    return max(32, round(width / 32) * 32), max(32, round(height / 32) * 32)


def _height(quad: Floats) -> float:
    """Of a line's letters, in pixels."""
    return float(min(np.linalg.norm(quad[0] - quad[3]), np.linalg.norm(quad[0] - quad[1])))


def _box(quad: Floats) -> Box:
    (x0, y0), (x1, y1) = quad.min(axis=0), quad.max(axis=0)
    return float(x0), float(y0), float(x1), float(y1)


def _shared(one: Box, two: Box) -> float:
    """Share of one box that lies in another."""
    width = max(0.0, min(one[2], two[2]) - max(one[0], two[0]))
    height = max(0.0, min(one[3], two[3]) - max(one[1], two[1]))
    return width * height / max(1e-9, (one[2] - one[0]) * (one[3] - one[1]))


def without_doubles(found: Sequence[_Seen]) -> list[_Seen]:
    """Lines seen at full size, and of the coarse ones those that are words where these see none,
    or pieces of them; the pieces go."""
    fine = [seen for seen in found if not seen.coarse]
    added = [seen for seen in found if seen.coarse and _tells_more(seen, fine)]
    large = [_box(seen.quad) for seen in added]
    pieces = [any(_shared(_box(seen.quad), box) > 0.8 for box in large) for seen in fine]
    return [seen for seen, piece in zip(fine, pieces, strict=True) if not piece] + added


def _tells_more(coarse: _Seen, fine: Sequence[_Seen]) -> bool:
    if coarse.score < COARSE_SCORE or _written(coarse.text) < 2:
        return False
    box, beside, pieces = _box(coarse.quad), False, 0
    for seen in fine:
        if seen.score >= COARSE_SCORE and _written(seen.text):
            within = _shared(_box(seen.quad), box)
            pieces += _written(seen.text) if within > 0.8 else 0
            beside |= within <= 0.8 and max(within, _shared(box, _box(seen.quad))) > 0.2
    return not beside and pieces <= COARSE_PIECES * _written(coarse.text)


def _written(text: str) -> int:
    return sum(c.isalnum() for c in text)


def is_illegible(text: str, score: float) -> bool:
    """Whether a line is one of text, in letters that are not among the recogniser's. Of Cyrillic,
    Arabic and others it sees where words end and nothing else; of Greek it lacks what has an
    accent, which every other word has."""
    if score < MIN_SCORE or not text:
        return False
    letters = [c for c in text if not c.isspace()]
    greek = sum("\u0370" <= c <= "\u03ff" for c in letters)
    return (not any(c.isalnum() for c in letters) and text.count(" ") > len(letters)) or (
        greek >= 4 and 2 * greek > len(letters)
    )


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
