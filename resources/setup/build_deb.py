"""Builds what people install without Python's tools, for `make deb`: `python build_deb.py FOLDER`.

    inkling-search_VERSION_ARCH.deb     for Debian and Ubuntu with the Python that builds it
    inkling-VERSION-linux-ARCH.tar.gz   the same as a folder that is unpacked anywhere

Both hold an environment of their own with the libraries that are installed here, less what no part
of Inkling uses of them (environment.UNUSED). Nothing is fetched, now or later.
"""

from __future__ import annotations

import gzip
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path, PurePath

import build_dist
import check_system
import environment

from desktop.system.integration import Places, rows_for
from engine.contract.version import APPLICATION_ID, VERSION
from engine.models.packages import find_package
from indexer.reading.extract.languages import LANGUAGES

CHECKOUT = Path(__file__).resolve().parents[2]
NAME = "inkling-search"
HOME = f"usr/lib/{NAME}"
MAINTAINER = "The Inkling developers <inkling@lists.inkling-search.org>"
PYTHON = f"python{sys.version_info[0]}.{sys.version_info[1]}"
ICONS = (16, 24, 32, 48, 64, 128, 256, 512)
#: Of what a desktop is told (desktop/system/integration.py) these are each person's own.
OF_A_PERSON = ("nautilus",)

CONTROL = """\
Package: {name}
Version: {version}
Architecture: {arch}
Maintainer: {maintainer}
Installed-Size: {size}
Depends: {depends}
Recommends: libarchive13 | libarchive13t64
Suggests: libreoffice-core
Section: utils
Priority: optional
Description: find a file from an inkling of what was in it
 Inkling reads the folders you name (screenshots, pictures, PDFs, code, notes,
 office documents) and answers a sentence, in whatever language, with the file,
 the page, the lines or the region of the picture.
 .
 Everything happens on this machine; what it needs for that comes with it.
"""

#: Compiled where it is installed: by this Python, and removed with the rest.
POSTINST = """\
#!/bin/sh
set -e
if [ "$1" = configure ]; then
    /{home}/bin/python -m compileall -q -j 0 /{home}/lib >/dev/null 2>&1 || true
fi
"""

PRERM = """\
#!/bin/sh
set -e
find /{home} -name __pycache__ -type d -prune -exec rm -rf {{}} +
"""

#: What was installed for models lies among our own.
POSTRM = """\
#!/bin/sh
set -e
if [ "$1" = remove ] || [ "$1" = purge ]; then
    rm -rf /{home}
fi
"""

LAUNCHER = """\
#!/bin/sh
exec /{home}/bin/python -P -m desktop "$@"
"""

PORTABLE = """\
#!/bin/sh
# Starts Inkling from this folder, wherever it lies. It uses the system's {python}.
here=$(dirname -- "$(readlink -f -- "$0")")
if ! [ -x /usr/bin/{python} ]; then
    echo "Inkling needs /usr/bin/{python}: install the package {python}." >&2
    exit 2
fi
exec "$here/bin/python" -P -m desktop "$@"
"""

#: What is said of libraries that come as they were built elsewhere; lintian would have them built
#: and stripped here, in files of the system.
OVERRIDES = f"""\
# An environment of its own, as its makers built it: other versions than those of Debian.
{NAME}: embedded-library *
{NAME}: custom-library-search-path *
{NAME}: unstripped-binary-or-object *
{NAME}: library-not-linked-against-libc *
{NAME}: interpreter-in-usr-local *
"""


