"""Open questions: what was asked in the window and answered by nobody else in it."""

import re
from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import pairwise

from core.digests.asking import asks
from core.digests.cues import cue
from core.digests.links import ChatLinks
from core.digests.model import Claim, ContextArtifact, Message, ThreadsArtifact
from core.digests.threads import children_of
from core.digests.tokens import is_content, words
from core.digests.wording import name_of, sentences, shorten

AT_ONCE = timedelta(minutes=5)  # within which the next words in the room are taken for an answer
LOOKAHEAD = 4  # next lines of the thread in which an answer is sought though no link says so
MIN_WORDS = 3
LIMIT = 7
CLEAR_STEMS = 5  # content words after which more make a question no clearer
BUMP = cue(
    r"\+\s*1?, up, ап, апну, плюсую, (?:мне )?тоже интересно, присоединяюсь, same(?: question| here)?, following, \W*",
    before=r"^\W*",
    after=r"\W*$",
)
SOLVED = cue(
    """
    разобрал(?:ся|ась), наш(?:ёл|ел|ла), сама? (?:нашёл|нашла|поняла?), решил(?:а|ось)?, уже не (?:надо|нужно|актуально)
    не актуально, понял[а]?, отбой, вопрос снят, nvm, nevermind, never mind, figured it out, found it, got it, solved
    sorted it
    """
)
TAG = re.compile(
    r"(?:,\s*(?:да|нет|правда|верно|так|ок|right|ok|no|yes|huh)|\bне так ли|\bправда ведь|isn't it)\s*\?+\W*$",
    re.IGNORECASE,
)
RHETORICAL = cue(
    """
    кто бы (?:мог|сомневался|знал), сколько можно, доколе, зачем вообще, ну и зачем, какого (?:чёрта|черта|фига), шутишь
    на связи, ты (?:тут|здесь|где), серь[её]зно, who cares, who knew, are you (?:there|here|around|serious|kidding)
    why would anyone
    """
)


def find_open_questions(context: ContextArtifact, threads: ThreadsArtifact, chat_links: ChatLinks) -> tuple[Claim, ...]:
    """Unanswered questions in order of time; of many, those with reactions and with content are kept."""
    replies = Replies(context, threads)
    open_ones = [
        message
        for message in context.spoken()
        if message.id in context.shown
        and is_real_question(message.text)
        and not any(_settles(message, later) for later in replies.after(message))
    ]

    def importance(message: Message) -> tuple[int, int, int]:
        return -message.reactions, -min(len(context.stems[message.id]), CLEAR_STEMS), -message.id

    kept = sorted(_one_per_author_and_wording(open_ones), key=importance)[:LIMIT]
    return tuple(_claim(message, chat_links) for message in sorted(kept, key=lambda message: message.at))


class Replies:
    """Where an answer to a message may stand: linked to it, next in its thread, or said at once in the room."""

    def __init__(self, context: ContextArtifact, threads: ThreadsArtifact) -> None:
        self._by_id = {message.id: message for message in context.messages}
        self._children = children_of(threads)
        self._parents = dict(threads.links)
        self._in_thread = {n: following for thread in threads.threads for n, following in _followers(thread)}
        spoken = context.spoken()
        self._next = {message.id: after for message, after in pairwise(spoken)}

    def after(self, message: Message) -> Iterator[Message]:
        for child in self._children.get(message.id, ()):
            yield self._by_id[child]
            yield from (self._by_id[number] for number in self._children.get(child, ()))
        yield from (self._by_id[number] for number in self._in_thread.get(message.id, ()))
        following = self._next.get(message.id)
        if following is not None and self._may_answer(message, following):
            yield following

    def _may_answer(self, message: Message, following: Message) -> bool:
        """Whether the next line of the room comes soon, answers nothing by a reply, and opens no talk of its own."""
        soon = following.at - message.at <= AT_ONCE and following.topic_id == message.topic_id
        return soon and following.reply_to is None and self._parents[following.id] != following.id


def is_real_question(text: str) -> bool:
    """Whether a text asks for something others could answer: no tag, no rhetoric, enough words to understand alone."""
    said = words(text)
    if len(said) < MIN_WORDS or not any(map(is_content, said)) or not asks(text):
        return False
    return not TAG.search(text) and not RHETORICAL.search(text)


def asked_in(text: str) -> str:
    """The sentence that asks, with the sentence before it when that one alone says little."""
    parts = sentences(text)
    for place, sentence in enumerate(parts):
        if asks(sentence):
            alone = sum(map(is_content, words(sentence))) >= 2
            return sentence if alone or place == 0 else f"{parts[place - 1]} {sentence}"
    return text


def _settles(question: Message, later: Message) -> bool:
    if later.author_id == question.author_id:
        return bool(SOLVED.search(later.text))
    if later.is_bot or (BUMP.match(later.text) and not later.media):
        return False
    return bool(later.media) or any(not asks(sentence) for sentence in sentences(later.text))


def _one_per_author_and_wording(questions: Sequence[Message]) -> list[Message]:
    """The last of the questions that one person asks in the same words."""
    return list({(message.author_id, shorten(message.text, 60).lower()): message for message in questions}.values())


def _claim(message: Message, chat_links: ChatLinks) -> Claim:
    text = shorten(asked_in(message.text))
    return Claim(text=text, author=name_of(message), message_ids=(message.id,), url=chat_links.url(message))


def _followers(thread: Sequence[int]) -> Iterator[tuple[int, Sequence[int]]]:
    for place, number in enumerate(thread):
        yield number, thread[place + 1 : place + 1 + LOOKAHEAD]
