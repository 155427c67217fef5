"""Programs that serve language models: their usual ports, and what each tells beyond OpenAI's API.

What a program does not tell is None, never a guess. Where each row's facts stand is said beside it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: Asks a path of the server, with a body if there is one; None where that gives no JSON.
Ask = Callable[[str, dict[str, Any] | None], Awaitable[Any]]

#: What Ollama reads of a prompt unless it was told otherwise, on a machine with less than 24 GiB of
#: graphics memory (docs/context-length.mdx); the beginning of a longer one is dropped in silence,
#: and requests to /v1 can't ask for more.
OLLAMA_READS = 4_096
#: Models of which more is asked, of a server that has to be asked for each.
_MOST_ASKED = 40
_NO_CHAT = re.compile(r"embed|rerank|whisper|\btts\b|stable-diffusion", re.IGNORECASE)
#: Of Ollama's: they run on the makers' machines, whatever the address says.
_AWAY = re.compile(r"[:-]cloud$")


@dataclass(frozen=True, slots=True)
class Facts:
    """What a server says of a model."""

    chats: bool = True
    sees: bool | None = None
    context: int | None = None
    away: str = ""  # the machine that it runs on, where that is another than the server's


#: By model. `listed`: its rows of /v1/models, as they came.
Told = Mapping[str, Facts]
Tell = Callable[[Ask, Sequence[dict[str, Any]]], Awaitable[Told]]


@dataclass(frozen=True, slots=True)
class Counting:
    """How a program counts tokens: a path, the name of the text there, and what the count is."""

    path: str
    text: str
    count: Callable[[Any], int]


@dataclass(frozen=True, slots=True)
class Program:
    """A row of the table."""

    name: str
    ports: tuple[int, ...]
    #: `owned_by` of its models, where that tells the program.
    owner: str = ""
    #: A path that it alone answers with JSON, where its models do not tell.
    sign: str = ""
    tell: Tell | None = None
    counting: Counting | None = None


async def _ollama(ask: Ask, listed: Sequence[dict[str, Any]]) -> Told:
    """docs/api.md: /api/show (capabilities, parameters, model_info, remote_host), /api/ps."""
    ids = [str(row["id"]) for row in listed][:_MOST_ASKED]
    running, *shown = await asyncio.gather(
        ask("/api/ps", None), *(ask("/api/show", {"model": id_}) for id_ in ids)
    )
    loaded = {
        row.get("model") or row.get("name"): row.get("context_length")
        for row in _rows(running, "models")
    }
    return {
        id_: _of_ollama(id_, told, loaded.get(id_)) for id_, told in zip(ids, shown, strict=True)
    }


def _of_ollama(id_: str, told: Any, loaded: object) -> Facts:
    told = told if isinstance(told, dict) else {}
    away = told.get("remote_host") or ("ollama.com" if _AWAY.search(id_) else "")
    capabilities = told.get("capabilities")
    known = isinstance(capabilities, list)
    info = told.get("model_info")
    info = info if isinstance(info, dict) else {}
    longest = next((_count(v) for k, v in info.items() if k.endswith(".context_length")), None)
    set_to = re.search(r"^num_ctx\s+(\d+)", str(told.get("parameters") or ""), re.MULTILINE)
    reads = _count(loaded) or (int(set_to[1]) if set_to else OLLAMA_READS)
    return Facts(
        chats="completion" in capabilities if known else True,
        sees="vision" in capabilities if known else None,
        context=min(reads, longest) if longest else reads,
        away=str(away),
    )


async def _lm_studio(ask: Ask, listed: Sequence[dict[str, Any]]) -> Told:
    """docs: REST API v0: type (llm, vlm, embeddings), state, loaded and maximal context length."""
    rows = _rows(await ask("/api/v0/models", None), "data")
    told = {}
    for row in rows:
        longest, loaded = _count(row.get("max_context_length")), row.get("loaded_context_length")
        reads = _count(loaded) or (longest and min(longest, OLLAMA_READS))
        kind = row.get("type")
        told[str(row.get("id"))] = Facts(kind != "embeddings", kind == "vlm", reads)
    return told


async def _llama_cpp(ask: Ask, listed: Sequence[dict[str, Any]]) -> Told:
    """tools/server/README.md: /props (n_ctx of one slot, modalities)."""
    props = await ask("/props", None)
    props = props if isinstance(props, dict) else {}
    settings, senses = props.get("default_generation_settings"), props.get("modalities")
    context = _count(settings.get("n_ctx")) if isinstance(settings, dict) else None
    sees = bool(senses.get("vision")) if isinstance(senses, dict) else None
    one = Facts(sees=sees, context=context)
    # A router has several models, and its properties are of none of them.
    alone = len(listed) == 1 and not _is_routed(listed[0])
    return {str(row["id"]): one for row in listed} if alone else {}


def _is_routed(row: dict[str, Any]) -> bool:
    """Whether a model is one of a router's: those say whether they are loaded."""
    return "status" in row