def main() -> int:
    """0 when both are made."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "dist").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    if shutil.which("dpkg-deb") is None:
        say("dpkg-deb is missing: packages for Debian are made on Debian or Ubuntu.")
        return 1
    with tempfile.TemporaryDirectory(dir=folder) as place:
        if status := build_dist.build(Path(place), ["wheel"]):
            return status
        (wheel,) = Path(place).glob("*.whl")
        root = Path(place, "root")
        libraries = root / HOME / "lib" / PYTHON / "site-packages"
        environment.fill(wheel, libraries, more=["pip"], without=unused())
        system_files(root)
        control(root)
        deb = folder / f"{NAME}_{VERSION}_{architecture()}.deb"
        pack(root, deb)
        portable = folder / f"inkling-{VERSION}-linux-{platform.machine()}.tar.gz"
        pack_folder(root, portable)
        say(f"{deb} ({deb.stat().st_size / 1e6:.0f} MB, {bytes_below(root) / 1e6:.0f} installed)")
        say(f"{portable} ({portable.stat().st_size / 1e6:.0f} MB)")
    return 0


def system_files(root: Path) -> None:
    """All files as they lie on the system, libraries aside."""
    home = root / HOME
    (home / "bin").mkdir(parents=True)
    (home / "bin" / "python").symlink_to(f"/usr/bin/{PYTHON}")
    write(home / "pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\n")
    write(root / "usr/bin/inkling", LAUNCHER.format(home=HOME), 0o755)
    told = Places(
        PurePath("/"), {"XDG_DATA_HOME": "/usr/share"}, ["inkling"],
        ["/usr/bin/inkling", "serve-desktop"],
    )  # fmt: skip
    for row in rows_for("linux"):
        if row.id not in OF_A_PERSON:
            place = root / row.path(told).relative_to("/")
            write(place, row.contents(told).decode(), 0o755 if row.executable else 0o644)
    metadata = f"{APPLICATION_ID}.metainfo.xml"
    text = (CHECKOUT / "resources" / "desktop" / metadata).read_text(encoding="utf-8")
    write(root / "usr/share/metainfo" / metadata, text)
    icons(root / "usr/share/icons/hicolor")
    documents(root)


def unused() -> list[str]:
    """Files of libraries that Inkling does not look at; grammars of languages it does not read."""
    grammars = {language.grammar for language in LANGUAGES if language.grammar}
    folder = find_package("tree_sitter_language_pack")
    names = [file.name for file in (folder / "bindings").iterdir()] if folder else []
    left = [n for n in names if n.endswith(".so") and n.partition(".")[0] not in grammars]
    return [*environment.UNUSED, *(f"tree_sitter_language_pack/bindings/{n}" for n in left)]


def icons(place: Path) -> None:
    """The icon in every size that a desktop without SVG asks for."""
    from PySide6.QtCore import QSize
    from PySide6.QtGui import QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    drawing = CHECKOUT / "resources" / "icons" / "inkling.svg"
    drawn = QSvgRenderer(str(drawing))
    for side in ICONS:
        image = QImage(QSize(side, side), QImage.Format.Format_ARGB32)
        image.fill(0)
        painter = QPainter(image)
        drawn.render(painter)
        painter.end()
        target = place / f"{side}x{side}" / "apps" / f"{APPLICATION_ID}.png"
        target.parent.mkdir(parents=True)
        if not image.save(str(target)):
            sys.exit(f"The icon of {side} pixels could not be written.")


def documents(root: Path) -> None:
    """Licences, what is new, a page for `man`, and what lintian is told."""
    docs = root / "usr/share/doc" / NAME
    licences = (CHECKOUT / "resources" / "licences.md").read_text(encoding="utf-8")
    write(
        docs / "copyright",
        "Inkling is Copyright its developers and may be used under the GNU Affero General Public\n"
        f"License, version 3 or later; its text lies in /{HOME}/lib/{PYTHON}/site-packages/\n"
        f"inkling_search-{VERSION}.dist-info/licenses/LICENSE. What it is made of, under the\n"
        "licences named below (those of Apache: /usr/share/common-licenses/Apache-2.0):\n\n"
        f"{licences}",
    )
    news = f"{NAME} ({VERSION}) unstable; urgency=low\n\n  * See CHANGELOG.md of Inkling.\n\n"
    news += f" -- {MAINTAINER}  Tue, 30 Jun 2026 12:00:00 +0000\n"
    for target, text in (
        (docs / "changelog.gz", news),
        (root / "usr/share/man/man1/inkling.1.gz", manual()),
    ):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(text.encode(), mtime=0))
    write(root / "usr/share/lintian/overrides" / NAME, OVERRIDES)


def manual() -> str:
    """What `inkling --help` says, as a page."""
    from desktop.terminal.options import parser

    said = parser().format_help().replace("\\", "\\\\").replace("-", "\\-")
    lines = "\n".join("\\&" + line for line in said.splitlines())
    return (
        f'.TH INKLING 1 "" "Inkling {VERSION}"\n'
        ".SH NAME\ninkling \\- find a file from an inkling of what was in it\n"
        f".SH SYNOPSIS\n.B inkling\n[COMMAND]\n.SH DESCRIPTION\n.nf\n{lines}\n.fi\n"
    )


def control(root: Path) -> None:
    """What dpkg reads."""
    needed = [*check_system.ALWAYS.values(), *check_system.WINDOW.values()]
    said = CONTROL.format(
        name=NAME,
        version=VERSION,
        arch=architecture(),
        maintainer=MAINTAINER,
        size=bytes_below(root) // 1024,
        depends=", ".join(["libc6", "python3", PYTHON, *sorted(needed)]),
    )
    write(root / "DEBIAN/control", said)
    write(root / "DEBIAN/postinst", POSTINST.format(home=HOME), 0o755)
    write(root / "DEBIAN/prerm", PRERM.format(home=HOME), 0o755)
    write(root / "DEBIAN/postrm", POSTRM.format(home=HOME), 0o755)
    sums = []
    for path in sorted(root.rglob("*")):
        if path.is_file() and not path.is_symlink() and "DEBIAN" not in path.parts:
            sums.append(f"{md5(path)}  {path.relative_to(root).as_posix()}\n")
    write(root / "DEBIAN/md5sums", "".join(sums))


def pack(root: Path, target: Path) -> None:
    """One file for dpkg; everything in it belongs to root."""
    for path in root.rglob("*"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
        elif path.is_file() and not path.is_symlink() and root / HOME in path.parents:
            path.chmod(0o644)  # libraries come executable from where they were built
    command = ["dpkg-deb", "--root-owner-group", "-Zxz", "-z1", "--build", str(root), str(target)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"dpkg-deb: {done.stderr.strip()}")


def pack_folder(root: Path, target: Path) -> None:
    """The environment with a start beside it, and the desktop's files."""
    name = target.name.removesuffix(".tar.gz")
    start = root / HOME / "inkling"
    write(start, PORTABLE.format(python=PYTHON), 0o755)
    with tarfile.open(target, "w:gz", compresslevel=1) as archive:
        archive.add(root / HOME, name)
        archive.add(root / "usr/share/applications", f"{name}/share/applications")
        archive.add(root / "usr/share/icons", f"{name}/share/icons")
    start.unlink()


def md5(path: Path) -> str:
    """As `dpkg --verify` compares it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()


def architecture() -> str:
    """As dpkg calls it."""
    names = {"x86_64": "amd64", "aarch64": "arm64"}
    return names.get(platform.machine(), platform.machine())


def bytes_below(folder: Path) -> int:
    """Of all files."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file() and not p.is_symlink())


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """A file with the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)


def say(text: str) -> None:
    """One line for the person, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
