"""The sample library in a real index: every file is found, questions are answered in place."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks import everyday
from tests.end_to_end.conftest import Inkling

pytestmark = pytest.mark.slow

#: Questions in one language for files in another, written before they were asked.
ACROSS_LANGUAGES = {
    "Wann läuft der Mietvertrag aus?": "tenancy.pdf",
    "Wie hoch ist die Kaution der Wohnung?": "tenancy.pdf",
    "wo werden Uploads wiederholt, wenn das Netz ausfällt": "upload.py",
    "Rezept für Brot im gusseisernen Topf": "bread.md",
    "Notizen zum Umzug": "Umzug.md",
    "¿dónde se reintentan las subidas fallidas?": "upload.py",
    "contrato de alquiler del piso": "tenancy.pdf",
    "presupuesto de 2026": "budget 2026.xlsx",
    "receita de pão de fermentação natural": "bread.md",
    "combien coûte le loyer par mois": "tenancy.pdf",
    "quand planter les tomates au jardin": "jardin.txt",
    "code qui limite le nombre de requêtes": "limiter.ts",
    "ricetta del pane": "bread.md",
    "contratto d'affitto": "tenancy.pdf",
    "бюджет на 2026 год": "budget 2026.xlsx",
    "рецепт хлеба": "bread.md",
    "договор аренды квартиры": "tenancy.pdf",
    "失敗したアップロードを再試行するコード": "upload.py",
    "京都旅行の計画": "京都.md",
    "パンの焼き方": "bread.md",
    "上传失败后重试的代码": "upload.py",
    "租房合同": "tenancy.pdf",
    "umowa najmu mieszkania": "tenancy.pdf",
    "ekmek tarifi": "bread.md",
    "रोटी बनाने की विधि": "bread.md",
    "عقد إيجار الشقة": "tenancy.pdf",
    "moving house checklist": "Umzug.md",
    "trip to Kyoto": "京都.md",
    "what grows in the garden": "jardin.txt",
}


def rank(hits: list[dict[str, Any]], path: str) -> int | None:
    return next((n for n, hit in enumerate(hits) if hit["path"] == path), None)


def stands_at(hit: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a hit, or another place in its file, is where the question's answer stands."""
    places = [hit["location"], *(more["location"] for more in hit["more"])]
    if "page" in row:
        return any(place.get("page") == row["page"] for place in places)
    if "lines" in row:
        first, last = row["lines"]
        lines = (place.get("lines") or [0, 0] for place in places)
        return any(a <= last and first <= b for a, b in lines)
    return True


def test_its_questions_are_answered(inkling: Inkling, sample_library: Path) -> None:
    inkling.ok("add", str(sample_library), "--wait")
    client = inkling.client()
    status = client.status()
    assert status["totals"]["done"] == sum(1 for p in sample_library.rglob("*") if p.is_file())
    assert status["totals"].get("failed", 0) == 0

    lost_names = []
    stems = Counter(p.stem.casefold() for p in sample_library.rglob("*") if p.is_file())
    for file in sample_library.rglob("*"):
        if file.is_file() and stems[file.stem.casefold()] == 1:
            for typed in (file.name, file.stem):
                *_, answer = client.search(typed, limit=3)
                if rank(answer["hits"], str(file)) != 0:
                    lost_names.append(typed)
    assert lost_names == []

    lost_words = []
    for question in everyday.questions()[:: len(everyday.questions()) // 40]:
        answers = {answer["stage"]: answer["hits"] for answer in client.search(question.question)}
        if not 1 <= question.rank(hit["path"] for hit in answers["words"]) <= 3:
            lost_words.append(question.question)
    assert lost_words == []

    places = []
    for asked, name in ACROSS_LANGUAGES.items():
        *_, answer = client.search(asked, limit=10)
        names = [Path(hit["path"]).name for hit in answer["hits"]]
        places.append(names.index(name) if name in names else 10)
    assert sum(place < 3 for place in places) >= 0.8 * len(places), places
    assert places.count(0) >= 0.5 * len(places), places

    questions = (sample_library.parent / "questions.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in questions]
    lost, first, placed, weak = [], 0, 0, 0
    answerable = [row for row in rows if row["path"]]
    for row in rows:
        *_, answer = client.search(row["query"], limit=10)
        if not row["path"]:
            weak += bool(answer["weak"]) or not answer["hits"]
            continue
        found = rank(answer["hits"], str(sample_library / row["path"]))
        if found is None:
            lost.append(row["query"])
            continue
        first += found == 0
        placed += stands_at(answer["hits"][found], row)
    assert len(lost) <= 0.06 * len(answerable), lost
    assert first >= 0.68 * len(answerable)
    assert placed >= 0.9 * (len(answerable) - len(lost))
    assert weak >= 0.5 * (len(rows) - len(answerable))
