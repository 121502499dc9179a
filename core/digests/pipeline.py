"""The stages of a digest without a model, in order: each a function from artifact to artifact."""

from collections.abc import Callable, Sequence
from datetime import UTC, tzinfo

from core.digests.context import build_context
from core.digests.evaluation import evaluate
from core.digests.links import links_of
from core.digests.model import Digest, DigestChat, Message, Mode, Skipped, Window
from core.digests.render import Reference, Texts, render_html
from core.digests.synthesis import build_synthesis
from core.digests.threads import build_threads
from core.digests.tokens import Language, Stemming
from core.digests.topics import build_topics

MIN_MESSAGES = 8
MICRO_MESSAGES = 20
NORMAL_MESSAGES = 150

TextsOf = Callable[[Language], Texts]


def build_digest(
    chat: DigestChat,
    messages: Sequence[Message],
    window: Window,
    texts_of: TextsOf,
    *,
    min_messages: int = MIN_MESSAGES,
    zone: tzinfo = UTC,
) -> Digest | Skipped:
    """The digest of the messages inside the window, worded in the chat's language, times shown in `zone`.

    Skipped when nothing was said ("empty_window") or less than `min_messages` ("too_few_messages").
    """
    stemming = Stemming()
    context = build_context(chat, messages, window, stemming)
    spoken = len(context.spoken())
    if spoken < min_messages or not context.shown:
        return Skipped(reason="too_few_messages" if spoken else "empty_window")
    threads = build_threads(context)
    topics = build_topics(context, threads, stemming)
    synthesis = build_synthesis(context, threads, topics, links_of(chat))
    by_id = {message.id: message for message in context.messages}
    reference = Reference(by_id, links_of(chat), zone, texts_of(context.language))
    quality = evaluate(context, synthesis, stemming).quality
    return Digest(
        chat=chat,
        window=window,
        mode=mode_of(spoken),
        stats=synthesis.stats,
        topics=synthesis.topics,
        open_questions=synthesis.open_questions,
        decisions=synthesis.decisions,
        participants=synthesis.participants,
        quality=quality,
        html=render_html(chat, window, synthesis, reference),
    )


def mode_of(messages: int) -> Mode:
    if messages <= MICRO_MESSAGES:
        return Mode.MICRO
    return Mode.NORMAL if messages <= NORMAL_MESSAGES else Mode.LARGE
