"""Decisions by their cues in Russian and English: few but right, always in the words of the messages themselves."""

import re
from collections.abc import Mapping

from core.digests.links import ChatLinks
from core.digests.model import Claim, ContextArtifact, Message, ThreadsArtifact
from core.digests.tokens import is_content, words
from core.digests.wording import name_of, sentences, shorten

DOING = (
    r"(?:дела(?:ем|йте)|бер[её]м|едем|ид[её]м|оставляем|переносим|ставим|заказываем|запускаем|катим|выкатываем|откатываем|фиксируем|"
    r"встречаемся|собираемся|выбираем|используем|покупаем|переходим|переезжаем|начинаем|созваниваемся|публикуем|отменяем|откладываем|останавливаемся)"
)
DECIDED = re.compile(
    rf"""(?:^|[\s,.;:—–-])(?:решили|порешили|решено|договорились|условились|утвердили|утверждено|согласовали|согласовано|определились|постановили)(?!\w)
    |^(?:итого|итог|решение|вердикт|резюме|резюмирую|фиксирую|фиксируем)\s*[:,—–-]
    |^(?:(?:всё|все|ок|окей|ладно|хорошо|отлично|супер|тогда|значит|решено|итак|принято|давайте\s+так)[\s,.!:—–-]+)+{DOING}(?!\w)
    |^{DOING}(?:\s+(?:тогда|так|всё-таки|все-таки))?(?!\w)
    |\b(?:we|team)(?:'ve|\ have|\ all)?\ (?:decided|agreed)\b|^decision\s*[:—–-]|^decided\b
    |\blet(?:'|’)?s\ go\ with\b|\bwe(?:'ll|\ will|'re\ going\ to|\ are\ going\ to)\ go\ with\b|\bwe(?:'re|\ are)\ going\ with\b|\bwe(?:'ve)?\ settled\ on\b
    |^(?:ok|okay|right|great|alright|agreed)[\s,.!:—–-]+(?:so\ )?(?:let(?:'|’)?s|we(?:'ll|\ will))\s
    |^agreed\s*[:,—–-]\s*\w""",
    re.VERBOSE | re.IGNORECASE,
)
NOT_DECIDED = re.compile(
    r"\b(?:не|ещё не|еще не|пока не|так и не|никак не|если|чтобы|когда|раз вы|как|что|почему|зачем|кто)\s+(?:мы\s+|вы\s+|они\s+|уже\s+|там\s+|в\s+итоге\s+)*"
    rf"(?:решили|порешили|договорились|утвердили|согласовали|определились|{DOING})"
    r"|решили\s+ли|договорились\s+ли|\b(?:не|ничего)\s+решено"
    r"|\b(?:haven't|have not|not|never|didn't|until|if|when|why|what|who|once|unless)\s+(?:\w+\s+){0,3}(?:decided|agreed|settled)\b|\bnot\s+(?:decided|agreed|settled)\b",
    re.IGNORECASE,
)
PROPOSES = re.compile(
    r"\b(?:давай(?:те)?|предлагаю|предложение|может(?: быть)?|го\s|готов\w*|буду|можем|созвон\w*|встре\w+|let(?:'|’)?s|propose|proposal|suggest|shall we|should we|why don't we|how about|what about|i'll|i will)\b",
    re.IGNORECASE,
)
SEALS = re.compile(
    r"^\W*(?:(?:ок|окей|отлично|супер|хорошо|всё|все|да|ok|okay|great|cool|yes)\W+)*(?:договорились|решено|решили|утверждено|согласовано|по рукам|принято|agreed|deal|it's a deal|done deal|settled)\W*$",
    re.IGNORECASE,
)
MIN_CONTENT = 2
LIMIT = 7


def find_decisions(context: ContextArtifact, threads: ThreadsArtifact, chat_links: ChatLinks) -> tuple[Claim, ...]:
    """The window's decisions in order of time, the best-marked ones when there are too many.

    A bare "agreed" seals the proposal that it answers: the text is then the proposal's.
    """
    by_id = {message.id: message for message in context.messages}
    parents = dict(threads.links)
    found: dict[str, tuple[int, Claim]] = {}
    for message in context.spoken():
        if message.id in context.shown:
            claim = _sealed(message, by_id.get(parents[message.id]), chat_links) or _stated(message, chat_links)
            if claim is not None:
                found.setdefault(claim.text.lower(), (message.reactions, claim))
    best = sorted(found.values(), key=lambda item: -item[0])[:LIMIT]
    return tuple(sorted((claim for _, claim in best), key=lambda claim: by_id[claim.message_ids[-1]].at))


def decided_in(text: str) -> str | None:
    """What a text tells of a decision: from the sentence with the cue to the end; None when there is none."""
    said = sentences(text)
    for place, sentence in enumerate(said):
        if not sentence.rstrip(" )").endswith("?") and DECIDED.search(sentence) and not NOT_DECIDED.search(sentence):
            return " ".join(said[place:])
    return None


def decisions_by_message(claims: tuple[Claim, ...]) -> Mapping[int, Claim]:
    return {number: claim for claim in claims for number in claim.message_ids}


def _stated(message: Message, chat_links: ChatLinks) -> Claim | None:
    decided = decided_in(message.text)
    if decided is None or sum(map(is_content, words(decided))) < MIN_CONTENT:
        return None
    return Claim(text=shorten(decided), author=name_of(message), message_ids=(message.id,), url=chat_links.url(message))


def _sealed(message: Message, proposal: Message | None, chat_links: ChatLinks) -> Claim | None:
    if not SEALS.match(message.text) or proposal is None or proposal.author_id == message.author_id:
        return None
    proposed = next((sentence for sentence in sentences(proposal.text) if PROPOSES.search(sentence)), None)
    if proposed is None:
        return None
    ids = (proposal.id, message.id)
    return Claim(text=shorten(proposed), author=name_of(proposal), message_ids=ids, url=chat_links.url(proposal))
