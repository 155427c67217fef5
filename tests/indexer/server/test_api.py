"""The HTTP API of a real indexer: who may ask, what is refused, and how that is told."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from indexer.server.app import MAX_BODY, make_app
from indexer.server.ports import Ports
from tests.indexer.conftest import LATIN, SECRET, RunningIndexer, quoted

pytestmark = pytest.mark.slow


class TestWhoMayAsk:
    @pytest.mark.parametrize(
        "header",
        [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic dXNlcjpwYXNz", "Bearer caf\xe9"],
    )
    @pytest.mark.parametrize("target", ["/v1/status", "/v1/text?path=/x", "/mcp", "/nowhere"])
    def test_without_the_token_nothing_is_answered(
        self, indexer: RunningIndexer, header: str | None, target: str
    ) -> None:
        reply = indexer.ask("GET", target, headers={"Authorization": header})
        assert reply.status == 401
        assert "token" in reply.error

    def test_a_token_in_another_case_or_longer_is_wrong(self, indexer: RunningIndexer) -> None:
        for token in (indexer.token + "x", indexer.token[:-1], indexer.token.swapcase()):
            reply = indexer.ask("GET", "/v1/status", headers={"Authorization": f"Bearer {token}"})
            assert reply.status == 401

    @pytest.mark.parametrize(
        "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "", "127.0.0.1:1"]
    )
    def test_a_foreign_name_is_refused(self, indexer: RunningIndexer, host: str) -> None:
        port = indexer.client.endpoint.url.rpartition(":")[2]
        named = host.format(port=port)
        reply = indexer.ask("GET", "/v1/status", headers={"Host": named})
        assert reply.status in (400, 403)
        assert b"folders" not in reply.body

    @pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:{port}"])
    def test_web_pages_are_refused(self, indexer: RunningIndexer, origin: str) -> None:
        port = indexer.client.endpoint.url.rpartition(":")[2]
        for target in ("/v1/status", "/mcp"):
            reply = indexer.ask("GET", target, headers={"Origin": origin.format(port=port)})
            assert reply.status == 403
            assert "Web pages" in reply.error

    def test_only_loopback_listens(self, indexer: RunningIndexer) -> None:
        process = psutil.Process(indexer.client.endpoint.pid)
        listening = [c for c in process.net_connections("inet") if c.status == psutil.CONN_LISTEN]
        assert [c.laddr.ip for c in listening] == ["127.0.0.1"]


class TestSizes:
    def test_a_long_body_is_refused_before_it_is_read(self, indexer: RunningIndexer) -> None:
        reply = indexer.ask(
            "POST", "/v1/search", b"{", headers={"Content-Length": str(MAX_BODY + 1)}
        )
        assert reply.status == 413
        assert str(MAX_BODY) in reply.error

    @pytest.mark.parametrize("length", ["-1", "1e3", "x"])
    def test_a_body_of_unclear_length_is_refused(
        self, indexer: RunningIndexer, length: str
    ) -> None:
        reply = indexer.ask("POST", "/v1/search", b"{}", headers={"Content-Length": length})
        assert reply.status in (400, 413)

    def test_chunks_are_refused(self, indexer: RunningIndexer) -> None:
        reply = indexer.ask(
            "POST",
            "/v1/search",
            b"0\r\n\r\n",
            headers={"Content-Length": None, "Transfer-Encoding": "chunked"},
        )
        assert reply.status == 413

    @pytest.mark.parametrize("limit", [0, -1, 5_001, 10**30, 1.5, "many", None, True])
    def test_limits_hold(self, indexer: RunningIndexer, limit: object) -> None:
        reply = indexer.ask("POST", "/v1/search", {"query": "bread", "limit": limit})
        assert reply.status == 422
        assert "limit" in reply.error

    def test_a_long_query_is_refused(self, indexer: RunningIndexer) -> None:
        assert indexer.ask("POST", "/v1/search", {"query": "x" * 10_001}).status == 422
        assert indexer.ask("POST", "/v1/search", {"query": "bread " * 1_600}).status == 200

    def test_too_many_paths_are_refused(self, indexer: RunningIndexer) -> None:
        reply = indexer.ask("POST", "/v1/retry", {"paths": []})
        assert reply.status == 200
        assert indexer.ask("POST", "/v1/folders", {"paths": ["/x"] * 1001}).status == 422


class TestWrongRequests:
    @pytest.mark.parametrize(
        "body",
        [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b'{"query": "a",}', b"[" * 100_000],
    )
    def test_what_is_not_our_json(self, indexer: RunningIndexer, body: bytes) -> None:
        reply = indexer.ask("POST", "/v1/folders", body)
        assert reply.status in (400, 422)
        assert reply.error

    @pytest.mark.parametrize(
        ("method", "target", "body"),
        [
            ("POST", "/v1/search", {"query": 3}),
            ("POST", "/v1/search", {"query": "a", "stages": "perhaps"}),
            ("POST", "/v1/search", {"query": "a", "image": "relative.png"}),
            ("POST", "/v1/search", {"query": "a", "image": "/x\0y"}),
            ("POST", "/v1/search", {"query": "a", "filters": []}),
            ("POST", "/v1/similar", {"path": ["/x"]}),
            ("POST", "/v1/similar", {"path": "relative"}),
            ("POST", "/v1/similar", {"path": "/" + "x" * 10_000}),
            ("POST", "/v1/folders", {"paths": "/x"}),
            ("POST", "/v1/folders", {"paths": [1]}),
            ("POST", "/v1/folders", {"paths": ["\ud800"]}),
            ("POST", "/v1/pause", {"seconds": 0}),
            ("POST", "/v1/pause", {"seconds": 10**12}),
            ("POST", "/v1/pause", {"seconds": "long"}),
            ("POST", "/v1/settings", [1]),
            ("GET", "/v1/explain", None),
            ("GET", "/v1/explain?path=", None),
            ("GET", "/v1/explain?path=relative", None),
            ("GET", "/v1/explain?path=/a&path=/b", None),
            ("GET", "/v1/explain?path=/a%00b", None),
            ("GET", "/v1/problems?limit=0", None),
            ("GET", "/v1/recent?limit=x", None),
            ("GET", "/v1/render?path=/x&width=100000", None),
            ("GET", "/v1/thumb?path=/x&page=-1", None),
        ],
    )
    def test_wrong_types_are_told_in_our_form(
        self, indexer: RunningIndexer, method: str, target: str, body: object
    ) -> None:
        reply = indexer.ask(method, target, body)
        assert reply.status == 422
        assert reply.error

    @pytest.mark.parametrize(
        ("target", "body", "said"),
        [
            ("/v1/search", {"filters": {"colour": ["red"]}}, "kinds, exts"),
            ("/v1/search", {"filters": {"kinds": "note"}}, "kinds"),
            ("/v1/search", {"filters": {"after": "monday"}}, "after"),
            ("/v1/search", {"query": "a", "image": "/no/such.png"}, "no picture"),
            ("/v1/folders", {"paths": ["/no/such/folder"]}, "/no/such/folder"),
            ("/v1/estimate", {"paths": ["/no/such/folder"]}, "/no/such/folder"),
            ("/v1/settings", {"colour": "red"}, "Known settings"),
            ("/v1/settings", {"ocr": "yes"}, "true or false"),
            ("/v1/settings", {"max_file_mb": 0}, "from 1 to"),
            ("/v1/retry", {"paths": ["/etc/passwd"]}, "not in the index"),
            ("/v1/allow", {"paths": ["/etc/passwd"]}, "not in the index"),
        ],
    )
    def test_wrong_values_say_what_to_do(
        self, indexer: RunningIndexer, target: str, body: object, said: str
    ) -> None:
        reply = indexer.ask("POST", target, body)
        assert reply.status == 400
        assert said in reply.error

    @pytest.mark.parametrize(
        ("method", "target", "status"),
        [("GET", "/", 404), ("GET", "/docs", 404), ("GET", "/openapi.json", 404),
         ("GET", "/v1/search", 405), ("DELETE", "/mcp", 405), ("OPTIONS", "/v1/search", 405)],
    )  # fmt: skip
    def test_other_addresses(
        self, indexer: RunningIndexer, method: str, target: str, status: int
    ) -> None:
        reply = indexer.ask(method, target)
        assert reply.status == status
        assert reply.error

    def test_nothing_of_it_ended_the_indexer_or_stands_in_its_log(
        self, indexer: RunningIndexer
    ) -> None:
        assert indexer.client.status()["state"] == "idle"
        log = (indexer.base.logs / "indexer.log").read_text()
        assert "Traceback" not in log
        assert SECRET not in log


class TestConfinement:
    @pytest.mark.parametrize("call", ["thumb", "render", "text"])
    def test_files_outside_the_index_are_refused(
        self, indexer: RunningIndexer, call: str, tmp_path: Path
    ) -> None:
        secret = tmp_path / "diary.txt"
        secret.write_text("dear diary")
        inside = indexer.folder
        for path in (secret, "/etc/passwd", inside, inside / ".." / "base" / "settings.toml",
                     indexer.base.endpoint, inside / "nothing.txt"):  # fmt: skip
            reply = indexer.ask("GET", f"/v1/{call}?path={quoted(path)}")
            assert reply.status in (400, 404), path
            assert reply.error
            assert b"dear diary" not in reply.body
            assert indexer.token.encode() not in reply.body

    def test_a_file_that_became_a_link_does_not_lead_out(
        self, indexer: RunningIndexer, tmp_path: Path
    ) -> None:
        from PIL import Image

        outside = tmp_path / "outside.png"
        Image.new("RGB", (50, 50), "red").save(outside)
        sign = indexer.folder / "sign.png"
        kept = sign.read_bytes()
        assert indexer.ask("GET", f"/v1/render?path={quoted(sign)}").status == 200
        try:
            # At once, so that the watcher has no time to take it off the list.
            sign.unlink()
            sign.symlink_to(outside)
            assert indexer.ask("GET", f"/v1/render?path={quoted(sign)}").status == 400
        finally:
            sign.unlink()
            sign.write_bytes(kept)
            time.sleep(0.5)
            indexer.until_idle()

    def test_withheld_files_are_not_given(self, indexer: RunningIndexer) -> None:
        path = quoted(indexer.folder / "creds.txt")
        for call in ("thumb", "render", "text"):
            reply = indexer.ask("GET", f"/v1/{call}?path={path}")
            assert SECRET.encode() not in reply.body
            assert reply.status in (200, 400, 404)
        assert indexer.ask("GET", f"/v1/render?path={path}").status == 400
        answer = indexer.ask("GET", f"/v1/explain?path={path}&query={SECRET}")
        assert answer.json["state"] == "withheld"
        assert answer.json["units"] == []
        hits = indexer.ask("POST", "/v1/search", {"query": f'"{SECRET}"'}).json["hits"]
        assert hits == []

    def test_what_is_in_the_index_is_served(self, indexer: RunningIndexer) -> None:
        sign = quoted(indexer.folder / "sign.png")
        assert indexer.ask("GET", f"/v1/thumb?path={sign}").type == "image/webp"
        assert indexer.ask("GET", f"/v1/render?path={sign}&width=200").body[:4] == b"\x89PNG"
        text = indexer.ask("GET", f"/v1/text?path={sign}").json["text"]
        assert "HARBOUR" in text.upper()


class TestNames:
    def test_a_name_that_is_not_utf8_comes_and_goes(self, indexer: RunningIndexer) -> None:
        path = str(indexer.folder / LATIN)
        reply = indexer.ask("POST", "/v1/search", {"query": "when does the coffee house open"})
        assert reply.body.isascii()
        assert reply.json["hits"][0]["path"] == path
        assert indexer.client.text(path) == "The coffee house opens at nine."
        assert indexer.client.explain(path)["state"] == "done"
        assert indexer.client.similar(path, 3)["hits"] is not None
        assert os.fsencode(path).endswith(b"caf\xe9.txt")

    def test_a_query_with_half_a_character(self, indexer: RunningIndexer) -> None:
        assert indexer.ask("POST", "/v1/search", {"query": "bread \udcff \ud83d"}).status == 200


class TestText:
    def test_all_of_it_without_repetition(self, indexer: RunningIndexer) -> None:
        path = indexer.folder / "long.txt"
        assert indexer.client.text(str(path)).split() == path.read_text().split()

    def test_the_lines_asked_for_and_little_more(self, indexer: RunningIndexer) -> None:
        text = indexer.client.text(str(indexer.folder / "long.txt"), lines=(250, 252))
        assert "day 250." in text
        assert "day 251." in text
        assert len(text) < 4_000

    def test_a_place_that_is_not_there(self, indexer: RunningIndexer) -> None:
        path = quoted(indexer.folder / "bread.md")
        reply = indexer.ask("GET", f"/v1/text?path={path}&page=7")
        assert reply.status == 400
        assert "no text at this place" in reply.error


class TestReadings:
    def test_words_read_as_a_filter_are_told_and_taken_back(self, indexer: RunningIndexer) -> None:
        asked = {"query": "pdf about sourdough bread"}
        told = indexer.ask("POST", "/v1/search", asked).json
        assert told["read"] == [{"words": "pdf about", "filter": "kind:pdf"}]
        for plain in (True, ["pdf about"], ["PDF  about", "else"]):
            words = indexer.ask("POST", "/v1/search", {**asked, "plain": plain}).json
            assert (words["read"], words["given_up"]) == ([], "")
            assert words["hits"][0]["path"] == str(indexer.folder / "bread.md")
        for wrong in ("yes please", 3, [1], {"a": 1}):
            assert indexer.ask("POST", "/v1/search", {**asked, "plain": wrong}).status == 422

    def test_what_no_file_meets_is_given_up(self, indexer: RunningIndexer) -> None:
        told = indexer.ask("POST", "/v1/search", {"query": "sourdough bread in 1999"}).json
        assert told["given_up"] == "nothing"
        assert told["hits"][0]["path"] == str(indexer.folder / "bread.md")

    def test_or_joins_filters_and_words(self, indexer: RunningIndexer) -> None:
        def paths(query: str) -> set[str]:
            body = {"query": query, "limit": 50}
            return {h["path"] for h in indexer.ask("POST", "/v1/search", body).json["hits"]}

        assert paths("ext:md OR ext:txt") == paths("ext:md") | paths("ext:txt")
        assert paths("*.md | kind:pdf") == paths("*.md") | paths("kind:pdf")
        assert paths("-(ext:md OR ext:txt)") == paths("-ext:md -ext:txt")
        assert paths('"sourdough" OR "coffee house"') == paths('"sourdough"') | paths(
            '"coffee house"'
        )

    def test_chips_with_or(self, indexer: RunningIndexer) -> None:
        either: dict[str, Any] = {"any_of": [[{"exts": ["md"]}, {"kinds": ["pdf"]}]]}
        asked = {"query": "bread", "limit": 50, "filters": either}
        typed = {"query": "bread (ext:md OR kind:pdf)", "limit": 50}
        chips, words = (indexer.ask("POST", "/v1/search", body).json for body in (asked, typed))
        assert [h["path"] for h in chips["hits"]] == [h["path"] for h in words["hits"]]
        assert chips["hits"]
        deep = {"any_of": [[either]]}
        reply = indexer.ask("POST", "/v1/search", {"query": "bread", "filters": deep})
        assert (reply.status, "any_of" in reply.error) == (400, True)
        none = {"query": "bread", "filters": {"any_of": [[]]}}
        assert indexer.ask("POST", "/v1/search", none).json["hits"] == []


class TestStages:
    def test_three_lines_each_an_answer(self, indexer: RunningIndexer) -> None:
        reply = indexer.ask("POST", "/v1/search", {"query": "sourdough", "stages": True})
        assert reply.type == "application/x-ndjson"
        stages: list[dict[str, Any]] = [json.loads(line) for line in reply.body.splitlines()]
        assert [stage["stage"] for stage in stages] == ["names", "words", "fused", "rescored"]
        assert stages[-1]["hits"][0]["path"] == str(indexer.folder / "bread.md")

    def test_raw_values_where_they_are_asked_for(self, indexer: RunningIndexer) -> None:
        told = indexer.ask("POST", "/v1/search", {"query": "sourdough", "raw": True}).json
        assert told["statistics"]["units"] > 0
        assert told["hits"][0]["features"]["rescored"] > 0
        assert told["hits"][0]["content"]
        plain = indexer.ask("POST", "/v1/search", {"query": "sourdough"}).json
        assert plain["statistics"] is None
        assert plain["hits"][0]["features"] == {}

    def test_a_wrong_picture_is_an_error_and_no_broken_stream(
        self, indexer: RunningIndexer
    ) -> None:
        body = {"query": "a", "image": str(indexer.folder / "no.png"), "stages": True}
        assert indexer.ask("POST", "/v1/search", body).status == 400


def test_every_call_is_described(indexer: RunningIndexer) -> None:
    described = Path(__file__).parents[3].joinpath("indexer", "server", "API.md").read_text()
    app = make_app(Ports(*[None] * 9), None, "", lambda: 0)  # type: ignore[arg-type]
    paths = {route.path for route in app.routes}  # type: ignore[attr-defined]
    assert len(paths) > 15
    assert {path for path in paths if path.removeprefix("/v1") not in described} == set()


def test_the_calls_are_listed_and_a_wrong_address_says_so(indexer: RunningIndexer) -> None:
    told = indexer.ask("GET", "/v1").json["calls"]
    assert {"GET /v1/status", "PATCH /v1/settings", "DELETE /v1/folders", "POST /mcp"} <= set(told)
    assert "GET /v1 lists" in indexer.ask("GET", "/v1/nowhere").error
    assert indexer.ask("GET", "/v1", headers={"Authorization": None}).status == 401


def test_a_folder_is_counted(indexer: RunningIndexer) -> None:
    told = indexer.client.explain(str(indexer.folder))
    assert told["state"] == "folder"
    assert told["sentence"] == "It is a folder: 5 of its 6 files are indexed."
