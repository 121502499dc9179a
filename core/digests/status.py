"""The state of a topic from what its messages say: done, in progress, blocked, an idea, or merely worth watching."""

from collections.abc import Sequence

from core.digests.asking import asks
from core.digests.cues import cue
from core.digests.model import Message, TopicStatus

NOT_BEFORE = r"(?<!\w)(?<!не )(?<!not )(?<!n't )(?<!never )"
DONE = cue(
    """
    готово, сделано, сделал[аи]?, починил[аи]?, исправил[аи]?, поправил[аи]?, заработал[ао]?, закрыл[аи]?, закрыто
    выкатил[аи]?, задеплоил[аи]?, оплатил[аи]?, оплачено, отправил[аи]?, отправлено, обновил[аи]?, настроил[аи]?
    выложил[аи]?, запустил[аи]?, забрал[аи]?, получил[аи]?, привез(?:ли|ла), приехал[аио]?, снят[аоы]?, сняла, решили
    договорились, утвердили, согласовали, подтвердил[аи]?, fixed, fix is in, done, shipped, merged, released, deployed
    resolved, works now, it works, all good, that worked, delivered, agreed
    """,
    before=NOT_BEFORE,
)
BLOCKED = cue(
    r"""
    не работает, не открывается, не запускается, не грузит\w*, сломал\w*, упал[аио]?, падает, лежит прод, ошибк[аиу]
    блокер, заблокирован\w*, застрял[аио]?, не могу, не можем, не успева\w+, нет доступа, плохие новости, трещин\w*
    треснул\w*, авари\w*, срочно, не приш(?:ёл|ел|ла|ли), потерял\w*, broken, blocked, stuck, fails, failed, failing
    crash\w*, doesn't work, not working, won't start, can't (?:boot|connect|install|open|log|find), outage, down again
    urgent
    """
)
MOVING = cue(
    """
    делаю, сделаю, займусь, возьму, беру, проверю, посмотрю, напишу, пришлю, отправлю, подготовлю, позвоню, поеду, куплю
    закажу, в процессе, в работе, жд[её]м, ещё не готово, почти готово, working on, i'll, i will, will do, in progress
    on it, looking into, almost done
    """,
    before=NOT_BEFORE,
)
IDEA = cue(
    """
    идея, предлагаю, а что если, а если, может (?:нам|сделаем|стоит), давайте, хорошо бы, можно было бы
    было бы (?:здорово|круто|хорошо), what if, idea, i suggest, i propose, how about, why don't we
    maybe we (?:should|could), would be (?:nice|great|cool)
    """
)
CUES = (
    (TopicStatus.DONE, DONE),
    (TopicStatus.BLOCKER, BLOCKED),
    (TopicStatus.IN_PROGRESS, MOVING),
    (TopicStatus.IDEA, IDEA),
)
FADE = 0.85  # what was said a message earlier weighs this much less: the last word on a matter counts


def status_of(messages: Sequence[Message]) -> TopicStatus:
    """The status that most recent cues speak for. `messages` in order of time; questions tell no state but trouble."""
    weights = dict.fromkeys(TopicStatus, 0.0)
    for message in messages:
        weights = {status: weight * FADE for status, weight in weights.items()}
        asked = asks(message.text)
        for status, pattern in CUES:
            if pattern.search(message.text[:1000]) and not (asked and status is TopicStatus.DONE):
                weights[status] += 1.0
                break
    best = max(weights, key=lambda status: weights[status])
    return best if weights[best] > 0.3 else TopicStatus.WATCH
