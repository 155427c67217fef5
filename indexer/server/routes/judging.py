"""Routes for a person's own judged questions."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct
from starlette.responses import Response
from starlette.routing import Route

from engine.contract import codec
from engine.contract.judgements import Judgement
from indexer.server.ports import Judging
from indexer.server.request_types import (
    MAX_QUERY,
    Nothing,
    Page,
    as_json,
    checked_path,
    get,
    post,
)

_Question = Annotated[str, Meta(min_length=1, max_length=MAX_QUERY)]


class AskedJudgement(Struct):
    """Whether a file, or a page of it, answers a question; `right` null takes that back."""

    question: _Question
    path: str
    page: Page | None = None
    right: bool | None = True

    def __post_init__(self) -> None:
        self.path = checked_path(self.path)

    @property
    def judgement(self) -> Judgement:
        return Judgement(self.question, self.path, self.page, self.right is not False)


class AskedEvaluation(Struct):
    """Of these questions, or of all that were judged; `fit`: and rank by what is fitted to them."""

    questions: Annotated[list[AskedJudgement], Meta(max_length=20_000)] = []
    fit: bool = False


def judging_routes(port: Judging) -> list[Route]:
    """Under /v1."""

    def judge(asked: AskedJudgement) -> Response:
        return as_json({"judged": port.judge(asked.judgement, take_back=asked.right is None)})

    def judged(_: Nothing) -> Response:
        return as_json({"judgements": codec.to_data(port.judgements.all())})

    def forget(_: Nothing) -> Response:
        port.judgements.clear()
        return as_json({"judged": 0})

    def evaluate(asked: AskedEvaluation) -> Response:
        given = [one.judgement for one in asked.questions]
        return as_json(port.evaluate(given, fit=asked.fit))

    def shipped(_: Nothing) -> Response:
        return as_json({"changed": port.use_shipped()})

    return [
        get("/v1/judgements", Nothing, judged),
        post("/v1/judgements", AskedJudgement, judge),
        post("/v1/judgements", Nothing, forget, "DELETE"),
        post("/v1/evaluate", AskedEvaluation, evaluate),
        post("/v1/evaluate", Nothing, shipped, "DELETE"),
    ]
