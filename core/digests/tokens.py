"""Words, stop words and stems of chat texts in Russian and English; the language of a text by its alphabet."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Literal

import Stemmer

Language = Literal["ru", "en"]

MAX_CHARS = 4096  # what one Telegram message may hold; anything longer is noise to a digest
MIN_STEM_CHARS = 3

WORD = re.compile(r"[^\W_](?:[\w'’\-]*[^\W_])?")
URL = re.compile(r"(?:https?://|www\.|tg://)\S+", re.IGNORECASE)
NOT_PROSE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`|(?:https?://|www\.|tg://)\S+|\S+@\S+\.\w+", re.DOTALL | re.IGNORECASE)
HANDLE = re.compile(r"(?<!\w)@\w+")
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
LATIN = re.compile(r"[a-z]", re.IGNORECASE)

STOP_WORDS = frozenset(
    """
    а без более больше будем будет будете будешь будто буду будут бы был была были было быть в вам вами вас ваш ваша ваше
    ваши вашу вдруг ведь весь во вообще вот все всегда всего всем всех всю всё вы где говорит говорят да дальше даже
    два две для до другой его ее ей ему если есть еще ещё ею её ж же за завтра зачем здесь и из или им ими иногда их к
    каждый кажется как какая какие каким какой когда кого конечно которая которое которые который кроме кстати кто куда ли либо
    лишь лучше любой мб между меня мне много могу может можно мои мой моя моё мою мы на над надо нам нами нас наш наша наше наши
    не него нее ней нельзя нет неё ни нибудь никогда ним них ничего но ну нужен нужна нужно нужны о об один одна однако ок окей
    он она они оно опять от очень пере перед по под пока пожалуйста пока помню понял после потом потому почему почти
    при про просто против пусть раз разве разу с сам сама сами самое самый свой своя свою свои сделать себе себя сегодня
    сейчас со совсем спасибо сразу так такая также такие такое такой там те тебе тебя тем теперь то тоже тогда того той только
    том тот точно три тут ты у уж уже хорошо хоть хочу хотя чего чей чем через что чтоб чтобы чтото чуть эта эти
    это этого этой этом этот эту этим этих я ага угу давай давайте плюс типа короче вроде всем привет здравствуйте добрый
    день утро вечер доброе ребята коллеги народ друзья блин лол имхо пж пжл спс думаю знаю знает вчера либо сколько чё че
    никто кто-то что-то кто-нибудь что-нибудь как-то где-то пор лет год года час минут сам моего моей нашего нашей
    могут можем можете может-быть скорее наверное наверно видимо похоже действительно именно либо ваще щас ща норм
    буквально прям прямо самом деле делать делаем делаю сделаю сделаем вижу видел видела нету смогу хотел хотела хотим хочет
    ноль один три четыре пять шесть семь восемь девять десять двадцать тридцать сорок пятьдесят сто двести триста пятьсот тысяча тысячи тысяч
    первый первая первое первого второй вторая второе третий третья четвертый пятый процент процентов штук штуки рубль рубля рублей руб
    three four five six seven eight nine ten twenty hundred thousand
    a about above after again ago all almost already also although always am an and another any anyone anything anyway are
    around as ask at away back be because been before being below better between both but by came can can't cannot come could
    couldn't did didn't do does doesn't doing don't done down during each either else enough even ever every everyone everything
    few fine first for from further get gets getting give go goes going gone gonna good got great guess had has hasn't have
    haven't having he hello help her here hers hey hi him his hmm how however i i'd i'll i'm i've if im in into is isn't it
    it'll it's its itself just keep kind know last later least less let let's like little ll lol look looks lot made make
    makes many may maybe me mean might mine more most much must my need needs never new next nice no none nope nor not nothing
    now of off ok okay on once one only onto or other our ours out over own people please pretty probably put quite rather re
    really right said same saw say says see seem seems seen she should shouldn't since so some someone something soon sorry
    still stuff such sure take than thank thanks that that's the their them then there there's these they they're thing things
    think this those though thought through thx to today together tomorrow too took try trying two u under until up ur us use
    used using ve very via want wants was wasn't way we we'll we're we've well went were weren't what what's whatever when
    where which while who whole why will with without won't work would wouldn't yeah yep yes yesterday yet you you'd you'll
    you're you've your yours
    """.split()
)


def clean(text: str) -> str:
    """The part of a text that is analysed: its first 4,096 characters without invisible and control marks."""
    return INVISIBLE.sub("", text[:MAX_CHARS])


def prose(text: str) -> str:
    """The text without code, links and e-mail addresses."""
    return NOT_PROSE.sub(" ", clean(text))


def words(text: str) -> list[str]:
    """Words of the prose in their original forms, handles left out."""
    return WORD.findall(HANDLE.sub(" ", prose(text)))


def normal(word: str) -> str:
    return word.lower().replace("ё", "е").replace("’", "'")


def is_content(word: str) -> bool:
    """Whether a word says what a text is about: no stop word, no bare number, no laughter, at least three letters."""
    folded = word.lower().replace("’", "'")
    if len(folded) < MIN_STEM_CHARS or folded in STOP_WORDS or folded.replace("ё", "е") in STOP_WORDS:
        return False
    letters = {char for char in folded if char.isalpha()}
    return len(letters) >= 2 and not letters <= set("аха") and not letters <= set("hae")


class Stemming:
    """Snowball stems, the stemmer chosen by each word's alphabet.

    Not for use by two threads at once: a Snowball stemmer keeps its work in place. One digest makes its own.
    """

    def __init__(self) -> None:
        self._russian = Stemmer.Stemmer("russian")
        self._english = Stemmer.Stemmer("english")

    def stem(self, word: str) -> str:
        folded = normal(word)
        stemmer = self._russian if CYRILLIC.search(folded) else self._english
        return str(stemmer.stemWord(folded))

    def stems(self, text: str) -> tuple[str, ...]:
        """Stems of the content words, in order, with repetitions."""
        return tuple(self.stem(word) for word in words(text) if is_content(word))


def language_of(text: str) -> Language | None:
    """The language that most words of a text are written in; None when it has no letters."""
    alphabets = Counter("ru" if CYRILLIC.search(word) else "en" for word in words(text) if _has_letters(word))
    if not alphabets:
        return None
    return "ru" if alphabets["ru"] >= alphabets["en"] else "en"


def majority_language(texts: Iterable[str], fallback: Language = "en") -> Language:
    """The language of a chat: each text has one vote, a tie goes to Russian (its chats quote English words, not vice versa)."""
    votes = Counter(language_of(text) for text in texts)
    if not votes["ru"] and not votes["en"]:
        return fallback
    return "ru" if votes["ru"] >= votes["en"] else "en"


def _has_letters(word: str) -> bool:
    return bool(CYRILLIC.search(word) or LATIN.search(word))