async def _vllm(ask: Ask, listed: Sequence[dict[str, Any]]) -> Told:
    """Its list of models says how long a prompt may be."""
    return {str(row["id"]): Facts(context=_count(row.get("max_model_len"))) for row in listed}


async def _kobold(ask: Ask, listed: Sequence[dict[str, Any]]) -> Told:
    """Its own API: /api/extra/true_max_context_length and /api/extra/version."""
    length, version = await asyncio.gather(
        ask("/api/extra/true_max_context_length", None), ask("/api/extra/version", None)
    )
    context = _count(length.get("value")) if isinstance(length, dict) else None
    sees = version.get("vision") if isinstance(version, dict) else None
    one = Facts(sees=sees if isinstance(sees, bool) else None, context=context)
    return {str(row["id"]): one for row in listed}


def _tokens(answer: Any) -> int:
    return len(answer["tokens"])


#: In the order in which they are asked where several run. A program is told by what its models say
#: of their owner, else by a sign of its own, else, on a port that no other row has, by the port.
PROGRAMS: tuple[Program, ...] = (
    Program("Ollama", (11434,), "library", "/api/version", _ollama),
    Program(
        "llama.cpp", (8080,), "llamacpp", "", _llama_cpp, Counting("/tokenize", "content", _tokens)
    ),
    Program("LM Studio", (1234,), "organization_owner", "/api/v0/models", _lm_studio),
    Program(
        "vLLM", (8000,), "vllm", "", _vllm, Counting("/tokenize", "prompt", lambda a: a["count"])
    ),
    Program("transformers", (8000,)),
    Program("Jan", (1337,)),
    Program("GPT4All", (4891,)),
    Program(
        "KoboldCpp", (5001,), "koboldcpp", "", _kobold,
        Counting("/api/extra/tokencount", "prompt", lambda a: a["value"]),
    ),
    Program("text-generation-webui", (5000,)),
    Program("LocalAI", (8080,)),
)  # fmt: skip
PORTS = tuple(dict.fromkeys(port for program in PROGRAMS for port in program.ports))


async def told_by(ask: Ask, listed: Sequence[dict[str, Any]], port: int) -> Program:
    """Which program has this list of models; one without a name where that can't be told."""
    owners = {str(row.get("owned_by") or "").lower() for row in listed}
    for program in PROGRAMS:
        if program.owner and program.owner in owners:
            return program
    # Some answer as Ollama does, too: those were told by their owners.
    for program in PROGRAMS:
        if program.sign and isinstance(await ask(program.sign, None), dict):
            return program
    usual = [program for program in PROGRAMS if port in program.ports]
    return usual[0] if len(usual) == 1 and not usual[0].owner else Program("", ())


async def facts_of(
    program: Program, ask: Ask, listed: Sequence[dict[str, Any]]
) -> dict[str, Facts]:
    """What is known of every model in a list, in its order."""
    told = dict(await program.tell(ask, listed)) if program.tell else {}
    found = {}
    for row in listed:
        id_ = str(row["id"])
        facts = told.get(id_, Facts())
        talks = facts.chats and not _NO_CHAT.search(id_)
        found[id_] = Facts(talks, facts.sees, facts.context, facts.away)
    return found


def _rows(answer: Any, name: str) -> list[dict[str, Any]]:
    rows = answer.get(name) if isinstance(answer, dict) else None
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
