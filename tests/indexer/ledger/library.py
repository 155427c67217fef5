"""A library of names in many languages and habits, and asking for them as a face does."""

from __future__ import annotations

import os

from engine.contract.query import parse
from indexer.ledger.ledger import Ledger, NameHit

LIBRARY = (
    # What people have, and beside it what is easily taken for it.
    "media/song.mp3", "media/songbook.pdf", "media/my song list.txt", "media/singsong.wav",
    "media/Holiday in Norway.mp4", "media/holiday.mp4", "media/norway in winter.jpg",
    "papers/tenancy agreement.doc", "papers/tenancy.txt", "papers/agreement draft tenancy.odt",
    "papers/library budget.xlsx", "papers/library.txt", "papers/budget.csv", "papers/librarian.md",
    "papers/annual report 2024-03-01.pdf", "papers/annual report 2023-03-01.pdf",
    "papers/report v2.10.docx", "papers/report v2.1.docx", "papers/report v2.9.docx",
    "papers/lease.txt", "papers/leaflet.txt", "papers/leave request.txt", "papers/lease.pdf",
    "papers/Meeting Notes (final).docx", "papers/C++ primer.pdf", "papers/invoice#42.pdf",
    "papers/archive.tar.gz", "papers/archive notes.txt", "papers/.bashrc",
    "code/connector.py", "code/collector.py", "code/getHTTPResponseCode.java",
    "code/parse_http_header.py", "code/XMLHttpRequest.js", "code/kebab-case-name.ts",
    "code/snake_case_name.rs", "code/iPhone15ProMax.jpg", "code/Makefile", "code/README.md",
    "code/__init__.py", "code/useEffectOnce.tsx", "code/utf8_decoder.c",
    "photos/IMG_20240301_123456.jpg", "photos/IMG_20240302_123456.jpg", "photos/DSC00042.JPG",
    "photos/Screenshot 2024-03-01 at 10.15.22.png", "photos/Bildschirmfoto vom 2024-03-05.png",
    "work/invoices/2024/acme.pdf", "work/invoices/january.pdf", "invoices/work.pdf",
    "work/Reports Q3/summary.docx", "home/invoices/electricity.pdf",
    "de/Mietvertrag.pdf", "de/Müllabfuhrgebühren.pdf", "de/Straßenverzeichnis.txt",
    "de/Übersicht Größe.ods", "de/Kuendigung Wohnung.odt", "de/Steuererklärung 2023.pdf",
    "de/Fußball.md", "de/Mueller Rechnung.pdf",
    "fr/Résumé final.pdf", "fr/Facture d'électricité.pdf", "fr/cœur et âme.txt",
    "fr/Compte rendu de réunion.docx", "fr/Noël à Paris.jpg",
    "es/Año nuevo.jpg", "es/contrato de alquiler.pdf", "es/Declaración de la renta.pdf",
    "dk/Årsrapport København.pdf", "dk/smørrebrød opskrift.txt", "pl/Łódź zdjęcia.zip",
    "tr/İstanbul gezisi.docx", "is/Þingvellir ferð.txt",
    "ru/договор аренды.docx", "ru/Отчёт за март.pdf", "ru/schet-faktura.pdf", "ru/Фото Москва.jpg",
    "el/Λογαριασμός ρεύματος.pdf", "el/αρχείο φωτογραφιών.zip", "el/symvolaio.pdf",
    "ja/会議の議事録.docx", "ja/請求書 2024.pdf", "ja/カメラの写真.jpg", "ja/ｶﾀﾛｸﾞ.pdf",
    "zh/会议记录.txt", "zh/租房合同.pdf", "zh/2024年度预算.xlsx",
    "ko/회의록.hwp", "ko/임대차 계약서.pdf", "ko/가족사진 2024.jpg",
    "ar/عقد الإيجار.pdf", "ar/تقرير سنوي.docx",
)  # fmt: skip


def ask(ledger: Ledger, typed: str, limit: int = 40) -> list[NameHit]:
    # Dates and kinds in words are the engine's to read, and to give up where a name is called so.
    query = parse(typed, plain=True)
    return ledger.find_names(query.text.split(), limit, query.filters)


def names_of(hits: list[NameHit]) -> list[str]:
    return [os.path.basename(hit.file.path) for hit in hits]
