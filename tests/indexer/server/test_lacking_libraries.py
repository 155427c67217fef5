"""A model in use whose libraries went with an upgrade: downloading it again brings them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from engine.contract.errors import InklingError
from engine.contract.paths import BaseDir
from engine.models import files as model_files
from engine.models import libraries
from engine.models.registry import MODELS, model_spec
from indexer.indexing.downloads import Downloads
from indexer.server.models import IndexModels
from tests.waiting import until


class Quiet(IndexModels):
    """Without the overview, which needs a whole indexer."""

    def overview(self) -> dict[str, Any]:
        return {}


@pytest.mark.parametrize("lacking", [("inkling_needs_this",), ("json",)])
def test_one_in_use_gets_its_libraries(
    base: BaseDir, monkeypatch: pytest.MonkeyPatch, lacking: tuple[str, ...]
) -> None:
    spec = replace(model_spec("jina-v4"), libraries=lacking)
    monkeypatch.setitem(MODELS, spec.id, spec)
    monkeypatch.setattr(libraries, "requirements", list)
    monkeypatch.setattr(libraries, "_installer", lambda: None)
    model_files.accept_licence(spec, base)
    index = SimpleNamespace(
        base=base,
        engine=SimpleNamespace(spec=spec),
        settings=SimpleNamespace(model=spec.id, sight_model=""),
        seeing=SimpleNamespace(model=None),
    )
    downloads = Downloads(base)
    models = Quiet(cast(Any, index), cast(Any, None), downloads, cast(Any, None))
    if lacking == ("json",):  # all of them are here: its weights are what is in use
        with pytest.raises(InklingError, match="is in use"):
            models.download(spec.id, licence_accepted=True)
        return
    models.download(spec.id, licence_accepted=True)
    until(lambda: downloads.error(spec) is not None)
    error = downloads.error(spec)
    assert error is not None
    assert "can't install by itself" in error.message  # it was begun
