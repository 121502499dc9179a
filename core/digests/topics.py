"""Threads become topics: near ones are merged, the weightiest kept, each named, marked with state and actions."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from core.digests.actions import find_actions
from core.digests.addressing import AddressBook
from core.digests.decisions import decided_in
from core.digests.linking import rarities
from core.digests.model import (
    ContextArtifact,
    Message,
    Priority,
    ThreadsArtifact,
    TopicDraft,
    TopicsArtifact,
    TopicStatus,
)
from core.digests.phrases import Phrasebook, best_phrases, keywords_of
from core.digests.segments import segments_of
from core.digests.status import status_of
from core.digests.titles import title_of
from core.digests.tokens import Stemming
from core.digests.wording import name_of

MAX_TOPICS = 7
MAX_SEEDS = 60  # groups that may grow; keeps merging linear in threads
MIN_MESSAGES = 3
MERGE_SIMILARITY = 0.3
VECTOR_STEMS = 40
KEYWORDS = 5
WORTH_SHOWING = 0.12  # of the score of the first topic


class Material(NamedTuple):
    """What naming and ranking need to know of the whole window."""

    by_id: Mapping[int, Message]
    context: ContextArtifact
    idf: Mapping[str, float]
    frequency: Mapping[str, int]
    phrasebook: Phrasebook
    addresses: AddressBook
    names: Mapping[str, str]
    name_stems: frozenset[str]


def build_topics(context: ContextArtifact, threads: ThreadsArtifact, stemming: Stemming) -> TopicsArtifact:
    """At most seven topics, the weightiest first; none when no thread says anything."""
    material = _material(context, stemming)
    quotable = [[number for number in thread if number in context.shown] for thread in segments_of(context, threads)]
    groups = merge_threads([thread for thread in quotable if thread], material)
    ranked = sorted(((_weight(group, material), group) for group in groups), key=lambda item: (-item[0], item[1]))
    drafts: list[TopicDraft] = []
    for weight, group in ranked:
        if len(drafts) == MAX_TOPICS or (drafts and weight < WORTH_SHOWING * drafts[0].score):
            break
        if not drafts or len(group) >= MIN_MESSAGES:
            draft = _draft(group, weight, material, stemming, {draft.title.lower() for draft in drafts})
            drafts += [draft] if draft else []
    return TopicsArtifact(topics=tuple(drafts))


def merge_threads(threads: Sequence[Sequence[int]], material: Material) -> list[list[int]]:
    """Threads with much the same vocabulary become one group; the weightiest threads seed the groups."""
    groups: list[list[int]] = []
    vectors: list[dict[str, float]] = []
    seeds_of: dict[str, set[int]] = defaultdict(set)
    by_weight = sorted(threads, key=lambda thread: (-_weight(thread, material), thread[0]))
    for thread in by_weight:
        vector = _vector(thread, material)
        home = _nearest(vector, vectors, seeds_of)
        if home is None:
            home = len(groups)
            groups.append([])
            if home < MAX_SEEDS:
                vectors.append(vector)
                for stem in vector:
                    seeds_of[stem].add(home)
        groups[home].extend(thread)
    order = {message.id: place for place, message in enumerate(material.context.messages)}
    return [sorted(group, key=order.__getitem__) for group in groups]


def _material(context: ContextArtifact, stemming: Stemming) -> Material:
    spoken = context.spoken()
    speakers = {message.author_name for message in spoken if message.author_name}
    shown = [message for message in spoken if message.id in context.shown]
    return Material(
        by_id={message.id: message for message in spoken},
        context=context,
        idf=rarities(context.stems.values()),
        frequency=Counter(stem for stems in context.stems.values() for stem in set(stems)),
        phrasebook=Phrasebook(shown, stemming),
        addresses=AddressBook(spoken),
        names={message.author_id: name_of(message) for message in spoken if message.author_id},
        name_stems=frozenset(stem for name in speakers for stem in stemming.stems(name)),
    )


def _vector(thread: Iterable[int], material: Material) -> dict[str, float]:
    """The heaviest stems of a thread with unit length."""
    counts = Counter(stem for number in thread for stem in material.context.stems[number])
    weighed = {stem: (1 + math.log(count)) * material.idf[stem] for stem, count in counts.items()}
    heaviest = sorted(weighed, key=lambda stem: (-weighed[stem], stem))[:VECTOR_STEMS]
    length = math.sqrt(sum(weighed[stem] ** 2 for stem in heaviest))
    return {stem: weighed[stem] / length for stem in heaviest}


def _nearest(
    vector: Mapping[str, float], vectors: Sequence[Mapping[str, float]], seeds_of: Mapping[str, set[int]]
) -> int | None:
    likeness: dict[int, float] = defaultdict(float)
    for stem, weight in vector.items():
        for seed in seeds_of.get(stem, ()):
            likeness[seed] += weight * vectors[seed][stem]
    best = max(likeness, key=lambda seed: (likeness[seed], -seed), default=None)
    return best if best is not None and likeness[best] >= MERGE_SIMILARITY else None


def _weight(ids: Sequence[int], material: Material) -> float:
    """Content first (a message counts up to two rare words), then people, reactions and decisions."""
    messages = [material.by_id[number] for number in ids]
    content = sum(min(1.0, 0.2 + 0.2 * len(set(material.context.stems[number]))) for number in ids)
    people = len({message.author_id for message in messages})
    reactions = math.log1p(sum(message.reactions for message in messages))
    decided = sum(1 for message in messages if decided_in(message.text))
    return math.pow(content, 0.8) * (1 + 0.25 * min(people - 1, 4)) + reactions + min(decided, 2)


def _draft(
    ids: Sequence[int], weight: float, material: Material, stemming: Stemming, taken: set[str]
) -> TopicDraft | None:
    messages = [material.by_id[number] for number in ids]
    marking = keywords_of(ids, material.context.stems, material.frequency, material.idf)
    keywords = [keyword for keyword in marking if keyword.stem not in material.name_stems]
    title = title_of(messages, best_phrases(ids, keywords, material.phrasebook), keywords, stemming, taken)
    if title is None:
        return None
    actions = find_actions(messages, material.addresses, material.names)
    status = status_of(messages)
    return TopicDraft(
        title=title,
        keywords=tuple(material.phrasebook.word(keyword.stem) for keyword in keywords[:KEYWORDS]),
        status=status,
        priority=_priority(messages, status),
        score=round(weight, 3),
        message_ids=tuple(ids),
        actions=actions,
    )


def _priority(messages: Sequence[Message], status: TopicStatus) -> Priority:
    people = len({message.author_id for message in messages})
    if status is TopicStatus.BLOCKER or (len(messages) >= 15 and people >= 4):
        return Priority.HIGH
    return Priority.MEDIUM if len(messages) >= 5 and people >= 3 else Priority.LOW
