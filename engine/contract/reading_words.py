"""How people say a date or a kind of file: one row a language, from which readings follow.

A date's pattern has slots: {n} a number, {unit} days to years, {weekday}, {month}, {year}. Its rule
is one of engine.contract.readings with a number of periods back. Accents and case do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Noun:
    """Words for one kind of file. Only what names the form of a file: "notes", "code" and
    "document" speak of its content as often, and stand in its name."""

    filter: str  # as one types it
    #: Mean the file before any joining word: "photos from", "screenshot with".
    sure: tuple[str, ...] = ()
    #: Mean it before "about", or with an article: "pdf from html" is a task.
    unsure: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Language:
    """The words of one language; several in one text are words in this order."""

    nouns: tuple[Noun, ...]
    about: tuple[str, ...]  # join any noun and what is in the file
    joins: tuple[str, ...]  # join sure ones, and any noun with an article
    beside: tuple[str, ...]  # join those with an article: "screenshot in python" is a task
    wishes: tuple[str, ...]  # before a noun: "show me"
    articles: tuple[str, ...]  # before a noun: "the", "my"
    recent: tuple[str, ...]  # beside a noun
    dates: tuple[tuple[str, str], ...]  # pattern, rule
    units: Mapping[str, tuple[str, ...]]  # d, w, m, y
    numbers: tuple[tuple[str, ...], ...]  # one, two, …
    weekdays: tuple[tuple[str, ...], ...]  # from Monday
    months: tuple[tuple[str, ...], ...]
    within: tuple[str, ...]  # "in": a month or year needs a word before it
    of: tuple[str, ...]  # join a content and a date that is counted from today
    source: tuple[str, ...]  # "from": the same, and the file is meant even in a question
    since: tuple[str, ...]
    before: tuple[str, ...]
    until: tuple[str, ...]
    asks: tuple[str, ...]  # begin a question, which asks for a content: "what happened last year"
    calendar: tuple[str, ...]  # what is about dates: "first day of last month"
    owner: str = ""  # after a date, before a noun: "yesterday's screenshots"
    #: Months that `source` does not go with alone: "email from June", "champ de mars".
    unsourced: tuple[str, ...] = ()
    weeks_begin: tuple[int, ...] = (0,)  # weekdays on which a week may begin; Monday is 0


_WORD_FILES = "ext:docx,docm,doc,odt,rtf"
_TABLES = "ext:xlsx,xlsm,xls,ods,csv,tsv"
_SLIDES = "ext:pptx,pptm,ppt,odp,pdf"  # handed out as PDF, mostly
_MAIL = "ext:eml,emlx,mbox"
_SCANS = "kind:image,pdf"

ENGLISH = Language(
    nouns=(
        Noun("kind:screenshot", ("screenshot", "screenshots", "screen shot", "screen shots")),
        # Not kind:photo: people call any picture that, and no class is certain.
        Noun("kind:image", ("photo", "photos", "photograph", "photographs", "pictures"),
             ("picture", "image", "images", "pics")),
        Noun(_SCANS, ("scans",), ("scan",)),
        Noun("kind:pdf", ("pdf file", "pdf files", "pdf document", "pdf documents"),
             ("pdf", "pdfs")),
        Noun(_TABLES, ("spreadsheet", "spreadsheets", "excel file", "excel files", "excel sheet",
                       "excel sheets"), ("csv file", "csv files")),
        Noun(_SLIDES, ("slides", "powerpoint", "powerpoints", "slide deck", "slide decks"),
             ("presentation", "presentations")),
        Noun(_WORD_FILES, ("word document", "word documents", "word file", "word files")),
        Noun(_MAIL, ("email", "emails", "e-mail", "e-mails")),
        Noun("ext:epub", ("ebook", "ebooks", "e-book", "e-books")),
    ),
    about=("about", "showing", "that shows", "that show", "which shows", "which show", "concerning",
           "that says", "where"),
    joins=("of", "from", "with"),
    beside=("on", "in", "for", "by"),
    wishes=("find", "find me", "show", "show me", "i need", "where is", "where are"),
    articles=("the", "a", "an", "my", "our", "that", "this", "all", "some", "any"),
    recent=("recent",),
    dates=(
        ("today", "day 0"), ("yesterday", "day 1"), ("the day before yesterday", "day 2"),
        ("this week", "week 0"), ("last week", "week 1"), ("previous week", "week 1"),
        ("this month", "month 0"), ("last month", "month 1"), ("previous month", "month 1"),
        ("this year", "year 0"), ("last year", "year 1"), ("previous year", "year 1"),
        ("last {weekday}", "weekday"), ("past {unit}", "span"),
        ("last {n} {unit}", "span"), ("past {n} {unit}", "span"), ("{n} {unit} ago", "ago"),
        ("{month}", "month"), ("{month} {year}", "month"), ("{month} of {year}", "month"),
        ("{year}", "year"),
    ),
    units={"d": ("day", "days"), "w": ("week", "weeks"), "m": ("month", "months"),
           "y": ("year", "years")},
    numbers=(("one", "a", "an"), ("two",), ("three",), ("four",), ("five",), ("six",), ("seven",),
             ("eight",), ("nine",), ("ten",), ("eleven",), ("twelve",)),
    weekdays=(("monday",), ("tuesday",), ("wednesday",), ("thursday",), ("friday",), ("saturday",),
              ("sunday",)),
    months=(("january", "jan"), ("february", "feb"), ("march", "mar"), ("april", "apr"), ("may",),
            ("june", "jun"), ("july", "jul"), ("august", "aug"), ("september", "sep", "sept"),
            ("october", "oct"), ("november", "nov"), ("december", "dec")),
    within=("in", "in the", "during", "during the"),
    of=("of", "of the"),
    source=("from", "from the"),
    since=("since", "since the", "after"),
    before=("before",),
    until=("until", "till", "up to"),
    asks=("how", "what", "whats", "who", "whose", "when", "why", "which", "where", "is", "are",
          "was", "were", "do", "does", "did", "can", "should"),
    calendar=("date", "dates", "datetime", "timestamp", "timestamps", "time", "times", "day",
              "days",
              "week", "weeks", "weekday", "month", "months", "year", "years", "calendar", "cron",
              "first", "start", "beginning", "end", "every", "each", "ides"),
    owner="'s",
    unsourced=("april", "may", "june", "august", "jan", "mar", "jun"),
    weeks_begin=(6, 0),
)  # fmt: skip

GERMAN = Language(
    nouns=(
        Noun("kind:screenshot", ("screenshot", "screenshots", "bildschirmfoto", "bildschirmfotos",
                                 "bildschirmaufnahme", "bildschirmaufnahmen")),
        Noun("kind:image", ("foto", "fotos", "photo", "photos", "bilder"), ("bild",)),
        Noun(_SCANS, ("scans",), ("scan",)),
        Noun("kind:pdf", ("pdf-datei", "pdf-dateien"), ("pdf", "pdfs")),
        Noun(_TABLES, ("excel-tabelle", "excel-tabellen", "exceltabelle", "exceltabellen",
                       "excel-datei", "excel-dateien", "exceldatei")),
        Noun(_SLIDES, ("folien", "powerpoint"), ("präsentation", "präsentationen")),
        Noun(_WORD_FILES, ("word-dokument", "word-dokumente", "word-datei", "worddatei")),
        Noun(_MAIL, ("e-mail", "e-mails", "email", "emails", "mails"), ("mail",)),
        Noun("ext:epub", ("e-book", "e-books", "ebook", "ebooks")),
    ),
    about=("über", "zu", "zum", "zur", "auf dem", "auf denen", "auf der", "in dem", "in denen"),
    joins=("von", "vom", "von der", "von dem", "des", "der", "mit", "aus", "aus dem", "aus der"),
    beside=("für", "in", "im", "am", "auf"),
    wishes=("zeige", "zeig mir", "zeige mir", "suche", "finde", "wo ist", "wo sind"),
    articles=("der", "die", "das", "den", "ein", "eine", "einen", "mein", "meine", "meinen",
              "unser",
              "unsere", "alle"),
    recent=("neue", "neuere", "neueste", "neuesten", "aktuelle", "kürzliche", "letzte", "letzten"),
    dates=(
        ("heute", "day 0"), ("gestern", "day 1"), ("vorgestern", "day 2"),
        ("diese woche", "week 0"), ("dieser woche", "week 0"),
        ("letzte woche", "week 1"), ("letzter woche", "week 1"), ("letzten woche", "week 1"),
        ("vorige woche", "week 1"), ("voriger woche", "week 1"), ("vorigen woche", "week 1"),
        ("vergangene woche", "week 1"), ("vergangener woche", "week 1"),
        ("vergangenen woche", "week 1"),
        ("diesen monat", "month 0"), ("diesem monat", "month 0"), ("dieses monats", "month 0"),
        ("letzten monat", "month 1"), ("letztem monat", "month 1"), ("letzten monats", "month 1"),
        ("vorigen monat", "month 1"), ("vergangenen monat", "month 1"),
        ("dieses jahr", "year 0"), ("diesem jahr", "year 0"), ("dieses jahres", "year 0"),
        ("letztes jahr", "year 1"), ("letzten jahr", "year 1"), ("letztem jahr", "year 1"),
        ("letzten jahres", "year 1"), ("voriges jahr", "year 1"), ("vorigen jahr", "year 1"),
        ("vergangenen jahr", "year 1"), ("vergangenes jahr", "year 1"),
        ("letzten {weekday}", "weekday"), ("letztem {weekday}", "weekday"),
        ("letzten {n} {unit}", "span"), ("letzte {n} {unit}", "span"),
        ("vergangenen {n} {unit}", "span"), ("vor {n} {unit}", "ago"),
        ("{month}", "month"), ("{month} {year}", "month"),
        ("{year}", "year"), ("jahr {year}", "year"), ("jahre {year}", "year"),
    ),
    units={"d": ("tag", "tage", "tagen"), "w": ("woche", "wochen"),
           "m": ("monat", "monate", "monaten"), "y": ("jahr", "jahre", "jahren")},
    numbers=(("ein", "eine", "einem", "einer", "einen"), ("zwei",), ("drei",), ("vier",), ("fünf",),
             ("sechs",), ("sieben",), ("acht",), ("neun",), ("zehn",), ("elf",), ("zwölf",)),
    weekdays=(("montag",), ("dienstag",), ("mittwoch",), ("donnerstag",), ("freitag",),
              ("samstag", "sonnabend"), ("sonntag",)),
    months=(("januar", "jänner"), ("februar",), ("märz", "maerz"), ("april",), ("mai",), ("juni",),
            ("juli",), ("august",), ("september",), ("oktober",), ("november",), ("dezember",)),
    within=("im", "in", "in der", "in den", "in dem", "während"),
    of=("der", "des"),
    source=("von", "vom", "von der", "von den", "aus", "aus der", "aus dem", "aus den"),
    since=("seit", "seit der", "seit dem", "ab"),
    before=("vor", "vor der", "vor dem"),
    until=("bis", "bis zum"),
    asks=("wie", "was", "wer", "wessen", "wann", "warum", "wieso", "welche", "welcher", "welches",
          "wo", "ist", "sind", "kann"),
    calendar=("datum", "zeit", "zeitpunkt", "zeitstempel", "tag", "tage", "woche", "wochen",
              "monat",
              "monate", "jahr", "jahre", "kalender", "anfang", "ende", "erste", "ersten", "erster"),
    unsourced=("mai", "juni", "juli", "august"),
)  # fmt: skip

FRENCH = Language(
    nouns=(
        Noun("kind:screenshot", ("capture d'écran", "captures d'écran", "copie d'écran",
                                 "copies d'écran", "screenshot", "screenshots")),
        Noun("kind:image", ("photo", "photos"), ("images",)),
        Noun(_SCANS, ("scans", "numérisations"), ("scan", "numérisation")),
        Noun("kind:pdf", ("fichier pdf", "fichiers pdf", "document pdf", "documents pdf"),
             ("pdf", "pdfs")),
        Noun(_TABLES, ("feuille de calcul", "feuilles de calcul", "tableur", "fichier excel",
                       "fichiers excel", "tableau excel", "tableaux excel")),
        Noun(_SLIDES, ("diapositives", "diapos", "powerpoint"), ("présentation", "présentations")),
        Noun(_WORD_FILES, ("document word", "documents word", "fichier word")),
        Noun(_MAIL, ("e-mail", "e-mails", "email", "emails", "courriel", "courriels", "mails"),
             ("mail",)),
        Noun("ext:epub", ("ebook", "ebooks", "livre numérique", "livres numériques")),
    ),
    about=("sur", "à propos de", "à propos du", "à propos des", "au sujet de", "au sujet du",
           "concernant", "montrant", "qui montre", "qui montrent", "où"),
    joins=("de", "de la", "de l'", "d'", "du", "des", "avec", "avec le", "avec la"),
    beside=("pour", "en", "dans"),
    wishes=("montre", "montre moi", "montre-moi", "trouve", "cherche", "où est", "où sont"),
    articles=("le", "la", "les", "l'", "un", "une", "des", "mon", "ma", "mes", "notre", "nos",
              "tous les", "toutes les"),
    recent=("récent", "récents", "récente", "récentes"),
    dates=(
        ("aujourd'hui", "day 0"), ("hier", "day 1"), ("avant-hier", "day 2"),
        ("cette semaine", "week 0"), ("semaine dernière", "week 1"),
        ("la semaine dernière", "week 1"), ("semaine passée", "week 1"),
        ("la semaine passée", "week 1"),
        ("ce mois", "month 0"), ("ce mois-ci", "month 0"), ("mois dernier", "month 1"),
        ("le mois dernier", "month 1"), ("mois passé", "month 1"),
        ("cette année", "year 0"), ("l'année dernière", "year 1"), ("année dernière", "year 1"),
        ("l'an dernier", "year 1"), ("an dernier", "year 1"), ("l'année passée", "year 1"),
        ("{weekday} dernier", "weekday"),
        ("{n} derniers {unit}", "span"), ("{n} dernières {unit}", "span"),
        ("il y a {n} {unit}", "ago"),
        ("{month}", "month"), ("{month} {year}", "month"), ("{year}", "year"),
    ),
    units={"d": ("jour", "jours"), "w": ("semaine", "semaines"), "m": ("mois",),
           "y": ("an", "ans", "année", "années")},
    numbers=(("un", "une"), ("deux",), ("trois",), ("quatre",), ("cinq",), ("six",), ("sept",),
             ("huit",), ("neuf",), ("dix",), ("onze",), ("douze",)),
    weekdays=(("lundi",), ("mardi",), ("mercredi",), ("jeudi",), ("vendredi",), ("samedi",),
              ("dimanche",)),
    months=(("janvier",), ("février",), ("mars",), ("avril",), ("mai",), ("juin",), ("juillet",),
            ("août",), ("septembre",), ("octobre",), ("novembre",), ("décembre",)),
    within=("en", "au mois de", "au mois d'", "dans", "dans les", "pendant", "ces", "les",
            "durant"),
    of=(),
    source=("de", "du", "d'", "de la", "de l'", "des", "datant de", "datant du"),
    since=("depuis", "depuis le", "depuis la", "après"),
    before=("avant",),
    until=("jusqu'à", "jusqu'en", "jusqu'au"),
    asks=("comment", "quoi", "que", "qu'est", "qui", "quand", "pourquoi", "quel", "quelle", "quels",
          "quelles", "où", "combien", "est-ce"),
    calendar=("date", "dates", "jour", "jours", "semaine", "semaines", "mois", "année", "années",
              "an", "ans", "heure", "calendrier", "début", "fin", "premier"),
    unsourced=("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre",
               "octobre", "novembre", "décembre"),
)  # fmt: skip

SPANISH = Language(
    nouns=(
        Noun("kind:screenshot", ("captura de pantalla", "capturas de pantalla", "pantallazo",
                                 "pantallazos", "capturas", "screenshot", "screenshots")),
        Noun("kind:image", ("foto", "fotos", "fotografía", "fotografías"), ("imagen", "imágenes")),
        Noun(_SCANS, ("escaneos",), ("escaneo", "escaneado", "escaneados")),
        Noun("kind:pdf", ("archivo pdf", "archivos pdf", "documento pdf", "documentos pdf"),
             ("pdf", "pdfs")),
        Noun(_TABLES, ("hoja de cálculo", "hojas de cálculo", "archivo excel", "archivos excel",
                       "tabla de excel", "tablas de excel")),
        Noun(_SLIDES, ("diapositivas", "powerpoint"), ("presentación", "presentaciones")),
        Noun(_WORD_FILES, ("documento word", "documentos word", "documento de word")),
        Noun(_MAIL, ("correos", "correo electrónico", "correos electrónicos", "email", "emails",
                     "e-mail", "e-mails"), ("correo",)),
        Noun("ext:epub", ("ebook", "ebooks", "libro electrónico", "libros electrónicos")),
    ),
    about=("sobre", "acerca de", "acerca del", "que muestra", "que muestran", "mostrando", "donde"),
    joins=("de", "de la", "de los", "de las", "del", "con", "con el", "con la"),
    beside=("para", "en"),
    wishes=("muestra", "muéstrame", "busca", "buscar", "dónde está", "dónde están"),
    articles=("el", "la", "los", "las", "un", "una", "unos", "unas", "mi", "mis", "nuestro",
              "todas las", "todos los"),
    recent=("reciente", "recientes"),
    dates=(
        ("hoy", "day 0"), ("ayer", "day 1"), ("anteayer", "day 2"), ("antes de ayer", "day 2"),
        ("esta semana", "week 0"), ("semana pasada", "week 1"), ("la semana pasada", "week 1"),
        ("este mes", "month 0"), ("mes pasado", "month 1"), ("el mes pasado", "month 1"),
        ("este año", "year 0"), ("año pasado", "year 1"), ("el año pasado", "year 1"),
        ("{weekday} pasado", "weekday"), ("el {weekday} pasado", "weekday"),
        ("últimos {n} {unit}", "span"), ("últimas {n} {unit}", "span"),
        ("hace {n} {unit}", "ago"),
        ("{month}", "month"), ("{month} {year}", "month"), ("{month} de {year}", "month"),
        ("{month} del {year}", "month"), ("{year}", "year"),
    ),
    units={"d": ("día", "días"), "w": ("semana", "semanas"), "m": ("mes", "meses"),
           "y": ("año", "años")},
    numbers=(("un", "uno", "una"), ("dos",), ("tres",), ("cuatro",), ("cinco",), ("seis",),
             ("siete",), ("ocho",), ("nueve",), ("diez",), ("once",), ("doce",)),
    weekdays=(("lunes",), ("martes",), ("miércoles",), ("jueves",), ("viernes",), ("sábado",),
              ("domingo",)),
    months=(("enero",), ("febrero",), ("marzo",), ("abril",), ("mayo",), ("junio",), ("julio",),
            ("agosto",), ("septiembre", "setiembre"), ("octubre",), ("noviembre",), ("diciembre",)),
    within=("en", "en el", "en la", "en los", "en las", "durante", "durante el", "los", "las"),
    of=(),
    source=("de", "del", "de la", "de los", "de las", "desde hace"),
    since=("desde", "desde el", "desde la", "después de"),
    before=("antes de", "antes del"),
    until=("hasta", "hasta el"),
    asks=("cómo", "qué", "quién", "cuándo", "cuál", "cuáles", "dónde", "cuánto", "cuánta",
          "cuántos",
          "cuántas", "por qué"),
    calendar=("fecha", "fechas", "día", "días", "semana", "semanas", "mes", "meses", "año", "años",
              "hora", "calendario", "principio", "inicio", "fin", "final", "primer", "primero"),
    unsourced=("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto",
               "septiembre", "setiembre", "octubre", "noviembre", "diciembre"),
)  # fmt: skip

#: By the ISO 639-1 code; what two languages read alike is the first's.
LANGUAGES: Mapping[str, Language] = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
}
