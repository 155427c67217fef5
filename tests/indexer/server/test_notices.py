"""Nothing fails in silence: an index with nothing in it says so, as data that every face words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from desktop.terminal import output
from engine.contract import codec
from engine.contract.notices import notice
from engine.contract.paths import BaseDir
from engine.contract.settings import Settings
from engine.contract.types import Answer
from indexer.server.lifecycle import Indexer
from tests.indexer.archives.scripted_archive import serving
from tests.indexer.ledger.noted_files import add, done


@pytest.fixture
def opened(base: BaseDir) -> Iterator[Indexer]:
    """Opened, not started: nothing is read."""
    settings = Settings.load(base)
    settings.set("model", "minilm")
    made = Indexer(base, settings).open()
    yield made
    made.close()


def last(indexer: Indexer, text: str) -> Answer:
    *_, answer = indexer.ports.search.search(text)
    return answer


def test_an_empty_index_says_what_helps(
    opened: Indexer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert last(opened, "sourdough bread").notices == (notice("no-folders"),)
    ledger = opened.index.ledger
    folder = tmp_path / "files"
    folder.mkdir()
    root = ledger.add_root(folder)
    first, second = add(ledger, root, "a.bin", "b.bin")
    assert last(opened, "sourdough bread").notices == ()  # they are to be read: coverage says so
    ledger.set_state(first, "skipped", "unsupported")
    ledger.set_state(second, "failed", "broken")
    answer = last(opened, "sourdough bread")
    assert answer.notices == (notice("nothing-indexed", files="2"),)
    output.show_answer(codec.to_data(answer))
    said = capsys.readouterr().out
    assert "Of none of the 2 files" in said
    assert "inkling problems" in said
    ledger.finish([done(first)], 1)
    assert last(opened, "sourdough bread").notices == ()


def test_where_an_archive_answers_an_empty_index_is_no_matter(opened: Indexer) -> None:
    with serving() as script:
        opened.ports.archives.add("Lab", script.url, "secret", "")
        *_, told = opened.ports.search.search("sourdough bread", elsewhere=True)
        *_, here = opened.ports.search.search("sourdough bread archive:here", elsewhere=True)
    assert ({hit.archive for hit in told.hits}, told.notices) == ({"Lab"}, ())
    assert here.notices == (notice("no-folders"),)


def test_a_question_that_the_model_can_t_read_is_told_in_the_end(
    opened: Indexer, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()
    opened.index.ledger.add_root(tmp_path / "files")
    *before, answer = opened.ports.search.search("wie backe ich ein Brot")
    assert not any(stage.notices for stage in before)
    assert [said.code for said in answer.notices] == ["language"]
    assert last(opened, "how do I bake bread").notices == ()
