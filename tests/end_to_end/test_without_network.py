"""Nothing is sent anywhere: a day of use where there is no way out, and the kernel counts."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from engine.contract.paths import BaseDir
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow
_ALONE = ["unshare", "--user", "--map-root-user", "--net"]


def _why_not() -> str:
    if sys.platform != "linux" or shutil.which("unshare") is None:
        return "needs unshare"
    tried = subprocess.run([*_ALONE, "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "needs namespaces of user and network"


@pytest.mark.usefixtures("light_model")
def test_a_day_of_use_tries_no_connection(base: BaseDir, tmp_path: Path) -> None:
    if why := _why_not():
        pytest.skip(why)
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "note.md").write_text("# Day\n\nThe keeper of the lighthouse counted ships.\n")
    picture = Image.new("RGB", (640, 200), "white")
    ImageDraw.Draw(picture).text((20, 60), "HARBOUR TIMETABLE", fill="black", font_size=48)
    picture.save(folder / "sign.png")
    day = "tests.end_to_end.day_without_network"
    done = subprocess.run(
        [*_ALONE, sys.executable, "-m", day, str(base.root), str(folder)],
        capture_output=True, text=True, timeout=3 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert all(told["answered"].values()), told
    # An attempt does show.
    assert told["with_attempt"]["Ip:OutNoRoutes"] > told["refused"]["Ip:OutNoRoutes"]
    assert not any(told["refused"].values()), told


def test_the_runtime_is_told_to_report_nothing() -> None:
    """It would after some seconds, from every process that has loaded it."""
    said = "import engine.contract, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    assert subprocess.check_output([sys.executable, "-c", said], text=True).strip() == "1"
