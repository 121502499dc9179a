"""Decisions by their cues in Russian and English: few but right, always in the words of the messages themselves."""

import re
from collections.abc import Mapping

from core.digests.cues import any_of, cue
from core.digests.links import ChatLinks
from core.digests.model import Claim, ContextArtifact, Message, ThreadsArtifact
from core.digests.tokens import is_content, words
from core.digests.wording import name_of, sentences, shorten

DOING = any_of(
    """
    делаем, бер[её]м, едем, ид[её]м, оставляем, переносим, ставим, заказываем, запускаем, катим, выкатываем, откатываем
    фиксируем, встречаемся, собираемся, выбираем, используем, покупаем, переходим, переезжаем, начинаем, созваниваемся
    публикуем, отменяем, откладываем, останавливаемся
    """
)
AGREED_RU = any_of(
    """
    решили, порешили, решено, договорились, условились, утвердили, утверждено, согласовали, согласовано, определились
    постановили
    """
)
SO_THEN = any_of("всё, все, ок, окей, ладно, хорошо, отлично, супер, тогда, значит, решено, итак, принято, давайте так")
WE_WILL = r"we(?:'ll|'re going to| will| are going to)"
DECIDED = re.compile(
    "|".join(
        (
            rf"(?:^|[\s,.;:—–-]){AGREED_RU}(?!\w)",
            r"^(?:итого|итог|решение|вердикт|резюме|резюмирую|фиксирую|фиксируем|decision)\s*[:,—–-]",
            rf"^(?:{SO_THEN}[\s,.!:—–-]+)*{DOING}(?!\w)",
            r"\b(?:we|team)(?:'ve| have| all)? (?:decided|agreed)\b|^decided\b",
            rf"\blet['’]s go with\b|\b{WE_WILL} go with\b|\bwe(?:'re| are) going with\b|\bwe(?:'ve)? settled on\b",
            rf"^(?:ok|okay|right|great|alright|agreed)[\s,.!:—–-]+(?:so )?(?:let['’]s|{WE_WILL})\s",
            r"^agreed\s*[:,—–-]\s*\w",
        )
    ),
    re.IGNORECASE,
)
UNSETTLED_RU = any_of("не, ничего не, если, чтобы, когда, раз вы, как, что, почему, зачем, кто, надо чтобы")
NOT_DECIDED = re.compile(
    "|".join(
        (
            rf"(?<!\w){UNSETTLED_RU}\s+(?:(?:мы|вы|они|уже|там|в итоге)\s+)*(?:{AGREED_RU}|{DOING})(?!\w)",
            rf"(?<!\w){AGREED_RU}\s+ли(?!\w)",
            r"\b(?:haven't|have not|not|never|didn't|until|if|when|why|what|who|once|unless)\s+(?:\w+\s+){0,3}"
            r"(?:decided|agreed|settled)\b",
        )
    ),
    re.IGNORECASE,
)
PROPOSES = cue(
    r"""
    давай(?:те)?, предлагаю, предложение, может, го, готов\w*, буду, можем, созвон\w*, встре\w+, let['’]s, propose
    proposal, suggest, shall we, should we, why don't we, how about, what about, i'll, i will
    """
)
SEALS = re.compile(
    rf"^\W*(?:(?:{SO_THEN}|да|ok|okay|great|cool|yes)\W+)*"
    rf"(?:{AGREED_RU}|по рукам|принято|agreed|deal|it's a deal|done deal|settled)\W*$",
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
