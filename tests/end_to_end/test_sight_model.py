"""The role of sight for real: the tiny EmbeddingGemma 2 sees pictures beside the model that reads,
in its own worker; texts are not touched for it, and going back takes no encoding."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.contract.settings import DEFAULT_MODEL
from tests.end_to_end.conftest import Inkling
from tests.engine.encoders.gemma2_tiny import CHECKPOINT
from tests.scenes import scene
from tests.waiting import until

GEMMA = "embeddinggemma-2"


def sight(inkling: Inkling) -> dict[str, Any]:
    model: dict[str, Any] | None = inkling.client().status()["sight"]["model"]
    return model or {}


def row(inkling: Inkling) -> dict[str, Any]:
    rows = inkling.client().call("GET", "/v1/models")["models"]
    return next(row for row in rows if row["id"] == GEMMA)


def test_it_sees_beside_the_model_that_reads(inkling: Inkling, notes: Path) -> None:
    for number in range(4):
        scene(number, (160, 120)).save(notes / f"scene-{number}.png")
    inkling.ok("add", str(notes), "--wait")
    before = inkling.client().status()
    assert (
        "can't see pictures" in inkling.run("model", "use", DEFAULT_MODEL, "--for", "sight").stderr
    )
    offer = inkling.client().call("GET", "/v1/models")["offer"]
    assert (offer["pictures"], offer["commercial_use"]) == (4, True)
    assert offer["seconds"] is None or offer["seconds"] > 0
    inkling.ok("model", "add", str(CHECKPOINT), "--accept-licence")
    assert "It is in use." in inkling.ok("model", "use", GEMMA, "--for", "sight", "--wait")

    after = inkling.client().status()
    assert (sight(inkling)["in_use"], sight(inkling)["seen"]) == (True, 4)
    assert sight(inkling)["seconds_each"] > 0
    assert (after["encoded"], after["model"]["id"]) == (before["encoded"], DEFAULT_MODEL)
    assert row(inkling)["sees"]
    assert inkling.client().call("GET", "/v1/models")["offer"] is None
    assert not row(inkling)["in_use"]
    assert "in use: sees" in inkling.ok("model", "list")
    assert "sees your pictures" in inkling.run("model", "remove", GEMMA).stderr

    # A picture asks it, and so does a sentence.
    asked = str(notes / "scene-2.png")
    found = inkling.json("search", "--image", asked)["hits"][0]
    assert found["path"] == asked
    assert {"sight", "seen"} <= set(found["lanes"])
    told = json.loads(inkling.ok("explain", asked, "--query", "hills below a sky", "--json"))
    assert "seen" in json.dumps(told)
    assert inkling.paths("oven cast iron pot")[0].endswith("bread.md")

    # What is new is seen, too; back and forth takes no encoding.
    scene(9, (160, 120)).save(notes / "new.png")
    until(lambda: sight(inkling).get("seen") == 5)
    inkling.ok("model", "use", "none", "--for", "sight")
    until(lambda: not row(inkling)["sees"])
    assert row(inkling)["index_bytes"] > 0
    assert "seen" not in inkling.json("search", "--image", asked)["hits"][0]["lanes"]
    inkling.ok("model", "use", GEMMA, "--for", "sight", "--wait")
    assert (sight(inkling)["seen"], sight(inkling)["seconds_each"]) == (5, None)
    inkling.ok("model", "use", "none", "--for", "sight")
    until(lambda: not row(inkling)["sees"])
    inkling.ok("model", "remove", GEMMA)
    assert row(inkling)["index_bytes"] == 0
