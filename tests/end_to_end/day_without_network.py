"""A day of use in a network namespace without routes; prints what the kernel counted.

`unshare --user --map-root-user --net python -m tests.end_to_end.day_without_network BASE FOLDER`
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import anyio
from mcp import Client as McpClient
from mcp import StdioServerParameters

from desktop.client import Client
from desktop.terminal.cli import main as inkling
from engine.contract.paths import BaseDir
from tests.scripted_model_server import ScriptedModelServer, said

#: TEST-NET-1: nobody's address (RFC 5737).
ELSEWHERE = "192.0.2.1"


def bring_up_loopback() -> None:
    """The one interface there is; `ip` may not be installed."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh14x", b"lo", 1))  # SIOCSIFFLAGS, IFF_UP


def refused() -> dict[str, int]:
    """Packets of any process here that had no way out, and questions to a resolver on loopback."""
    lines = Path("/proc/net/snmp").read_text().splitlines()
    told = {}
    for names, values in zip(lines[::2], lines[1::2], strict=True):
        kind, *columns = names.split()
        told |= {f"{kind}{c}": int(v) for c, v in zip(columns, values.split()[1:], strict=True)}
    six = dict(line.split() for line in Path("/proc/net/snmp6").read_text().splitlines())
    told |= {name: int(value) for name, value in six.items()}
    return {name: told[name] for name in ("Ip:OutNoRoutes", "Udp:NoPorts", "Ip6OutNoRoutes")}


def ask(*arguments: str) -> str:
    """One command of Inkling; what it printed."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        status = inkling([*arguments[:1], "--base-dir", sys.argv[1], *arguments[1:]])
    if status not in (0, 1):  # of the doctor 1 means that something wants attention
        raise SystemExit(f"{arguments} ended with {status}")
    return said.getvalue()


async def agent(path: str) -> str:
    command = [*["-m", "desktop", "--base-dir"], sys.argv[1], "mcp"]
    async with McpClient(StdioServerParameters(command=sys.executable, args=command)) as client:
        await client.call_tool("search", {"query": "lighthouse"})
        result = await client.call_tool("read", {"path": path})
        return str(result.content[0].text)


def day(folder: Path) -> Iterator[tuple[str, bool]]:
    """What is done, and whether it was answered."""
    note, picture = str(folder / "note.md"), str(folder / "sign.png")
    ask("add", str(folder), "--wait")
    yield "words", "note.md" in ask("search", "the keeper of the lighthouse")
    yield "picture", "sign.png" in ask("search", "--image", picture)
    ask("similar", note)
    yield "status", "2 files" in ask("status")
    client = Client.connect(BaseDir(Path(sys.argv[1])))
    yield "text", "lighthouse" in client.text(note)
    yield "drawn", client.render(picture, None, 300) is not None
    yield "thumbnail", client.thumb(picture) is not None
    yield "agent", "lighthouse" in anyio.run(agent, note)
    yield "doctor", bool(json.loads(ask("doctor", "--json"))["checks"])
    with ScriptedModelServer(lambda _body: said("The keeper lights the lamp [1].")) as server:
        client.call("PATCH", "/v1/settings", {"ask_server": server.url})
        yield "answer", "note.md" in ask("ask", "who is the keeper of the lighthouse")
        yield "servers", server.url in ask("ask", "--servers")
        client.call("PATCH", "/v1/settings", {"ask_server": f"http://{ELSEWHERE}:80/v1"})
        ask("ask", "--servers")  # not confirmed: it is not even looked at
    ask("problems")
    ask("model", "list")
    yield "agents", "read" in ask("agents")


def run() -> None:
    bring_up_loopback()
    try:
        answered = dict(day(Path(sys.argv[2])))
    finally:
        ask("stop")
    by_inkling = refused()
    with contextlib.suppress(OSError), socket.socket() as attempt:  # what an attempt would show
        attempt.connect((ELSEWHERE, 443))
    told = {"answered": answered, "refused": by_inkling, "with_attempt": refused()}
    os.write(1, json.dumps(told).encode())


if __name__ == "__main__":
    run()
