"""What each program tells of its models beyond OpenAI's API, as their documentation shows it."""

from __future__ import annotations

from typing import Any

import pytest

from engine.contract.asking import Found, ServedModel
from engine.contract.errors import InklingError
from tests.indexer.asking.conftest import Asked
from tests.scripted_model_server import Refusal, ScriptedModelServer


def models(*ids: str, owner: str, **more: Any) -> dict[str, Any]:
    return {"data": [{"id": id_, "object": "model", "owned_by": owner, **more} for id_ in ids]}


def told(asked: Asked) -> tuple[str, tuple[ServedModel, ...]]:
    import asyncio

    (server,) = asyncio.run(asked.port.servers()).servers
    return server.name, server.models


def ollama(server: ScriptedModelServer, shown: dict[str, Any], running: Any = ()) -> None:
    server.models = models(*shown, owner="library")
    server.paths["/api/version"] = {"version": "0.9.0"}
    server.paths["/api/ps"] = {"models": list(running)}
    server.paths["/api/show"] = lambda body: shown[body["model"]]


def sees(*capabilities: str, parameters: str = "", **more: Any) -> dict[str, Any]:
    info = {"gemma3.context_length": 131_072, "gemma3.block_count": 34}
    return {
        "capabilities": list(capabilities), "parameters": parameters, "model_info": info, **more
    }  # fmt: skip


class TestOllama:
    def test_it_reads_less_than_its_models_could(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        """Of a longer prompt the beginning is dropped in silence: what it reads now counts."""
        ollama(
            server,
            {
                "gemma3": sees("completion", "vision"),
                "set": sees("completion", parameters='stop "<end>"\nnum_ctx   16384'),
                "loaded": sees("completion", parameters="num_ctx 16384"),
                "unknown": {},
                "nomic-embed-text": sees("embedding"),
            },
            [{"name": "loaded", "model": "loaded", "context_length": 8192}],
        )
        assert told(asked) == (
            "Ollama",
            (
                ServedModel("gemma3", True, 4_096),
                ServedModel("set", False, 16_384),
                ServedModel("loaded", False, 8_192),
                ServedModel("unknown", None, 4_096),
            ),
        )

    def test_a_model_on_other_machines_is_not_asked(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        ollama(
            server,
            {
                "gpt-oss:120b-cloud": sees("completion"),
                "renamed": sees("completion", remote_host="https://ollama.com:443"),
                "small": sees("completion"),
            },
        )
        assert [model.id for model in told(asked)[1]] == ["small"]
        for name in ("gpt-oss:120b-cloud", "renamed", "never-listed:cloud"):
            with pytest.raises(InklingError, match="not where its server is"):
                asked.events(model=name)
        assert server.asked == []

    def test_what_it_has_loaded_is_asked_with_every_question(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        ollama(server, {"gemma3": sees("completion"), "other": sees("completion")})
        rooms = []
        for context in (None, 6_000):
            running = [{"model": "gemma3", "context_length": context}] if context else []
            server.paths["/api/ps"] = {"models": running}
            found = asked.events()[0]
            assert isinstance(found, Found)
            rooms.append(found.room)
        assert rooms == [4_096, 6_000]

    def test_the_prompt_stays_below_what_it_reads(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        ollama(server, {"gemma3": sees("completion")})
        asked.settings.ask_tokens = 0
        found = asked.events()[0]
        assert isinstance(found, Found)
        assert found.room == 4_096


def test_llama_cpp(asked: Asked, server: ScriptedModelServer) -> None:
    server.models = models("gemma-3-4b", owner="llamacpp", meta={"n_ctx_train": 131_072})
    server.paths["/props"] = {
        "default_generation_settings": {"n_ctx": 8_192},
        "modalities": {"vision": True, "audio": False},
    }
    server.paths["/tokenize"] = lambda body: {"tokens": [1] * len(body["content"].split())}
    assert told(asked) == ("llama.cpp", (ServedModel("gemma-3-4b", True, 8_192),))
    asked.settings.ask_pictures = "never"
    found = asked.events()[0]
    assert isinstance(found, Found)
    words = sum(len(text.split()) for _, text in found.prompt)
    assert words <= found.tokens <= words + 50  # its own count, and signs of the chat


def test_vllm(asked: Asked, server: ScriptedModelServer) -> None:
    server.models = models("qwen", owner="vllm", max_model_len=32_768)
    server.paths["/tokenize"] = lambda body: {"count": len(body["prompt"].split()), "tokens": []}
    assert told(asked) == ("vLLM", (ServedModel("qwen", None, 32_768),))
    found = asked.events()[0]
    assert isinstance(found, Found)
    assert any(line == "POST /tokenize" for line, _ in server.requests)
    assert found.room == 8_000  # of the settings


def test_lm_studio(asked: Asked, server: ScriptedModelServer) -> None:
    server.models = models("vl", "llm", "embed", "cold", owner="organization_owner")
    server.paths["/api/v0/models"] = {
        "data": [
            {
                "id": "vl",
                "type": "vlm",
                "max_context_length": 32_768,
                "loaded_context_length": 8_192,
            },
            {"id": "llm", "type": "llm", "max_context_length": 2_048},
            {"id": "cold", "type": "llm", "max_context_length": 32_768},
            {"id": "embed", "type": "embeddings", "max_context_length": 2_048},
        ]
    }
    assert told(asked) == (
        "LM Studio",
        (
            ServedModel("vl", True, 8_192),
            ServedModel("llm", False, 2_048),
            ServedModel("cold", False, 4_096),
        ),
    )


def test_koboldcpp(asked: Asked, server: ScriptedModelServer) -> None:
    """It answers as Ollama does, too, and is not taken for it."""
    server.models = models("koboldcpp/gemma", owner="koboldcpp")
    server.paths["/api/version"] = {"version": "0.7.0"}
    server.paths["/api/extra/true_max_context_length"] = {"value": 12_288}
    server.paths["/api/extra/version"] = {"result": "KoboldCpp", "vision": False}
    assert told(asked) == ("KoboldCpp", (ServedModel("koboldcpp/gemma", False, 12_288),))


def test_one_that_tells_nothing(asked: Asked, server: ScriptedModelServer) -> None:
    server.models = models("some", "text-embedding-3", "bge-reranker", owner="me")
    assert told(asked) == ("", (ServedModel("some", None, None),))


@pytest.mark.parametrize(
    "answer",
    [
        b"<html>A router</html>",
        [],
        {"data": "no"},
        {"data": [{"name": "x"}, 3]},
        {},
        {"data": None},
    ],
)
def test_what_is_no_server_with_models(
    asked: Asked, server: ScriptedModelServer, answer: Any
) -> None:
    import asyncio

    server.models = answer
    found = asyncio.run(asked.port.servers())
    assert found.server == ""
    assert all(one.models == () for one in found.servers)
    with pytest.raises(InklingError, match="No server with a language model"):
        asked.events()


def test_facts_that_are_none(asked: Asked, server: ScriptedModelServer) -> None:
    """A program that answers its own paths with something else is still asked."""
    server.models = models("a", owner="llamacpp")
    server.paths["/props"] = [1, 2]
    assert told(asked) == ("llama.cpp", (ServedModel("a", None, None),))

    def refuses(_body: Any) -> Any:
        raise Refusal(500, "no")

    server.paths["/props"] = refuses
    server.paths["/tokenize"] = refuses
    assert isinstance(asked.events()[0], Found)
