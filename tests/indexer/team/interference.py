"""Non-interference: what an asker gets of a whole archive is what an archive of only the files that
they may read would give, call by call."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from indexer.team.accounts import Tokens
from indexer.team.asker import principals_of
from tests.indexer.team.archives import QUESTIONS, WORDS, Given, Known, Running, drawn

ACCOUNTS: Mapping[str, Sequence[str]] = {
    "mara": ("finance",),
    "tom": (),
    "ina": ("museum", "finance"),
    "guest": (),
    "nobody": ("nothing",),
}
#: What tells of the time, or of the archive's commits: of how it came about, not of what is in it.
_ASIDE = {"took_ms", "files_revision", "commit"}

Call = tuple[str, str, Mapping[str, Any]]


def calls(random_: random.Random, files: Sequence[Given], most: int) -> Iterator[Call]:
    """Calls of every route, about files that may be read and such that may not."""
    yield "GET", "/v1/status", {}
    yield "GET", "/v1/values", {}
    yield "GET", "/v1/recent", {}
    yield "GET", "/v1/problems", {}
    for number in range(most):
        path = random_.choice(files).path
        query = random_.choice((*QUESTIONS, " ".join(random_.sample(WORDS, 2)), path))
        yield "POST", "/v1/search", {"query": query, "raw": bool(number % 2), "limit": 30}
        yield (
            ("POST", "/v1/similar", {"path": path}),
            ("GET", "/v1/text", {"path": path}),
            ("GET", "/v1/explain", {"path": path, "query": query}),
            ("GET", "/v1/thumb", {"path": path}),
            ("POST", "/v1/search", {"query": query, "stages": True}),
        )[number % 5]


def leaks(seed: int, askings: int) -> tuple[int, list[str]]:
    """How many calls were compared for one archive of chance, and those that differ."""
    random_ = random.Random(seed)
    files = drawn(random_)
    tokens = Tokens([Known(ACCOUNTS)])
    compared, differing = 0, []
    with tempfile.TemporaryDirectory() as folder:
        whole = Running(Path(folder) / "whole", files, tokens)
        for name, groups in ACCOUNTS.items():
            readers = principals_of(name, groups)
            own = [file for file in files if file.rights & readers]
            random_.shuffle(own)
            part = Running(Path(folder) / name, own, tokens)
            for call in calls(random_, files, askings):
                compared += 1
                got, due = answered(whole, name, call), answered(part, name, call)
                if got != due:
                    differing.append(f"{seed} {name} {call}:\n  {got}\n  {due}")
            part.close()
        whole.close()
    return compared, differing


def answered(service: Running, name: str, call: Call) -> str:
    """A call's answer, without what is aside, equals in one order."""
    method, route, told = call
    headers = {"Authorization": f"Bearer {name}"}
    if method == "GET":
        reply = service.client.get(route, params=told, headers=headers)
    else:
        reply = service.client.post(route, json=told, headers=headers)
    lines = [_plain(json.loads(line)) for line in reply.text.splitlines()]
    return json.dumps([reply.status_code, *lines], sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        plain = {name: _plain(part) for name, part in value.items() if name not in _ASIDE}
        if isinstance(plain.get("hits"), list):
            plain["hits"].sort(key=lambda hit: (-hit["score"], hit["path"]))
        return plain
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return round(value, 4) + 0.0 if isinstance(value, float) else value
