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
NOT_PROSE = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]*`|(?:https?://|www\.|tg://)\S+|[^\s@]{1,64}@[^\s@]+\.\w+", re.DOTALL | re.IGNORECASE
)
HANDLE = re.compile(r"(?<!\w)@\w+")
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
LATIN = re.compile(r"[a-z]", re.IGNORECASE)


def word_set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


STOP_WORDS = word_set(
    """
    а ага без блин более больше будем будет будете будешь будто буду будут буквально бы был была были было быть в
    вам вами вас ваш ваша ваше ваши вашу ваще вдруг ведь весь вечер видел видела видимо вижу во вообще восемь вот
    вроде все всегда всего всем всех всю всё вторая второе второй вчера вы где где-то говорит говорят год года да
    давай давайте даже дальше два двадцать две двести девять действительно делаем делать делаю деле день десять
    для до доброе добрый другой друзья думаю его ее ей ему если есть еще ещё ею её ж же за завтра зачем здесь
    здравствуйте знает знаю и из или им именно ими имхо иногда их к каждый кажется как как-то какая какие каким
    какой когда кого коллеги конечно короче которая которое которые который кроме кстати кто кто-нибудь кто-то
    куда лет ли либо лишь лол лучше любой мб между меня минут мне много могу могут моего моей можем может
    может-быть можете можно мои мой мою моя моё мы на наверно наверное над надо нам нами народ нас наш наша наше
    нашего нашей наши не него нее ней нельзя нет нету неё ни нибудь никогда никто ним них ничего но ноль норм ну
    нужен нужна нужно нужны о об один одна однако ок окей он она они оно опять от очень первая первого первое
    первый пере перед пж пжл плюс по под пожалуйста пока помню понял пор после потом потому похоже почему почти
    при привет про просто против процент процентов прям прямо пусть пятый пять пятьдесят пятьсот раз разве разу
    ребята руб рублей рубль рубля с сам сама сами самое самом самый свои свой свою своя сделаем сделать сделаю
    себе себя сегодня сейчас семь сколько скорее смогу со совсем сорок спасибо спс сразу сто так такая также такие
    такое такой там те тебе тебя тем теперь типа то тогда того тоже той только том тот точно третий третья три
    тридцать триста тут ты тысяч тысяча тысячи у угу уж уже утро хорошо хотел хотела хотим хоть хотя хочет хочу
    час че чего чей чем через четвертый четыре что что-нибудь что-то чтоб чтобы чтото чуть чё шесть штук штуки ща
    щас эта эти этим этих это этого этой этом этот эту я
    a about above after again ago all almost already also although always am an and another any anyone anything
    anyway are around as ask at away back be because been before being below better between both but by came can
    can't cannot come could couldn't did didn't do does doesn't doing don't done down during each eight either
    else enough even ever every everyone everything few fine first five for four from further get gets getting
    give go goes going gone gonna good got great guess had has hasn't have haven't having he hello help her here
    hers hey hi him his hmm how however hundred i i'd i'll i'm i've if im in into is isn't it it'll it's its
    itself just keep kind know last later least less let let's like little ll lol look looks lot made make makes
    many may maybe me mean might mine more most much must my need needs never new next nice nine no none nope nor
    not nothing now of off ok okay on once one only onto or other our ours out over own people please pretty
    probably put quite rather re really right said same saw say says see seem seems seen seven she should
    shouldn't since six so some someone something soon sorry still stuff such sure take ten than thank thanks that
    that's the their them then there there's these they they're thing things think this those though thought
    thousand three through thx to today together tomorrow too took try trying twenty two u under until up ur us
    use used using ve very via want wants was wasn't way we we'll we're we've well went were weren't what what's
    whatever when where which while who whole why will with without won't work would wouldn't yeah yep yes
    yesterday yet you you'd you'll you're you've your yours
    """
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
    """The language of a chat: each text has one vote.

    A tie goes to Russian, whose chats quote English words while the reverse is rare.
    """
    votes = Counter(language_of(text) for text in texts)
    if not votes["ru"] and not votes["en"]:
        return fallback
    return "ru" if votes["ru"] >= votes["en"] else "en"


def _has_letters(word: str) -> bool:
    return bool(CYRILLIC.search(word) or LATIN.search(word))
