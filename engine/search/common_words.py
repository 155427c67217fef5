"""Common words: those that hold a sentence together and say little of what is asked for."""

from __future__ import annotations

import importlib.resources
from functools import cache

import resources
from engine.store.analyzer import STOP_WORDS
from engine.store.spelling import fold

#: What a word counts by its log probability in text of a hundred languages: the least where that is
#: above the first ("la" -6.0, "der" -7.6), all below the second ("time" -9.8).
_FREQUENT, _TELLING = -8.7, -10.5
LEAST = 0.1

_ENGLISH = """
and or but if in on at by for from with without about as it its this that these those there was
were been being has have had not no into than then so up out over only we they he she your our
their them his her us some any all more most other such when while also just very too will may
might must shall here now where because between during before after again both each few same own
"""
_GERMAN = """
der die das den dem des ein eine einen einem einer eines und oder in im an am auf aus bei mit von
vom zu zum zur für ist sind war waren wie was wo wer wird werden wurde wurden nicht sich als auch
aber nur noch schon wenn kann können muss müssen soll sollen man mehr sehr über unter nach vor bis
durch gegen ohne um während wegen doch dann da hier dort kein keine keinen mein meine meinen dein
deine sein seine ihr ihre ihren uns unser unsere euch sie ich du er es wir mich dich mir dir ihn
ihm hat haben hatte hatten dass ob weil denn damit jetzt immer wieder alle alles andere anderen
viele vielen diese dieser dieses diesen welche welcher welches manche siehe bitte
"""
_FRENCH = """
le la les l un une des du de d et ou où dans en sur par pour avec est sont ce cet cette ces qui que
quoi se ne pas mais donc ni car je tu il elle nous vous ils elles mon ma mes ton ta tes son sa ses
notre nos votre vos leur leurs être avoir ont été plus moins très aussi bien tout tous toute toutes
comme quand quel quelle quels quelles dont entre sans sous vers chez après avant
"""
_SPANISH = """
el los las y o con para por es al lo pero como más este esta estos estas ese esa eso su sus mi mis
yo él ella nosotros ellos qué quién cuando donde sin sobre hasta desde muy también ya todo todos
toda todas hay ser estar fue han
"""

_JOINING = """
until till while whether though although since upon among across within toward towards whose whom
something anything nothing everything someone anyone everyone somebody anybody nobody would could
should can get gets got let lets did done doing having per via yet ever else much many own does how
why what which who where when
wieso warum weshalb etwas nichts jemand niemand beim ins am ans vom obwohl damit sobald solange
könnte könnten würde würden hätte wäre sollte sollten mag möchte irgend einige einigen manchmal
pourquoi comment quelque chose rien jusque jusqu lorsque puis depuis pendant chaque aucun aucune
hasta porque aunque mientras algo nada alguien nadie cada ninguno ninguna cómo dónde
"""

COMMON = STOP_WORDS | {
    fold(word) for text in (_ENGLISH, _GERMAN, _FRENCH, _SPANISH) for word in text.split()
}
#: Words that say nothing by themselves either, though they are no search engine's stop words: none
#: of them proves anything where it is marked in a page.
JOINING = COMMON | {fold(word) for word in _JOINING.split()}


def telling(word: str) -> float:
    """LEAST..1: what a word says by itself, whatever the files. Where few of them are written in
    the question's language, its "the" is rare, and rarity takes it for what is asked."""
    likely = _likely().get(fold(word), _TELLING)
    return min(max((_FREQUENT - likely) / (_FREQUENT - _TELLING), LEAST), 1.0)


def exists(word: str) -> bool:
    """Whether it is a word of some language, and so hardly misspelt for being rare among files."""
    return fold(word) in _known()


@cache
def _likely() -> dict[str, float]:
    """Log probability by folded word: made by engine.search.training.common_words."""
    lines = words_file("common.tsv")
    return {word: float(score) for word, score in (line.split("\t") for line in lines)}


@cache
def _known() -> frozenset[str]:
    """Folded words: made by engine.search.training.common_words."""
    return frozenset(words_file("known.txt"))


def words_file(name: str) -> list[str]:
    """Lines of a file of resources/words."""
    file = importlib.resources.files(resources) / "words" / name
    return file.read_text(encoding="utf-8").splitlines()
