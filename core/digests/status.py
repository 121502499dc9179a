"""The state of a topic from what its messages say: done, in progress, blocked, an idea, or merely worth watching."""

import re
from collections.abc import Sequence

from core.digests.asking import asks
from core.digests.model import Message, TopicStatus

NOT = r"(?<!не )(?<!не\s\s)(?<!ещё не )(?<!not )(?<!n't )(?<!isn't )(?<!never )"
DONE = re.compile(
    NOT + r"\b(?:готово|сделано|сделал[аи]?|починил[аи]?|исправил[аи]?|поправил[аи]?|заработал[ао]?|закрыл[аи]?|закрыто|выкатил[аи]?|задеплоил[аи]?"
    r"|оплатил[аи]?|оплачено|отправил[аи]?|отправлено|обновил[аи]?|настроил[аи]?|выложил[аи]?|запустил[аи]?|забрал[аи]?|получил[аи]?|привез(?:ли|ла)|приехал[аио]?"
    r"|снят[аоы]?|сняла|решили|договорились|утвердили|согласовали|fixed|done|shipped|merged|released|deployed|resolved|works now|it works|all good|that worked|delivered|agreed)\b",
    re.IGNORECASE,
)
BLOCKED = re.compile(
    r"\b(?:не работает|не открывается|не запускается|не грузит\w*|сломал\w*|упал[аио]?|падает|лежит прод|ошибк[аиу]|блокер|заблокирован\w*|застрял[аио]?|не могу|не можем"
    r"|не успева\w+|нет доступа|плохие новости|трещин\w*|брак\w*|авари\w*|срочно|не приш(?:ёл|ел|ла|ли)|потерял\w*|broken|blocked|stuck|fails|failed|failing|crash\w*|doesn't work|not working"
    r"|won't start|can't (?:boot|connect|install|open|log|find)|error|outage|down again|urgent)\b",
    re.IGNORECASE,
)
MOVING = re.compile(
    NOT + r"\b(?:делаю|сделаю|займусь|возьму|беру|проверю|посмотрю|напишу|пришлю|отправлю|подготовлю|позвоню|поеду|куплю|закажу|в процессе|в работе|жд[её]м"
    r"|ещё не готово|почти готово|working on|i'll|i will|will do|in progress|on it|looking into|almost done)\b",
    re.IGNORECASE,
)
IDEA = re.compile(
    r"\b(?:идея|предлагаю|а что если|а если|может,? (?:нам|сделаем|стоит)|давайте|хорошо бы|было бы (?:здорово|круто|хорошо)|можно было бы|what if|idea|i suggest|i propose"
    r"|how about|why don't we|maybe we (?:should|could)|would be (?:nice|great|cool))\b",
    re.IGNORECASE,
)
CUES = ((TopicStatus.DONE, DONE), (TopicStatus.BLOCKER, BLOCKED), (TopicStatus.IN_PROGRESS, MOVING), (TopicStatus.IDEA, IDEA))
FADE = 0.85  # what was said a message earlier weighs this much less: the last word on a matter counts


def status_of(messages: Sequence[Message]) -> TopicStatus:
    """The status that most recent cues speak for. `messages` in order of time; questions tell no state but trouble."""
    weights = dict.fromkeys(TopicStatus, 0.0)
    for message in messages:
        weights = {status: weight * FADE for status, weight in weights.items()}
        asked = asks(message.text)
        for status, cue in CUES:
            if cue.search(message.text[:1000]) and not (asked and status is TopicStatus.DONE):
                weights[status] += 1.0
                break
    best = max(weights, key=lambda status: weights[status])
    return best if weights[best] > 0.3 else TopicStatus.WATCH
