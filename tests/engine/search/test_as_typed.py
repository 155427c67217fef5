"""Words as people type them: each text and each question is found by the other, in exact search
of a real store, whatever keyboard, script, width or spacing either was written with."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.search.expansion import expand
from engine.store import Store
from engine.store.spelling import fold, typed
from tests.engine.store.store_units import DIM, facts, unit

PAIRS = (
    # digits
    ("فاتورة رقم ٤٨١٥٧٢ للعام", "481572"),
    ("شماره سند ۹۳۷۴۶۱ تهران", "937461"),
    ("बिल संख्या ५८२९३१ दिल्ली", "582931"),
    ("ปีงบประมาณ๒๕๖๗เอกสาร", "2567"),
    ("বিল নম্বর ৭৭৩৪১২ ঢাকা", "773412"),
    ("Order ７４１８５２ shipped", "741852"),
    ("المبلغ ١٬٢٣٤٬٥٦٧ دينار", "1234567"),
    ("القيمة ٣٫٧٥٩٢ متر", "3.7592"),
    ("ច្បាប់លេខ៨៣៩២៧ភ្នំពេញ", "83927"),
    # article
    ("قرأت المخطوطة القديمة", "مخطوطة"),
    ("سافر والصيادون معا", "الصيادون"),
    ("مررت بالمستشفى أمس", "مستشفى"),
    ("ذهب للمطار مساء", "المطار"),
    ("والبرتقال في السلة", "برتقال"),
    ("كالزجاج الشفاف", "الزجاج"),
    ("سيارات زرقاء كثيرة", "سيارة"),
    ("اجتماع المهندسين غدا", "مهندس"),
    # hamza
    ("وزارة الشؤون البلدية", "شئون"),
    ("مدیر مسئول روزنامه", "مسؤول"),
    ("مدیر مسوول هتل", "مسئول"),
    ("رؤوس الأموال الأجنبية", "رءوس"),
    ("هذا شيء غريب", "شئ"),
    ("إملاء وانشاء کودکان", "انشا"),
    ("آلة الحاسبة", "الة"),
    # tashkeel
    ("قَوَاعِدُ النَّحْوِ", "قواعد النحو"),
    ("محـــمـــود درويش", "محمود"),
    ("بِسْمِ ٱللَّهِ ٱلرَّحْمَٰنِ", "الرحمن"),
    # arabicforms
    ("ﺍﻟﺤﺪﻳﻘﺔ جميلة", "الحديقة"),
    # persian
    ("خانهٔ پدری", "خانه"),
    ("کتاب\u200cخانه\u200cای بزرگ", "کتابخانه\u200cای"),
    ("کتاب\u200cفروشی مرکزی", "کتاب فروشی"),
    ("كيفيت عالي", "کیفیت"),
    # urdu
    ("پاکستان کا شہر لاہور", "لاھور"),
    ("اردو کے شاعر", "اردو کي"),
    # turkish
    ("IŞIK KAYNAĞI", "ışık"),
    ("ışık kırılması", "ISIK KIRILMASI"),
    ("İZMİR körfezi", "izmir"),
    ("DIŞİŞLERİ bakanlığı", "dışişleri"),
    ("Diyarbakır surları", "diyarbakir"),
    # german
    ("Die Müllverbrennung raucht; Müll", "Muell"),
    ("Der Muell liegt hier", "Müll"),
    ("Der Muell-Eimer quillt: Muell", "Mull"),
    ("Bäckerei in Lübeck", "Baeckerei"),
    ("Baeckerei in Luebeck", "Bäckerei"),
    ("Baeckerei in Luebeck zwei", "Lubeck"),
    ("Großstraße am Fluß", "grossstrasse"),
    ("Die Fussgaengerzone", "Fußgängerzone"),
    ("GROẞE TÖNE", "grosse toene"),
    ("Jörg Schönbächler", "Joerg Schoenbaechler"),
    ("Joerg Schoenbaechler", "Jörg Schönbächler"),
    ("Gruesse aus Goettingen", "Göttingen"),
    ("Haeuserkaempfe", "Häuserkämpfe"),
    # nordic
    ("København ved havet", "Koebenhavn"),
    ("Smørrebrød", "smoerrebroed"),
    ("Smoerrebroed", "smørrebrød"),
    ("Smørbrødet", "smorbrodet"),
    ("Þórsmörk", "thorsmork"),
    # balkan
    ("Novak Đoković", "Djokovic"),
    ("Novak Djokovic", "Đoković"),
    ("Đorđević pisma", "Dordevic"),
    # polish
    ("Łódź i Wrocław", "lodz wroclaw"),
    ("Lodz i Wroclaw dwa", "Łódź"),
    # viet
    ("Đường Nguyễn Huệ", "duong nguyen hue"),
    ("Pho\u031b\u0309 bo\u0300 Ha\u0300 No\u0323\u0302i ngon tuye\u0323\u0302t", "tuyệt"),
    ("Tieng Viet khong dau", "Tiếng Việt không dấu"),
    # latin
    ("naïve café Ærøskøbing", "aeroskobing"),
    ("Cœur de bœuf", "coeur boeuf"),
    ("Ħamrun u Għargħur", "hamrun ghargħur"),
    ("coŀlecció d'art", "col·lecció"),
    ("colleccio antiga", "col·lecció"),
    ("Əliyev küçəsi", "Eliyev"),
    # ligature
    ("The oﬃce of ﬁnances", "office finances"),
    ("ﬂuoreſcence", "fluorescence"),
    # width
    ("ＡＢＣ商事株式会社", "abc商事"),
    ("ﾃﾞｰﾀﾍﾞｰｽ設計", "データベース"),
    ("ｇｉｔｈｕｂ Ａｃｔｉｏｎｓ", "github actions"),
    # compat
    ("㍿山田電機", "株式会社山田"),
    ("面積 ㎡ 単位 ㎏", "kg"),
    ("½ teaspoon cardamon", "1/2 cardamon"),
    ("Kapitel Ⅳ Zusammenfassendes", "IV Zusammenfassendes"),
    ("№ 58213 заявка", "No 58213"),
    # math
    ("the 𝐠𝐫𝐚𝐝𝐢𝐞𝐧𝐭𝐟𝐥𝐨𝐰 of 𝓁", "gradientflow"),
    # super
    ("Zuyderzee¹ dike", "Zuyderzee"),
    ("CO₂-Zertifikatmarkt", "CO2"),
    ("Fläche 4711 m² groß", "4711 m2"),
    ("E=mc² relativity", "mc2"),
    # circled
    ("① Quarzfilter ② Sieb", "1 Quarzfilter"),
    ("Punkt ⑦ Quendel", "7 Quendel"),
    # niqqud
    ("ב\u05b0\u05bcר\u05b5אש\u05b4\u05c1ית ב\u05b8\u05bcר\u05b8א", "בראשית"),
    # hebrew
    ("חיילי צה״ל בצפון", "צהל"),
    ("בית־המשפט העליון", "בית המשפט"),
    ("הספרייה הלאומית", "ספרייה"),
    ("ג׳ירפה בגן", "ג'ירפה"),
    # nukta
    ("ज़मीन की कीमत", "जमीन"),
    ("क़ानून व्यवस्था", "कानून"),
    ("सड़क निर्माण", "सडक"),
    # indic
    ("हिन्दी साहित्य", "हिंदी"),
    ("सम्बन्ध विच्छेद", "संबंध"),
    ("पाँच चाँद", "पांच"),
    ("श्रीमान्\u200cजी", "श्रीमान्जी"),
    # hangul
    (
        "\u1103\u1166\u110b\u1175\u1110\u1165\u1107\u1166\u110b\u1175\u1109\u1173\u1109\u1165\u11af\u1100\u1168",
        "데이터베이스",
    ),
    ("ㅋㅋㅋㅋ 웃기다", "ㅋㅋㅋ"),
    ("부산광역시에서", "부산"),
    # chinese
    ("軟體開發與測試", "软体开发"),
    ("图书馆开放时间", "圖書館"),
    ("台灣高鐵時刻表", "台湾高铁"),
    ("後臺管理", "后台管理"),
    ("國會圖書", "国会"),
    ("頭髮護理", "头发"),
    # japan
    ("りんごの収穫", "リンゴ"),
    ("タバコ禁止", "たばこ"),
    ("ジョン・スミス氏", "ジョンスミス"),
    # apostrophe
    ("O’Shaughnessy’s pub", "O'Shaughnessy"),
    ("OʼReilly books", "OReilly"),
    ("О’Кейсі п’ятниця", "п'ятниця"),
    ("пʼятнадцять років", "п'ятнадцять"),
    ("oʻzbek tili", "o'zbek"),
    ("l’aujourd’hui", "aujourd'hui"),
    ("＇Twas rock＇n＇roll", "rocknroll"),
    # hyphen
    ("co‐operative Bluxx", "cooperative"),
    ("Zuckerrüben\u00adernte", "Zuckerrübenernte"),
    ("Donau\u200bdampf\u2060schiff", "Donaudampfschiff"),
    ("E–Mail‒Adressbuch", "emailadressbuch"),
    ("Nord−Ostsee Kanalix", "Nordostsee"),
    # phone
    ("Call +44 20 7946 0958 now", "020 7946 0958"),
    ("Call +44 20 7946 1958 now", "0044 20 7946 1958"),
    ("Call +44 20 7946 2958 now", "02079462958"),
    ("Call +44 20 7946 3958 now", "+442079463958"),
    ("Call 020 7946 4958 now", "00442079464958"),
    ("Mobile 555 123 4567", "5551234567"),
    ("Mobile 5552234567", "555-223-4567"),
    ("Mobile (555) 323-4567", "555.323.4567"),
    ("Mobile 1-800-423-4567", "8004234567"),
    ("Mobile +1 (212) 523-4567", "2125234567"),
    ("Móvil 612 34 57 78", "612345778"),
    ("Móvil +34 612 344 678", "612344678"),
    ("电话 138 1234 5678", "13812345678"),
    ("тел. 8 (912) 345-67-89", "+7 912 345-67-89"),
    ("тел. +7 (913) 345-67-89", "89133456789"),
    ("Tel: 0171/5567788", "+49 171 5567788"),
    ("Tel: +49171 5567799", "0171 5567799"),
    ("Tel +39 06 1234 5987", "06 12345987"),
    ("Call 555-1239 tonight", "5551239"),
    ("هاتف ٠٢٠ ٧٩٤٦ ٨٩٥٨", "02079468958"),
    ("ＴＥＬ ０３－６２３４－８９１２", "03-6234-8912"),
    ("Tel 01 42‑68‑53‑00", "0142685300"),
    ("सम्पर्क 98765 43219", "9876543219"),
    # emoji
    ("Party on Friday 🎊", "🎊"),
    ("👍🏽 approved by Zed", "👍"),
    ("We ate 🍕 together", "pizza"),
    ("Wir essen 🍓 heute", "Erdbeere"),
    ("Ich mag 🐧 sehr", "Pinguin"),
    ("i ❤\ufe0f sailing", "❤"),
    ("step 3\ufe0f⃣ quizzing", "3 quizzing"),
    # camel
    ("function parseHttpHeaderFields()", "header fields"),
    ("XMLHttpRequestFactory", "xml http request"),
    ("snake_case_zebra_name", "zebra"),
    ("com.example.GizmoLoader", "gizmo"),
    ("iPhone15ProMax", "iphone 15 pro"),
    # thai
    ("โรงพยาบาลจุฬาลงกรณ์", "จุฬา"),
    ("เเม่น้ำเจ้าพระยา", "แม่น้ำ"),
    # lao
    ("ມະຫາວິທະຍາໄລແຫ່ງຊາດ", "ແຫ່ງຊາດ"),
    # khmer
    ("សាលារៀនបឋមសិក្សា", "បឋមសិក្សា"),
    ("ព្រះ\u200bរាជា\u200bណាចក្រ", "ព្រះរាជាណាចក្រ"),
    # burmese
    ("မြန်မာနိုင်ငံတော်", "နိုင်ငံ"),
    # cyril
    ("Всё ещё ёлка", "елка"),
    ("Елочные игрушки", "ёлочные"),
    ("Ґрунтовні дослідження", "грунтовні"),
    # greek
    ("ΟΔΥΣΣΕΑΣ ΕΛΥΤΗΣ", "Οδυσσέας"),
    ("τῷ Ὀδυσσεῖ λόγῳ", "λογω"),
)
#: Who asks with a picture of a thing means the picture.
ONE_WAY = {"pizza", "Erdbeere", "Pinguin"}


@pytest.mark.parametrize("turned", [False, True])
def test_found_however_it_is_typed(tmp_path: Path, turned: bool) -> None:
    pairs = [(b, a) if turned else (a, b) for a, b in PAIRS if not turned or b not in ONE_WAY]
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({i: [unit(facts(i), text=text)] for i, (text, _) in enumerate(pairs)})
    store.maintain(force=True)
    missed = []
    for i, (text, question) in enumerate(pairs):
        asked = store.ask_words(lambda lexicon, words=question: expand(lexicon, words)).asked
        if i not in [candidate.file_id for candidate in store.search_text(asked, None, 20)]:
            missed.append((text, question))
    store.close()
    assert missed == []


@pytest.mark.parametrize(
    ("text", "question"), [("poet", "pot"), ("shoes", "shos"), ("man", "maan")]
)
def test_two_letters_are_an_umlaut_only_where_they_may_be(
    tmp_path: Path, text: str, question: str
) -> None:
    store = Store.open(tmp_path, "m", DIM)
    store.replace_files({1: [unit(facts(1), text=text)], 2: [unit(facts(2), text=question)]})
    store.maintain(force=True)
    asked = store.ask_words(lambda lexicon: expand(lexicon, text)).asked
    assert [candidate.file_id for candidate in store.search_text(asked, None, 20)] == [1]
    store.close()


def test_places_in_a_text_stay() -> None:
    for text in ("ﬁ １２ ٤٨ a\u00a0b ’ 𝟘 \u2011", "", "plain"):
        assert len(typed(text)) == len(text)
    assert fold(fold("Ａｙｎ عَيْن 圖書 データ हिन्दी")) == fold("Ａｙｎ عَيْن 圖書 データ हिन्दी")
