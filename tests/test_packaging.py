"""What a system is given of Inkling beside its code: package, desktop files, recipes.

Judged by the tools of those who read it where they are installed, else by what their formats ask.
"""

from __future__ import annotations

import configparser
import gzip
import re
import shlex
import shutil
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml

from desktop.system.identity import BUS_NAME
from desktop.terminal.options import parser
from engine.contract.version import APPLICATION_ID, VERSION
from engine.models.registry import MODELS
from tests.setup_scripts import FOLDER, setup_script

RESOURCES = FOLDER.parent
RECIPES = RESOURCES / "packaging"

needs_dpkg = pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="packages are made on Debian")


def judged(tool: str, *arguments: str) -> None:
    """AssertionError with what it says, if it is here and finds something."""
    if shutil.which(tool) is not None:
        done = subprocess.run([tool, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package's files, without the gigabyte of libraries."""
    build = setup_script("build_deb")
    root = tmp_path_factory.mktemp("deb") / "root"
    build.system_files(root)
    build.control(root)
    return root


def test_the_desktop_finds_it(root: Path) -> None:
    entry = root / "usr/share/applications" / f"{APPLICATION_ID}.desktop"
    judged("desktop-file-validate", "--no-hints", str(entry))
    told = configparser.RawConfigParser(strict=True, interpolation=None)
    told.optionxform = str  # type: ignore[assignment,method-assign]
    told.read(entry, encoding="utf-8")
    main = told["Desktop Entry"]
    assert main["Icon"] == main["StartupWMClass"] == APPLICATION_ID
    actions = main["Actions"].rstrip(";").split(";")
    assert {f"Desktop Action {name}" for name in actions} == {*told.sections()} - {main.name}
    for section in told.values():
        if command := section.get("Exec"):
            name, *arguments = shlex.split(command)
            assert (root / "usr/bin" / name).is_file()
            parser().parse_args([word for word in arguments if not word.startswith("%")])


def test_pictures_can_be_opened_with_it(root: Path) -> None:
    entry = root / "usr/share/applications" / f"{APPLICATION_ID}.Similar.desktop"
    judged("desktop-file-validate", "--no-hints", str(entry))
    told = configparser.RawConfigParser(interpolation=None)
    told.read(entry, encoding="utf-8")
    assert "image/png" in told["Desktop Entry"]["MimeType"].split(";")
    _, *arguments = shlex.split(told["Desktop Entry"]["Exec"])
    assert arguments[-1] == "%f"
    assert parser().parse_args([*arguments[:-1], "a.png"]).similar == "a.png"


def test_its_searches_are_answered(root: Path) -> None:
    """GNOME's and Plasma's, by the name that the bus starts a command of ours for."""
    service = configparser.ConfigParser()
    service.read(root / "usr/share/dbus-1/services" / f"{BUS_NAME}.service")
    program, *arguments = shlex.split(service["D-BUS Service"]["Exec"])
    assert (root / program.lstrip("/")).is_file()
    assert parser().parse_args(arguments).command == "serve-desktop"
    (gnome,) = (root / "usr/share/gnome-shell/search-providers").iterdir()
    (plasma,) = (root / "usr/share/krunner/dbusplugins").iterdir()
    assert f"BusName={BUS_NAME}\n" in gnome.read_text()
    assert f"X-Plasma-DBusRunner-Service={BUS_NAME}\n" in plasma.read_text()
    assert service["D-BUS Service"]["Name"] == BUS_NAME


def test_software_centres_can_show_it(root: Path) -> None:
    (file,) = (root / "usr/share/metainfo").iterdir()
    judged("appstreamcli", "validate", "--no-net", str(file))
    told = ElementTree.parse(file).getroot()
    assert told.findtext("id") == APPLICATION_ID
    assert told.findtext("launchable") == f"{APPLICATION_ID}.desktop"
    assert told.findtext("project_license") == "AGPL-3.0-or-later"
    releases = [release.get("version") for release in told.iter("release")]
    assert releases[0] == VERSION


def test_the_icon_is_there_in_every_size(root: Path) -> None:
    icons = root / "usr/share/icons/hicolor"
    assert (icons / "scalable/apps" / f"{APPLICATION_ID}.svg").is_file()
    for side in (16, 32, 48, 256):
        drawn = (icons / f"{side}x{side}/apps/{APPLICATION_ID}.png").read_bytes()
        assert drawn[:8] == b"\x89PNG\r\n\x1a\n"
        assert int.from_bytes(drawn[16:20], "big") == side
        assert len(drawn) > 150  # something is drawn


def test_the_manual_names_every_command(root: Path) -> None:
    page = gzip.decompress((root / "usr/share/man/man1/inkling.1.gz").read_bytes()).decode()
    assert page.startswith(".TH INKLING 1")
    assert {"search", "doctor", "demo"} <= set(re.findall(r"[a-z]+", page))


@needs_dpkg
def test_the_package_is_one(root: Path, tmp_path: Path) -> None:
    deb = tmp_path / "inkling.deb"
    setup_script("build_deb").pack(root, deb)
    shown = ["Package", "Version", "Depends"]
    command = ["dpkg-deb", "--field", str(deb), *shown]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"Package: inkling-search\nVersion: {VERSION}\n" in told
    # Qt loads these by name: no tool finds them.
    assert {"libegl1", "libxcb-cursor0"} <= set(re.findall(r"[\w.-]+", told))
    command = ["dpkg-deb", "--contents", str(deb)]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    modes = {line.split()[-1]: line for line in listed.splitlines() if " -> " not in line}
    assert modes["./usr/bin/inkling"].startswith("-rwxr-xr-x root/root")
    assert modes["./usr/share/doc/inkling-search/copyright"].startswith("-rw-r--r-- root/root")
    assert "./usr/lib/inkling-search/bin/python -> /usr/bin/python3" in listed
    judged("lintian", "--fail-on", "error", "--allow-root", str(deb))


@needs_dpkg
def test_its_scripts_are_sound(root: Path) -> None:
    names = ["DEBIAN/postinst", "DEBIAN/prerm", "DEBIAN/postrm", "usr/bin/inkling"]
    for name in names:
        judged("sh", "-n", str(root / name))
    assert "rm -rf /usr/lib/inkling-search\n" in (root / "DEBIAN/postrm").read_text()


def test_what_is_cut_off_libraries_is_none_of_ours() -> None:
    build = setup_script("build_deb")
    left_out = build.unused()
    assert "tree_sitter_language_pack/bindings/verilog.abi3.so" in left_out
    assert "tree_sitter_language_pack/bindings/python.abi3.so" not in left_out
    needed = [
        *(f"{package}/{n}" for s in MODELS.values() for package in s.packages for n in s.sha256),
        "PySide6/QtWidgets.abi3.so", "PySide6/Qt/lib/libQt6OpenGL.so.6", "pyarrow/libparquet.so.1",
        "onnxruntime/capi/onnxruntime_pybind11_state.so", "pymupdf/_mupdf.so",
    ]  # fmt: skip
    assert [n for n in needed if any(fnmatch(n, pattern) for pattern in left_out)] == []


def test_recipes_say_that_they_are_unbuilt_and_name_this_version() -> None:
    recipes = sorted(RECIPES.iterdir())
    assert [r.name for r in recipes] == [
        "ci-matrix.yml",
        "flatpak.yml",
        "homebrew.rb",
        "winget.yml",
    ]
    for recipe in recipes:
        text = recipe.read_text(encoding="utf-8")
        assert text.startswith("# UNBUILT: "), recipe
        if recipe.suffix == ".yml":
            assert isinstance(yaml.safe_load(text), dict)
        if recipe.name != "ci-matrix.yml":
            assert VERSION in text
    flatpak = yaml.safe_load((RECIPES / "flatpak.yml").read_text(encoding="utf-8"))
    assert flatpak["id"] == APPLICATION_ID
    assert "--share=network" not in flatpak["finish-args"]
    paths = [source["path"] for source in flatpak["modules"][0]["sources"]]
    assert all((RECIPES / path).exists() for path in paths if "dist/" not in path)


def test_the_matrix_tests_what_is_there() -> None:
    told = yaml.safe_load((RECIPES / "ci-matrix.yml").read_text(encoding="utf-8"))
    text = " ".join(str(step.get("run")) for job in told["jobs"].values() for step in job["steps"])
    root = RESOURCES.parent
    named = re.findall(r"(?:tests|resources)/[\w/.]+|\.ci/run", text)
    assert named
    assert [path for path in named if not (root / path).exists()] == []
