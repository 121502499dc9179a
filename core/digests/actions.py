"""Who promised or was asked to do what, in the words of the messages, with the due phrase as it was written."""

import re
from collections.abc import Mapping, Sequence

from core.digests.addressing import AddressBook
from core.digests.asking import asks
from core.digests.model import Action, Message
from core.digests.tokens import is_content, words
from core.digests.wording import name_of, sentences, shorten, without_call

VERBS = (
    "сделаю|возьму|беру на себя|возьмусь|займусь|напишу|проверю|отправлю|подготовлю|скину|пришлю|позвоню|поправлю|починю|уточню|узнаю|договорюсь|закажу|куплю|заберу|"
    "оформлю|создам|добавлю|обновлю|выложу|организую|составлю|соберу|посмотрю|передам|привезу|отвезу|настрою|запущу|перенесу|посчитаю|опубликую|оплачу|забронирую|"
    "спрошу|разберусь|сниму|поставлю|верну|отдам|сверю|опишу|нарисую|переделаю|перезвоню|вышлю|съезжу|встречу|приготовлю|распечатаю|испеку|проведу|доделаю"
)
PROMISE = re.compile(
    rf"(?<!не )(?<!если )(?<!когда )(?<!как )(?<!никогда не )\b(?:{VERBS})(?!\w)"
    r"|\b(?:i'll|i will|i am going to|i'm going to|let me|i can take)\s+(?!be\b|never\b|not\b|have\b|say\b|admit\b|tell you\b|guess\b|bet\b|try\b|miss\b|cry\b|just\b|still\b|know\b|see\b)\w+",
    re.IGNORECASE,
)
CONDITIONAL = re.compile(r"^\W*(?:если|когда|if|when|unless)\b", re.IGNORECASE)
REQUEST = re.compile(
    r"(?<!не )\b(?:пожалуйста|плиз|пжл|прошу|сможешь|можешь|сделай(?:те)?|проверь(?:те)?|скинь(?:те)?|пришли(?:те)?|посмотри(?:те)?|напиши(?:те)?|отправь(?:те)?|подготовь(?:те)?|добавь(?:те)?|обнови(?:те)?"
    r"|уточни(?:те)?|позвони(?:те)?|закажи(?:те)?|купи(?:те)?|забери(?:те)?|возьми(?:те)?|сними(?:те)?|поправь(?:те)?|перенеси(?:те)?|please|pls|could you|can you|will you|would you)\b",
    re.IGNORECASE,
)
WEEKDAY_RU = r"(?:понедельник\w?|вторник\w?|сред[уыае]|четверг\w?|пятниц\w|суббот\w|воскресень\w|выходны[хем]\w?)"
WEEKDAY_EN = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
DUE = re.compile(
    rf"\b(?:(?:до|к|в|во|ко|с|на)\s+(?:следующ\w+\s+)?(?:{WEEKDAY_RU}|завтра|вечера|вечеру|утра|утру|обеда|обеду|конца\s+(?:дня|недели|месяца|года)|концу\s+(?:дня|недели|месяца)|(?:этой|следующей)\s+неделе|\d{{1,2}}[:.]\d\d"
    r"|\d{1,2}(?:-?го)?\s+(?:январ|феврал|март|апрел|ма|июн|июл|август|сентябр|октябр|ноябр|декабр)\w*)(?:\s+(?:утром|днём|днем|вечером|ночью))?"
    r"|через\s+(?:\d+\s+|пару\s+|полчаса|час|неделю)(?:минут\w?|час\w*|дн\w+|недел\w+)?"
    r"|(?:завтра|сегодня|послезавтра)(?:\s+(?:утром|днём|днем|вечером|ночью))?|после\s+обеда"
    rf"|(?:by|before|until|till|on|this|next)\s+(?:{WEEKDAY_EN}|tomorrow|tonight|noon|eod|week|month|(?:the\s+)?end\s+of\s+(?:the\s+|this\s+)?(?:day|week|month)|\d{{1,2}}(?::\d\d)?\s?(?:am|pm))"
    r"|(?:today|tonight|tomorrow)(?:\s+(?:morning|evening|afternoon))?)(?!\w)",
    re.IGNORECASE,
)
MIN_CONTENT = 1
LIMIT = 5


def find_actions(messages: Sequence[Message], book: AddressBook, names: Mapping[str, str]) -> tuple[Action, ...]:
    """Actions among the messages of a topic, in order; `names` are the people's names by author id."""
    found: dict[tuple[str, str], Action] = {}
    for message in messages:
        action = _promised(message) or _requested(message, book, names)
        if action is not None:
            found.setdefault((action.owner, action.text.lower()), action)
    dated_first = sorted(found.values(), key=lambda action: action.due is None)[:LIMIT]
    return tuple(sorted(dated_first, key=lambda action: action.message_ids))


def due_in(text: str) -> str | None:
    """The first due phrase of a text, as written."""
    match = DUE.search(text)
    return match[0] if match else None


def _promised(message: Message) -> Action | None:
    for sentence in sentences(message.text):
        if PROMISE.search(sentence) and not CONDITIONAL.match(sentence) and not asks(sentence) and _says_enough(sentence):
            return _action(sentence, name_of(message), message)
    return None


def _requested(message: Message, book: AddressBook, names: Mapping[str, str]) -> Action | None:
    called = book.address_of(message).called
    if len(called) != 1:
        return None
    owner = names.get(next(iter(called)))
    for sentence in sentences(message.text):
        if owner and REQUEST.search(sentence) and _says_enough(sentence):
            return _action(sentence, owner, message)
    return None


def _says_enough(sentence: str) -> bool:
    said = words(sentence)
    return len(said) >= 3 and sum(map(is_content, said)) > MIN_CONTENT


def _action(sentence: str, owner: str, message: Message) -> Action:
    return Action(text=shorten(without_call(sentence), 120), owner=owner, due=due_in(sentence), message_ids=(message.id,))
