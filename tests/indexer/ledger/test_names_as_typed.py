"""Files found by what people type of their names, in many languages and habits of naming."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from typing import cast

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from engine.contract.errors import FileState
from engine.contract.folding import plain
from engine.contract.types import Filters
from indexer.ledger.ledger import Ledger, Root
from indexer.ledger.name_words import respelled
from indexer.ledger.vocabulary import near
from tests.indexer.ledger.library import LIBRARY, ask, names_of
from tests.indexer.ledger.noted_files import add

#: What is typed → which name is to stand first.
CASES = [
    tuple(line.split(" → "))
    for line in r"""
# The whole name, the stem, words in any order.
song.mp3 → song.mp3
song → song.mp3
SONG → song.mp3
holiday in norway → Holiday in Norway.mp4
Holiday_in_Norway → Holiday in Norway.mp4
norway holiday → Holiday in Norway.mp4
holiday-in-norway.mp4 → Holiday in Norway.mp4
tenancy agreement → tenancy agreement.doc
agreement tenancy.doc → tenancy agreement.doc
budget library → library budget.xlsx
meeting notes final → Meeting Notes (final).docx
Meeting Notes (final) → Meeting Notes (final).docx
c++ primer → C++ primer.pdf
invoice#42 → invoice#42.pdf
invoice 42 → invoice#42.pdf
archive → archive.tar.gz
archive.tar → archive.tar.gz
.bashrc → .bashrc
bashrc → .bashrc
makefile → Makefile
readme → README.md
__init__.py → __init__.py
the tenancy agreement we signed → tenancy agreement.doc
# Beginnings of words, while typing.
librar → library.txt
tenan agr → tenancy agreement.doc
holi nor → Holiday in Norway.mp4
conn → connector.py
summ → summary.docx
elec → electricity.pdf
# Identifiers.
http response code → getHTTPResponseCode.java
gethttpresponsecode → getHTTPResponseCode.java
httpresponse → getHTTPResponseCode.java
getHTTPResp → getHTTPResponseCode.java
xml http request → XMLHttpRequest.js
xmlhttp → XMLHttpRequest.js
parse header → parse_http_header.py
parse_http → parse_http_header.py
kebab case → kebab-case-name.ts
snake case name → snake_case_name.rs
snake-case-name → snake_case_name.rs
iphone 15 pro → iPhone15ProMax.jpg
iphone15 → iPhone15ProMax.jpg
useeffect → useEffectOnce.tsx
utf8 decoder → utf8_decoder.c
# Numbers, versions, dates.
v2.10 → report v2.10.docx
report v2.1 → report v2.1.docx
report 2.9 → report v2.9.docx
2024-03-01 report → annual report 2024-03-01.pdf
annual report 2023 → annual report 2023-03-01.pdf
20240302 → IMG_20240302_123456.jpg
img_20240301 → IMG_20240301_123456.jpg
dsc00042 → DSC00042.JPG
dsc00042.jpg → DSC00042.JPG
screenshot 2024-03-01 → Screenshot 2024-03-01 at 10.15.22.png
# Typing errors.
conector → connector.py
connectro → connector.py
libary bugdet → library budget.xlsx
tennancy agrement → tenancy agreement.doc
hoilday in norway → Holiday in Norway.mp4
electrcity → electricity.pdf
screnshot 10.15 → Screenshot 2024-03-01 at 10.15.22.png
sumary → summary.docx
Mietvertarg → Mietvertrag.pdf
Steuererklarüng → Steuererklärung 2023.pdf
# Words inside longer ones.
vertrag → Mietvertrag.pdf
gebühren → Müllabfuhrgebühren.pdf
verzeichnis → Straßenverzeichnis.txt
# Other letters, both ways.
Müllabfuhr → Müllabfuhrgebühren.pdf
muellabfuhrgebuehren → Müllabfuhrgebühren.pdf
mullabfuhr → Müllabfuhrgebühren.pdf
strassenverzeichnis → Straßenverzeichnis.txt
straßen → Straßenverzeichnis.txt
uebersicht groesse → Übersicht Größe.ods
Kündigung → Kuendigung Wohnung.odt
Müller → Mueller Rechnung.pdf
fussball → Fußball.md
resume final → Résumé final.pdf
facture electricite → Facture d'électricité.pdf
coeur → cœur et âme.txt
reunion → Compte rendu de réunion.docx
noel → Noël à Paris.jpg
ano nuevo → Año nuevo.jpg
declaracion → Declaración de la renta.pdf
arsrapport kobenhavn → Årsrapport København.pdf
aarsrapport → Årsrapport København.pdf
smoerrebroed → smørrebrød opskrift.txt
lodz → Łódź zdjęcia.zip
istanbul → İstanbul gezisi.docx
thingvellir → Þingvellir ferð.txt
договор → договор аренды.docx
dogovor arendy → договор аренды.docx
отчет → Отчёт за март.pdf
счёт фактура → schet-faktura.pdf
schet faktura → schet-faktura.pdf
фото москва → Фото Москва.jpg
moskva → Фото Москва.jpg
λογαριασμος → Λογαριασμός ρεύματος.pdf
ΛΟΓΑΡΙΑΣΜΟΣ → Λογαριασμός ρεύματος.pdf
logariasmos → Λογαριασμός ρεύματος.pdf
συμβόλαιο → symvolaio.pdf
会議 → 会議の議事録.docx
議事録 → 会議の議事録.docx
請求書 → 請求書 2024.pdf
カメラ → カメラの写真.jpg
カタログ → ｶﾀﾛｸﾞ.pdf
会议记录 → 会议记录.txt
合同 → 租房合同.pdf
2024 预算 → 2024年度预算.xlsx
회의록 → 회의록.hwp
계약서 → 임대차 계약서.pdf
가족 → 가족사진 2024.jpg
عقد → عقد الإيجار.pdf
تقرير سنوي → تقرير سنوي.docx
# Paths.
work/invoices → january.pdf
work\invoices\2024 → acme.pdf
invoices/jan → january.pdf
reports q3/summary → summary.docx
home/invoices → electricity.pdf
work/inv/january → january.pdf
""".strip().splitlines()
    if not line.startswith("#")
]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    place = tmp_path_factory.mktemp("library")
    (place / "base").mkdir()
    (place / "files").mkdir()
    ledger = Ledger(place / "base" / "ledger.sqlite")
    add(ledger, ledger.add_root(place / "files"), *LIBRARY)
    yield ledger
    ledger.close()


@pytest.mark.parametrize(("typed", "first"), CASES)
def test_what_is_typed_finds_its_file_first(library: Ledger, typed: str, first: str) -> None:
    found = names_of(ask(library, typed))
    assert found[:1] == [first]


def test_a_name_tells_how_it_answers(library: Ledger) -> None:
    whole, stem = ask(library, "lease.txt")[0], ask(library, "my song list")[0]
    assert (whole.score, whole.parts.whole, whole.parts.coverage) == (1.0, 1.0, 1.0)
    assert (stem.score, stem.parts.whole, stem.parts.in_order) == (0.98, 1.0, 1.0)
    other = ask(library, "holiday_in_norway")[0].parts
    assert (other.whole, other.coverage, other.cover) == (0.9, 1.0, 1.0)
    mended = ask(library, "libary bugdet")[0]
    assert (mended.parts.typos, mended.parts.spelling) == (2, "library budget")
    assert 0.7 < mended.score < 0.98
    folder = next(h for h in ask(library, "electricity home") if h.file.path.endswith(".pdf"))
    assert folder.parts.folder == 0.5
    assert 0.3 < folder.parts.coverage < 1.0
    inside = ask(library, "mietvertrag")[0].score, ask(library, "vertrag")[0].score
    assert inside[0] > inside[1] > 0.4


def test_an_exact_name_stands_first_among_its_likes(ledger: Ledger, root: Root) -> None:
    """Whether the file could be read or not; of a third the content is not there."""
    names = [
        f"{place}/{a} {b} {n:04}.{ext}"
        for n in range(500)
        for place, a, b, ext in [
            ("work", "budget", "report", "xlsx"), ("work", "report", "budget", "bin"),
            ("home", "holiday", "photo", "jpg"), ("home", "photo of", "holiday", "heic"),
        ]
    ]  # fmt: skip
    ids = add(ledger, root, *names)
    for n, file_id in enumerate(ids):
        if n % 3 == 0:
            state, reason = [("skipped", "unsupported"), ("failed", "broken"), ("pending", "")][
                n % 9 // 3
            ]
            ledger.set_state(file_id, cast(FileState, state), reason)
    for n in range(0, len(names), 37):
        for typed in (os.path.basename(names[n]), os.path.splitext(os.path.basename(names[n]))[0]):
            best = ask(ledger, typed)[0]
            assert best.file.id == ids[n]
            assert best.score >= 0.98


def test_equals_stand_newest_first(library: Ledger) -> None:
    found = ask(library, "lease")
    assert names_of(found)[:2] == ["lease.pdf", "lease.txt"]
    assert found[0].score == found[1].score == 0.98


def test_a_word_that_a_name_holds_is_not_mended(library: Ledger) -> None:
    assert {hit.parts.typos for hit in ask(library, "connector")} == {0}
    assert all(hit.parts.spelling == "" for hit in ask(library, "leaflet"))


def test_near_words_are_few_and_near(library: Ledger) -> None:
    with library.database.read() as connection:
        assert near(connection, "conector") == [("connector", 1)]
        assert near(connection, "lese") == []  # too short to tell
        assert near(connection, "20240301") == []
        assert near(connection, "reciept") == []  # nothing like it here


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("lea*.txt", {"lease.txt", "leaflet.txt", "leave request.txt"}),
        ("LEA*.TXT", {"lease.txt", "leaflet.txt", "leave request.txt"}),
        ("lease.?df", {"lease.pdf"}),
        ("?ease.txt", {"lease.txt"}),
        ('name:"*norway in w*"', {"norway in winter.jpg"}),
        ("*vertrag.pdf", {"Mietvertrag.pdf"}),
        ("*_http_*", {"parse_http_header.py"}),
        ("*20240302*", {"IMG_20240302_123456.jpg"}),
        ("*0302_12*", {"IMG_20240302_123456.jpg"}),
        ("m?llabfuhr*", {"Müllabfuhrgebühren.pdf"}),
        ("*größe*", {"Übersicht Größe.ods"}),
        ("report*v2.?.docx", {"report v2.1.docx", "report v2.9.docx"}),
        ("*.xls*", {"library budget.xlsx", "2024年度预算.xlsx"}),
        ("会*", {"会議の議事録.docx", "会议记录.txt"}),
        ("*记*", {"会议记录.txt"}),
        ("lea*.txt -*flet*", {"lease.txt", "leave request.txt"}),
        ("request lea*.txt", {"leave request.txt"}),
        ("name:budget", {"library budget.xlsx", "budget.csv"}),
        ('name:"my song*"', {"my song list.txt"}),
        ("in:work *.pdf", {"acme.pdf", "january.pdf"}),
        ("nothing*.here", set()),
    ],
)
def test_wildcards_list_just_those(library: Ledger, typed: str, names: set[str]) -> None:
    assert set(names_of(ask(library, typed, 100))) == names


PIECES = st.text("abelmrst._ -019*?é會", min_size=1, max_size=7)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(LIBRARY), min_size=1, max_size=2), st.data())
def test_a_wildcard_is_what_fnmatch_is(
    library: Ledger, chosen: list[str], data: st.DataObject
) -> None:
    """Pieces of real names between wildcards, and made-up ones."""
    name = os.path.basename(chosen[0])
    start = data.draw(st.integers(0, len(name) - 1))
    piece = name[start : data.draw(st.integers(start + 1, len(name)))].replace("[", "")
    pattern = data.draw(st.sampled_from(["*{}", "{}*", "*{}*", "?{}*", "*{}?*", "{}"])).format(
        piece
    )
    pattern += data.draw(st.just("") | PIECES)
    assume(plain(pattern).strip("\x00") == plain(pattern))
    found = library.find_names([], 200, Filters(names=(pattern,)))
    wanted = {n for n in LIBRARY if fnmatch.fnmatchcase(plain(os.path.basename(n)), plain(pattern))}
    assert {hit.file.path.split("/files/")[1] for hit in found} == wanted


@pytest.mark.parametrize("name", LIBRARY)
def test_every_name_typed_is_first_with_score_1(library: Ledger, name: str) -> None:
    typed = os.path.basename(name)
    best = ask(library, typed)[0]
    assert (os.path.basename(best.file.path), best.score) == (typed, 1.0)
    stem = os.path.splitext(typed)[0]
    equals = [hit for hit in ask(library, stem) if hit.score >= 0.98]
    assert typed in names_of(equals)


LETTERS = "abcdefghijklmnopqrstuvwxyz"
LONG = sorted(
    {w for n in LIBRARY for w in plain(n).replace("/", " ").replace(".", " ").split()
     if len(w) >= 8 and w.isascii() and w.isalpha()}
)  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(LONG), st.data())
def test_one_error_in_a_long_word_is_mended(
    library: Ledger, word: str, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(word) - 2))
    letter = data.draw(st.sampled_from(LETTERS))
    typed = data.draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at + 1] + word[at] + word[at + 2 :],
            ]
        )
    )
    found = ask(library, typed)
    assert any(word in plain(hit.file.path) for hit in found[:3])


NAMES = st.text(
    st.characters(
        exclude_characters='/\x00\\*?"', exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")
    ),
    min_size=1,
    max_size=24,
).filter(lambda name: name.strip(".") and ":" not in name and not name.startswith(("-", "~")))


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), st.data())
def test_any_name_of_any_script_is_found_when_typed(
    ledger: Ledger, root: Root, names: list[str], data: st.DataObject
) -> None:
    ids = add(ledger, root, *names)
    try:
        name = data.draw(st.sampled_from(names))
        hits = ledger.find_names([name], 10)
        tops = [os.path.basename(hit.file.path) for hit in hits if hit.score == 1.0]
        assert name in tops
        same = {plain(name), respelled(name)}
        assert all({plain(top), respelled(top)} & same for top in tops)
    finally:
        ledger.mark_removed(ids)
