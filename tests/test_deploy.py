"""The files that deploy an archive for a team: nothing runs them here, so every value is parsed and
held against the code that it is for."""

from __future__ import annotations

import re
import shlex
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from desktop.terminal.options import parser
from engine.archive.place import Place
from indexer.team.command import serve_parser
from indexer.team.served import QDRANT_KEY

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "resources/deploy"
_VARIABLE = re.compile(r"\$\{(\w+)")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return read


@pytest.fixture(scope="module")
def cluster() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "ray-cluster.yaml").read_text())
    return read


def served(compose: dict[str, Any]) -> Any:
    name, *arguments = compose["services"]["team"]["command"]
    assert name == "serve"
    return serve_parser().parse_args(arguments)


def test_the_services_command_is_one_that_inkling_takes(compose: dict[str, Any]) -> None:
    options, team = served(compose), compose["services"]["team"]
    assert Place.of(options.archive, {}).bucket == "archive"
    assert team["ports"] == [f"{options.port}:{options.port}"]
    mounted = {v.split(":")[1] for v in team["volumes"]}
    assert options.dir in mounted
    assert options.accounts in mounted
    assert {str(Path(options.cert).parent), str(Path(options.key).parent)} <= mounted
    for volume in team["volumes"]:
        source = volume.split(":")[0]
        assert source.startswith("./") or source in compose["volumes"]


def test_the_service_reaches_the_stores(compose: dict[str, Any]) -> None:
    services, options = compose["services"], served(compose)
    host, port = options.qdrant.removeprefix("http://").split(":")
    assert host in services
    assert port == "6333"  # what its image listens on
    endpoint = services["team"]["environment"]["AWS_ENDPOINT_URL"].removeprefix("http://")
    host, port = endpoint.split(":")
    assert f"-s3.port={port}" in shlex.split(services[host]["command"])
    bucket = services["bucket"]["command"][0]
    assert f"-name {Place.of(options.archive, {}).bucket}'" in bucket
    assert f"-master={host}:9333" in bucket
    # The key that Qdrant asks for is the one that the service gives.
    key = services["qdrant"]["environment"]["QDRANT__SERVICE__API_KEY"]
    assert services["team"]["environment"][QDRANT_KEY] == key
    for one in services.values():
        assert set(one.get("depends_on", ())) <= services.keys()


def test_the_server_is_of_the_clients_version(compose: dict[str, Any]) -> None:
    tag = compose["services"]["qdrant"]["image"].partition(":v")[2]
    client, server = (tuple(map(int, v.split(".")[:2])) for v in (version("qdrant-client"), tag))
    assert client[0] == server[0]
    assert abs(client[1] - server[1]) <= 1  # further apart the client refuses


def test_the_fill_is_into_the_archive_that_is_served(compose: dict[str, Any]) -> None:
    fill = compose["services"]["fill"]
    options = parser().parse_args(fill["command"])
    assert options.command == "fill"
    assert options.uri == served(compose).archive
    source, target, mode = re.findall(r"\$\{[^}]*\}|ro", fill["volumes"][0])
    assert source == target == fill["command"][-1]  # the path that people know
    assert mode == "ro"
    assert fill["profiles"] == ["fill"]  # not started with the rest


def test_nothing_secret_stands_in_the_files(compose: dict[str, Any]) -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    example = (DEPLOY / "env.example").read_text()
    told = set(re.findall(r"^(\w+)=", example, re.M))
    assert set(_VARIABLE.findall(text)) == told
    assert re.findall(r"^\w*(?:KEY|SECRET)\w*=(.*)$", example, re.M) == ["", "", ""]
    for service in compose["services"].values():
        for name, value in service.get("environment", {}).items():
            if re.search("KEY|SECRET", name):
                assert value.startswith("${")


def test_stores_are_not_open_to_the_network(compose: dict[str, Any]) -> None:
    opened = [name for name, one in compose["services"].items() if "ports" in one]
    assert opened == ["team"]


def test_the_image_has_the_extra_and_the_python_that_inkling_wants() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extra,) = re.findall(r"\.whl\)\[(\w+)\]", text)
    assert extra in project["optional-dependencies"]
    (python,) = re.findall(r"^FROM python:(\d+\.\d+)", text, re.M)
    assert python in project["requires-python"]
    assert "inkling" in project["scripts"]
    assert 'ENTRYPOINT ["inkling"]' in text


def test_the_cluster_starts_what_a_fill_connects_to(cluster: dict[str, Any]) -> None:
    text = (DEPLOY / "ray-cluster.yaml").read_text()
    (line,) = re.findall(r"^#\s+inkling (fill .*)$", text, re.M)
    options = parser().parse_args(shlex.split(line))
    port = options.ray.rpartition(":")[2]
    head = " ".join(cluster["head_start_ray_commands"])
    assert f"--ray-client-server-port={port}" in head
    gcs = re.findall(r"--port=(\d+)", head)
    assert [f"--address=$RAY_HEAD_IP:{gcs[0]}" in c for c in cluster["worker_start_ray_commands"]][
        -1
    ]
    for commands in (cluster["head_start_ray_commands"], cluster["worker_start_ray_commands"]):
        started = [c for c in commands if "ray start" in c]
        assert all(c.startswith("RAY_USAGE_STATS_ENABLED=0 ") for c in started)
    assert "--dashboard-host=127.0.0.1" in head  # it has no password
    assert cluster["provider"]["type"] == "local"
    assert len(cluster["provider"]["worker_ips"]) == cluster["max_workers"]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extra,) = re.findall(r"\.whl\)\[(\w+)\]", " ".join(cluster["setup_commands"]))
    assert extra in project["optional-dependencies"]
