"""Who promised or was asked to do what, in the words of the messages, with the due phrase as it was written."""

import re
from collections.abc import Mapping, Sequence

from core.digests.addressing import AddressBook
from core.digests.asking import asks
from core.digests.cues import any_of, cue
from core.digests.model import Action, Message
from core.digests.tokens import is_content, words
from core.digests.wording import name_of, sentences, shorten, without_call

PROMISE_RU = cue(
    """
    сделаю, возьму, беру на себя, возьмусь, займусь, напишу, проверю, отправлю, подготовлю, скину, пришлю, позвоню,
    поправлю, починю, уточню, узнаю, договорюсь, закажу, куплю, заберу, оформлю, создам, добавлю, обновлю, выложу,
    организую, составлю, соберу, посмотрю, передам, привезу, отвезу, настрою, запущу, перенесу, посчитаю, опубликую,
    оплачу, забронирую, спрошу, разберусь, сниму, поставлю, верну, отдам, сверю, опишу, нарисую, переделаю, перезвоню,
    вышлю, съезжу, встречу, приготовлю, распечатаю, испеку, проведу, доделаю
    """,
    before=r"(?<!\w)(?<!не )(?<!если )(?<!когда )(?<!как )",
)
PROMISE_EN = cue(
    "i'll, i will, i am going to, i'm going to, let me, i can take",
    after=r"\s+(?!(?:be|never|not|have|say|admit|tell|guess|bet|try|miss|cry|just|still|know|see)\b)\w+",
)
CONDITIONAL = re.compile(r"^\W*(?:если|когда|if|when|unless)\b", re.IGNORECASE)
REQUEST = cue(
    """
    пожалуйста, плиз, пжл, прошу, сможешь, можешь, сделай(?:те)?, проверь(?:те)?, скинь(?:те)?, пришли(?:те)?
    посмотри(?:те)?, напиши(?:те)?, отправь(?:те)?, подготовь(?:те)?, добавь(?:те)?, обнови(?:те)?, уточни(?:те)?
    позвони(?:те)?, закажи(?:те)?, купи(?:те)?, забери(?:те)?, возьми(?:те)?, сними(?:те)?, поправь(?:те)?
    перенеси(?:те)?, please, pls, could you, can you, will you, would you
    """,
    before=r"(?<!\w)(?<!не )",
)
WEEKDAY = any_of(
    r"""
    понедельник\w?, вторник\w?, сред[уыае], четверг\w?, пятниц\w, суббот\w, воскресень\w, выходны[хем]\w?
    (?:mon|tues|wednes|thurs|fri|satur|sun)day
    """
)
MONTH = r"(?:январ|феврал|март|апрел|ма[йяе]|июн|июл|август|сентябр|октябр|ноябр|декабр)\w*"
MOMENT_RU = any_of(
    rf"""
    {WEEKDAY}, завтра, вечер[ау], утр[ау], обед[ау], конц[ау] (?:дня|недели|месяца|года), (?:этой|следующей) неделе
    \d\d?[:.]\d\d, \d\d?(?:-?го)?(?: {MONTH})?
    """
)
MOMENT_EN = any_of(
    rf"""
    {WEEKDAY}, tomorrow, tonight, noon, eod, week, month, (?:the )?end of (?:the |this )?(?:day|week|month)
    \d\d?(?::\d\d)?\s?(?:am|pm)
    """
)
DUE = cue(
    rf"""
    (?:до|к|ко) {MOMENT_RU}, (?:в|во|на) (?:следующ\w+ )?{WEEKDAY}, (?:на|в) (?:этой|следующей) неделе
    в \d\d?:\d\d, через (?:\d+ |пару )?(?:минут\w?|полчаса|час\w*|д[не]\w+|недел\w+), после обеда
    (?:завтра|сегодня|послезавтра)(?: (?:утром|днём|днем|вечером|ночью|до {MOMENT_RU}))?
    (?:by|before|until|till|on|this|next) {MOMENT_EN}
    (?:today|tonight|tomorrow)(?: (?:morning|evening|afternoon))?
    """
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
        if _promises(sentence) and _says_enough(sentence):
            return _action(sentence, name_of(message), message)
    return None


def _promises(sentence: str) -> bool:
    if CONDITIONAL.match(sentence) or asks(sentence):
        return False
    return bool(PROMISE_RU.search(sentence) or PROMISE_EN.search(sentence))


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
    text = shorten(without_call(sentence), 120)
    return Action(text=text, owner=owner, due=due_in(sentence), message_ids=(message.id,))
