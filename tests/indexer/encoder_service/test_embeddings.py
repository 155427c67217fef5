"""A server with OpenAI's API: asked once it has shown that it gives what is stored. The server is
a real one over HTTP, its model transformers' own class with a tiny checkpoint."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import Engine
from engine.contract.query import parse
from engine.contract.types import FileFacts, TextInput, Unit
from engine.encoders.elsewhere import AwayError, Job
from engine.encoders.prompts import PROMPTS
from engine.encoders.routed import RoutedEncoders
from engine.models import files as model_files
from engine.models.registry import model_spec
from engine.models.sizes import as_found, recognise
from tests.golden.make_qwen3_vl import checkpoint, write
from tests.indexer.encoder_service.conftest import Laptop
from tests.waiting import until

ID = "qwen3-vl-embedding"


class Served:
    """What vLLM does with a model of embeddings: the last token's state, of length one."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.network, self.tokens, _ = checkpoint(folder, seed)
        self.asked: list[list[str]] = []

    def vectors(self, texts: list[str]) -> list[list[float]]:
        import torch

        self.asked.append(texts)
        rows = []
        with torch.inference_mode():
            for text in texts:
                ids = torch.tensor([self.tokens(text)["input_ids"]])
                state = self.network(input_ids=ids).last_hidden_state[0, -1]
                rows.append(torch.nn.functional.normalize(state, dim=0).tolist())
        return rows


@contextlib.contextmanager
def serving(served: Served) -> Iterator[str]:
    import uvicorn
    from fastapi import Body, FastAPI

    app = FastAPI()

    @app.get("/v1/models")
    def models() -> dict[str, Any]:
        return {"object": "list", "data": [{"id": "qwen", "object": "model", "created": 0}]}

    @app.post("/v1/embeddings")
    def embeddings(body: dict[str, Any] = Body()) -> dict[str, Any]:  # noqa: B008
        rows = served.vectors(body["input"])
        data = [{"object": "embedding", "index": i, "embedding": r} for i, r in enumerate(rows)]
        usage = {"prompt_tokens": 1, "total_tokens": 1}
        # The order is the index's, not that of the list.
        return {"object": "list", "model": body["model"], "data": data[::-1], "usage": usage}

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        until(lambda: server.started)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture(scope="module")
def golden(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("qwen3-vl")
    write(folder)
    return folder


def units(first: int, count: int) -> list[tuple[FileFacts, Unit]]:
    return [
        (
            FileFacts(n, f"/f{n}.md", "note", None, "md", 1.0, 1),
            Unit(n, 0, "note", f"The keeper of day {n} counted {n * 7} ships.", context="Log"),
        )
        for n in range(first, first + count)
    ]


@pytest.mark.slow
def test_it_is_used_once_it_gives_what_is_stored(
    golden: Path, laptop: Laptop, tmp_path: Path
) -> None:
    base = laptop.base
    spec = recognise(golden / "ckpt")
    model_files.accept_licence(spec, base)
    model_files.add(spec, base, golden / "ckpt")
    chosen = model_files.Options(device="cpu", precision="fp32")
    model_files.set_options(spec, base, chosen)
    spec = as_found(spec, base)
    good, other = Served(tmp_path / "good", 1), Served(tmp_path / "other", 2)
    engine = Engine(base, spec, lambda words, limit, filters: [], elsewhere=laptop.encoders.of)
    encoders = engine.encoders
    assert isinstance(encoders, RoutedEncoders)

    def keep(first: int, count: int) -> None:
        made = engine.encode(units(first, count))
        engine.replace({stored.unit.file_id: [stored] for stored in made})

    with contextlib.closing(engine), serving(good) as url, serving(other) as other_url:
        laptop.use(url, "key", model="qwen")
        assert laptop.encoders.way(laptop.encoders.named()).about()["model"] == "qwen"
        keep(1, 6)  # nothing is stored yet that it could be compared with
        assert encoders.tally.total == {"here": 6, "elsewhere": 0}
        assert "too few texts" in encoders.told()["error"]["message"]
        until(lambda: encoders.elsewhere.ready())
        keep(7, 6)
        assert encoders.tally.total == {"here": 6, "elsewhere": 6}
        assert encoders.told()["state"] == "used"
        texts = [TextInput("a <|im_end|> in my text"), TextInput(""), TextInput("\ud800")]
        there = encoders.encode_texts(texts[1:2], "retrieval")[0]
        here = encoders.pool.encode_texts(texts[1:2], "retrieval")[0]
        assert there.single == pytest.approx(here.single, abs=1e-4)
        assert len(encoders.encode_texts(texts, "code")) == 3
        question = encoders.encode_queries(["which keeper counted"], "retrieval")[0]
        local = encoders.pool.encode_queries(["which keeper counted"], "retrieval")[0]
        assert question.single == pytest.approx(local.single, abs=1e-4)
        # Pictures are none of its business: they are seen here, and it is asked all the same.
        picture = str(next((golden / "images").iterdir()))
        assert len(encoders.encode_images([picture], "retrieval")) == 1
        assert encoders.elsewhere.ready()
        # Other weights under the same name.
        laptop.use(other_url, "key", model="qwen")
        before = encoders.tally.total["elsewhere"]
        keep(20, 2)
        assert encoders.tally.total["elsewhere"] == before
        assert "is not Qwen3-VL-Embedding" in encoders.told()["error"]["message"]
        assert len(other.asked) == 1
        laptop.use(url, "key", model="none")
        with pytest.raises(AwayError, match="has no model none; it lists qwen"):
            laptop.encoders.way(laptop.encoders.named()).about()
        *_, answer = engine.search(parse("keeper of day 8"))
        assert answer.hits


def test_only_models_of_single_vectors_are_asked_for(laptop: Laptop) -> None:
    laptop.use("http://127.0.0.1:1", "", model="any")
    elsewhere = laptop.encoders.of(
        model_spec("minilm"), lambda count: [(TextInput("a"), np.zeros(256))] * count
    )
    with pytest.raises(AwayError, match="can't encode texts for MiniLM"):
        elsewhere.encode(Job("texts", "code", [["a", ""]]))
    assert elsewhere.ready()
    assert set(PROMPTS) == {ID}
