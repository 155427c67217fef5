"""Who is asked and who must not be: confirmation, policy, keys, and what a request carries."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from engine.contract.asking import Found, host_to_confirm
from engine.contract.errors import InklingError
from engine.engine import Engine
from indexer.asking import addresses, finding, policy
from indexer.asking.how_to import how_to
from tests.indexer.asking.conftest import Asked, port_over
from tests.scripted_model_server import Refusal, ScriptedModelServer

#: Of no machine; what is sent there gets lost.
FAR = "192.0.2.7"


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name far.example is another machine's."""
    found = addresses.resolve

    def resolve(host: str, port: int) -> list[str]:
        return [FAR] if host == "far.example" else found(host, port)

    monkeypatch.setattr(addresses.here, "__defaults__", (resolve,))


def servers(asked: Asked):  # noqa: ANN201
    return asyncio.run(asked.port.servers())


class TestAnotherMachine:
    @pytest.mark.parametrize("host", [FAR, "far.example"])
    def test_it_is_not_even_looked_at_before_it_is_confirmed(
        self, asked: Asked, elsewhere: None, monkeypatch: pytest.MonkeyPatch, host: str
    ) -> None:
        async def never(*_: object, **__: object) -> None:
            raise AssertionError("it was asked for its models")

        monkeypatch.setattr("indexer.asking.service.look_at", never)
        asked.settings.ask_server = f"http://{host}:9/v1"
        told = servers(asked)
        assert (told.to_confirm, told.server) == (host, "")
        assert not told.servers[0].local
        with pytest.raises(InklingError) as caught:
            asked.events()
        assert host_to_confirm(caught.value) == host

    def test_what_was_found_on_this_machine_is_not_asked_in_its_place(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        asked.settings.ask_server = f"http://{FAR}:9/v1"
        assert servers(asked).server == ""
        with pytest.raises(InklingError):
            asked.events()
        assert server.asked == []

    @pytest.mark.parametrize("typed", ["", "192.0.2.8", "yes", f"{FAR}x"])
    def test_another_name_confirms_nothing(self, asked: Asked, typed: str) -> None:
        asked.settings.ask_server = f"http://{FAR}:9/v1"
        with pytest.raises(InklingError, match="is not the machine"):
            asyncio.run(asked.port.confirm(typed))
        assert asked.settings.ask_confirmed == ""

    def test_its_name_confirms_it_and_no_other(
        self, asked: Asked, elsewhere: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finding, "_TELL_S", 0.1)
        asked.settings.ask_server = "http://far.example:9/v1"
        told = asyncio.run(asked.port.confirm(" FAR.example "))
        assert (told.to_confirm, asked.settings.ask_confirmed) == ("", "far.example")
        assert told.servers[0].error is not None
        assert "No language model answers" in told.servers[0].error["message"]
        with pytest.raises(InklingError) as caught:
            asked.events(server=f"http://{FAR}:9/v1")
        assert host_to_confirm(caught.value) == FAR

    def test_nothing_is_confirmed_where_nothing_is_named(self, asked: Asked) -> None:
        with pytest.raises(InklingError):
            asyncio.run(asked.port.confirm(FAR))

    def test_a_policy_forbids_even_what_was_confirmed(self, asked: Asked, tmp_path: Path) -> None:
        file = tmp_path / "policy.toml"
        file.write_text("[answers]\nother_machines = false\n")
        asked.environment[policy.VARIABLE] = str(file)
        asked.settings.ask_server = f"http://{FAR}:9/v1"
        asked.settings.ask_confirmed = FAR
        told = servers(asked)
        assert (told.forbidden_by, told.to_confirm, told.server) == (str(file), "", "")
        for forbidden in (asked.events, lambda: asyncio.run(asked.port.confirm(FAR))):
            with pytest.raises(InklingError, match="may not be asked"):
                forbidden()

    def test_a_policy_forbids_asking_at_all(
        self, asked: Asked, server: ScriptedModelServer, tmp_path: Path
    ) -> None:
        file = tmp_path / "policy.toml"
        file.write_text("[answers]\nenabled = false\n")
        asked.environment[policy.VARIABLE] = str(file)
        told = servers(asked)
        assert (told.servers, told.how_to, told.forbidden_by) == ((), (), str(file))
        assert told.error is not None
        with pytest.raises(InklingError, match="No language model may be asked"):
            asked.events()
        assert server.requests == []


class TestARequest:
    def test_proxies_and_what_else_the_environment_says_are_passed_over(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://192.0.2.9:3128")
        for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ADMIN_KEY"):
            monkeypatch.setenv(name, "sk-somebody")
        monkeypatch.setenv("OPENAI_BASE_URL", "http://192.0.2.9/v1")
        monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "X-Mine: sk-somebody\nAuthorization: sk-x")
        assert isinstance(asked.events()[0], Found)
        for _, headers in server.requests:
            assert "sk-" not in str(headers)
            assert not [name for name in headers if name.startswith("x-")]
            assert headers.keys() <= {
                "host", "accept", "connection", "content-type", "content-length",
            }  # fmt: skip

    def test_a_key_goes_to_the_server_that_is_named(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        asked.environment["INKLING_ASK_KEY"] = "sk-mine"
        asked.events()
        assert "sk-mine" not in str(server.requests)
        asked.settings.ask_server = server.url
        told = asked.events()
        assert server.requests[-1][1]["authorization"] == "Bearer sk-mine"
        assert "sk-mine" not in str(told)
        with ScriptedModelServer() as other:
            asked.events(server=other.url)
            assert "sk-mine" not in str(other.requests)

    def test_a_redirect_is_not_followed(self, asked: Asked, server: ScriptedModelServer) -> None:
        with ScriptedModelServer() as other:

            def away() -> None:
                raise Refusal(307, "away", Location=f"{other.url}/models")

            server.models = lambda _body: away()
            asked.settings.ask_server = server.url
            (told,) = [one for one in servers(asked).servers if one.url == server.url]
            assert told.error is not None
            assert "not followed" in told.error["message"]
            assert other.requests == []

    def test_a_name_that_means_another_machine_by_now_is_not_asked(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It was local when that was looked at: rebinding."""
        numbers = ["127.0.0.1"]
        monkeypatch.setattr(addresses.here, "__defaults__", (lambda host, port: numbers,))
        asked.settings.ask_server = f"http://models.example:{server.port}/v1"

        def rebind(event: object) -> None:
            numbers[:] = [FAR] if isinstance(event, Found) else numbers

        events = asked.events(each=rebind)
        assert "No language model answers" in str(events[-1])
        assert server.asked == []
        assert {line for line, _ in server.requests} >= {"GET /v1/models"}

    def test_a_server_on_the_newer_protocol_alone_is_found(
        self, engine: Engine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        try:
            made = ScriptedModelServer(host="::1")
        except OSError:
            pytest.skip("this machine has no IPv6")
        with made as server:
            monkeypatch.setattr(finding, "PORTS", (server.port,))
            asked = port_over(engine)
            assert servers(asked).server == server.url
            assert isinstance(asked.events()[0], Found)


class TestWhatIsFound:
    def test_the_first_by_the_order_of_the_table(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ScriptedModelServer() as other:
            monkeypatch.setattr(finding, "PORTS", (other.port, server.port))
            told = servers(asked)
            assert [one.url for one in told.servers] == [other.url, server.url]
            assert told.server == other.url

    def test_the_one_that_is_named_comes_first_and_once(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ScriptedModelServer() as other:
            monkeypatch.setattr(finding, "PORTS", (other.port, server.port))
            asked.settings.ask_server = f"localhost:{server.port}"
            asked.settings.ask_model = "other"
            told = servers(asked)
            assert len(told.servers) == 2
            assert told.server == f"http://localhost:{server.port}/v1"
            assert told.model == "other"
            assert told.servers[0].url == told.server

    def test_where_none_is_there_is_a_way_to_get_one(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        server.close()
        told = servers(asked)
        assert (told.servers, told.server, told.model) == ((), "", "")
        assert told.how_to
        with pytest.raises(InklingError, match="No server with a language model"):
            asked.events()

    def test_one_that_has_ended_gives_way_to_another(
        self, asked: Asked, server: ScriptedModelServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with ScriptedModelServer() as other:
            monkeypatch.setattr(finding, "PORTS", (server.port, other.port))
            asked.events()
            server.close()
            found = asked.events()[0]
            assert isinstance(found, Found)
            assert found.server == other.url

    def test_what_was_found_is_not_looked_for_with_every_question(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        asked.events()
        before = len(server.requests)
        asked.events()
        assert [line for line, _ in server.requests[before:]] == ["POST /v1/chat/completions"]

    def test_a_server_without_a_certificate(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        asked.settings.ask_server = f"https://127.0.0.1:{server.port}/v1"
        with pytest.raises(InklingError, match="can't prove who it is"):
            asked.events()

    def test_a_port_that_takes_a_connection_and_says_nothing(
        self, asked: Asked, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(finding, "_TELL_S", 0.1)
        with socket.create_server(("127.0.0.1", 0)) as mute:
            monkeypatch.setattr(finding, "PORTS", (mute.getsockname()[1],))
            assert servers(asked).servers == ()

    def test_a_mistyped_address_is_told_beside_what_is_found(
        self, asked: Asked, server: ScriptedModelServer
    ) -> None:
        asked.settings.ask_server = "http://a@b/"
        told = servers(asked)
        assert told.server == ""
        assert told.servers[0].error is not None
        assert told.servers[1].url == server.url


@pytest.mark.parametrize("system", ["linux", "darwin", "win32", "freebsd14"])
def test_ways_to_get_a_server_are_of_the_system(system: str) -> None:
    for way in how_to(system):
        assert way.name
        assert way.url.startswith("https://")
        assert len(way.commands) == 2
        assert ("winget" in way.commands[0]) == (system == "win32")
