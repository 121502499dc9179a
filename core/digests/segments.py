"""Long threads cut where the talk changed: at links that are neither replies nor share words."""

from collections import Counter
from collections.abc import Mapping, Sequence

from core.digests.linking import rarities, shared_weight
from core.digests.model import ContextArtifact, ThreadsArtifact
from core.digests.threads import unite

LONG_THREAD = 20
MIN_SEGMENT = 4  # messages that must follow a cut; a lone aside stays where it was said
LOOSE = 0.15  # shared weight of wording below which a link says nothing of the subject


def segments_of(context: ContextArtifact, threads: ThreadsArtifact) -> list[tuple[int, ...]]:
    """The threads, those longer than twenty messages cut at loose links that begin something."""
    parents = dict(threads.links)
    loose = _loose_links(context, parents)
    segments: list[tuple[int, ...]] = []
    for thread in threads.threads:
        segments += _cut(thread, parents, loose) if len(thread) > LONG_THREAD else [thread]
    return segments


def _loose_links(context: ContextArtifact, parents: Mapping[int, int]) -> frozenset[int]:
    idf = rarities(context.stems.values())
    words = {number: frozenset(stems) for number, stems in context.stems.items()}
    return frozenset(
        message.id
        for message in context.spoken()
        if message.reply_to is None
        and shared_weight(words[message.id], words.get(parents[message.id], frozenset()), idf) < LOOSE
    )


def _cut(thread: Sequence[int], parents: Mapping[int, int], loose: frozenset[int]) -> list[tuple[int, ...]]:
    followers: Counter[int] = Counter()
    kept: dict[int, int] = {}
    for number in reversed(thread):
        followers[number] += 1
        parent = parents[number]
        if parent != number and not (number in loose and followers[number] >= MIN_SEGMENT):
            followers[parent] += followers[number]
            kept[number] = parent
    return unite((number, kept.get(number, number)) for number in thread)
