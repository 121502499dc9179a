"""What the digest says of its topics: the most central words of the people themselves, each with its messages."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.digests.asking import asks
from core.digests.context import build_stats
from core.digests.decisions import decisions_by_message, find_decisions
from core.digests.linking import rarities
from core.digests.links import ChatLinks
from core.digests.model import (
    Claim,
    ContextArtifact,
    Evidence,
    Message,
    SynthesisArtifact,
    ThreadsArtifact,
    Topic,
    TopicDraft,
    TopicsArtifact,
)
from core.digests.participants import list_participants
from core.digests.questions import find_open_questions
from core.digests.threads import children_of
from core.digests.wording import quote, said

EVIDENCE = 4
SAID_ONCE = 0.5
ENOUGH_STEMS = 3
BREVITY = 0.45  # 0 takes the longest message, 1 the one whose average word is most shared


def build_synthesis(
    context: ContextArtifact, threads: ThreadsArtifact, topics: TopicsArtifact, chat_links: ChatLinks
) -> SynthesisArtifact:
    decisions = find_decisions(context, threads, chat_links)
    facts = WindowFacts(
        by_id={message.id: message for message in context.messages},
        stems=context.stems,
        idf=rarities(context.stems.values()),
        answers={parent: len(children) for parent, children in children_of(threads).items()},
        decided=decisions_by_message(decisions),
        chat_links=chat_links,
    )
    return SynthesisArtifact(
        topics=tuple(_topic(draft, facts) for draft in topics.topics),
        decisions=decisions,
        open_questions=find_open_questions(context, threads, chat_links),
        participants=list_participants(context, threads),
        stats=build_stats(context, threads),
    )


class WindowFacts(NamedTuple):
    """What wording a topic needs to know of the whole facts."""

    by_id: Mapping[int, Message]
    stems: Mapping[int, tuple[str, ...]]
    idf: Mapping[str, float]
    answers: Mapping[int, int]
    decided: Mapping[int, Claim]
    chat_links: ChatLinks


def by_centrality(messages: Iterable[Message], facts: WindowFacts) -> list[Message]:
    """Messages that say most of what the others say too, first; answered ones and statements are preferred."""
    messages = list(messages)
    shared = Counter(stem for message in messages for stem in set(facts.stems[message.id]))

    def centrality(message: Message) -> float:
        content = set(facts.stems[message.id])
        told = sum(((shared[stem] - SAID_ONCE) * facts.idf[stem] for stem in content), 0.0)
        heard = 1 + 0.1 * min(message.reactions, 5) + 0.15 * min(facts.answers.get(message.id, 0), 4)
        return told / math.pow(len(content) + ENOUGH_STEMS, BREVITY) * heard * (0.8 if asks(message.text) else 1.0)

    return sorted(messages, key=lambda message: (-centrality(message), message.at, message.id))


def _topic(draft: TopicDraft, facts: WindowFacts) -> Topic:
    messages = [facts.by_id[number] for number in draft.message_ids]
    central = by_centrality((message for message in messages if said(message)), facts)
    decision = next((facts.decided[number] for number in reversed(draft.message_ids) if number in facts.decided), None)
    summary = central[0]
    return Topic(
        title=draft.title,
        summary=quote(summary),
        status=draft.status,
        decision=decision.text if decision else None,
        owners=tuple(dict.fromkeys(action.owner for action in draft.actions)),
        actions=draft.actions,
        message_ids=draft.message_ids,
        evidence=_evidence(messages, central, decision),
        keywords=draft.keywords,
        priority=draft.priority,
        url=facts.chat_links.url(messages[0]),
        messages=len(messages),
    )


def _evidence(messages: Sequence[Message], central: Sequence[Message], decision: Claim | None) -> tuple[Evidence, ...]:
    """Two to four quotations in order of time: the opening, the decision, the most central lines."""
    decided = [message for message in messages if decision and message.id in decision.message_ids]
    opening = [message for message in messages if said(message)][:1]
    chosen = list({message.id: message for message in [*central[:1], *opening, *decided, *central[1:]]}.values())
    kept = sorted(chosen[:EVIDENCE], key=lambda message: (message.at, message.id))
    return tuple(Evidence(text=quote(message), message_ids=(message.id,)) for message in kept)
