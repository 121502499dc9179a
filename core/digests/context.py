"""The first stage: which messages of a window count, which may be quoted, and their stems."""

from collections.abc import Iterable
from datetime import timedelta

from core.digests.model import ContextArtifact, DigestChat, Message, Stats, ThreadsArtifact, Window
from core.digests.tokens import Stemming, clean, majority_language

DUPLICATE_LOOKBACK = 64  # kept messages each new one is compared with
DUPLICATE_SIMILARITY = 0.88
DUPLICATE_WITHIN = timedelta(minutes=120)
MIN_DUPLICATE_STEMS = 4  # shorter repetitions ("ok", "thanks a lot") are talk, not copies
SPEAKING_KINDS = frozenset({"message", "note", "review", "question"})


def build_context(chat: DigestChat, messages: Iterable[Message], window: Window, stemming: Stemming) -> ContextArtifact:
    """Messages inside the window, once each (the newest edit wins), in order of time."""
    inside = _newest_versions(message for message in messages if window.holds(message.at))
    service = frozenset(message.id for message in inside if not _speaks(message))
    spoken = [message for message in inside if message.id not in service]
    stems = {message.id: stemming.stems(message.text) for message in spoken}
    duplicates = find_duplicates(spoken, stems)
    return ContextArtifact(
        language=chat.language or majority_language(message.text for message in spoken),
        messages=tuple(inside),
        service_ids=service,
        duplicate_of=duplicates,
        shown=frozenset(message.id for message in spoken if message.id not in duplicates and not message.is_bot),
        stems=stems,
    )


def find_duplicates(spoken: Iterable[Message], stems: dict[int, tuple[str, ...]]) -> dict[int, int]:
    """Copies and near copies by the id of the message they repeat; each is compared with the last kept ones only."""
    kept: dict[int, tuple[Message, frozenset[str]]] = {}
    exact: dict[str, int] = {}
    copies: dict[int, int] = {}
    for message in spoken:
        said = frozenset(stems[message.id])
        original = _original_of(message, said, kept, exact)
        if original is not None:
            copies[message.id] = original
            continue
        kept[message.id] = (message, said)
        exact[_folded(message)] = message.id
        if len(kept) > DUPLICATE_LOOKBACK:
            forgotten, _ = kept.pop(next(iter(kept)))
            if exact.get(_folded(forgotten)) == forgotten.id:
                del exact[_folded(forgotten)]
    return copies


def build_stats(context: ContextArtifact, threads: ThreadsArtifact) -> Stats:
    spoken = context.spoken()
    return Stats(
        messages=len(spoken),
        people=len({message.author_id for message in spoken if message.author_id and not message.is_bot}),
        threads=sum(1 for thread in threads.threads if thread[0] not in context.service_ids),
        service=len(context.service_ids),
        duplicates=len(context.duplicate_of),
        media=sum(1 for message in spoken if message.media),
        first_at=spoken[0].at if spoken else None,
        last_at=spoken[-1].at if spoken else None,
    )


def _newest_versions(messages: Iterable[Message]) -> list[Message]:
    newest: dict[int, Message] = {}
    for message in messages:
        known = newest.get(message.id)
        if known is None or (message.edited_at or message.at) > (known.edited_at or known.at):
            newest[message.id] = message
    return sorted(newest.values(), key=lambda message: (message.at, message.id))


def _speaks(message: Message) -> bool:
    return message.kind in SPEAKING_KINDS and bool(clean(message.text).strip() or message.media)


def _original_of(
    message: Message, said: frozenset[str], kept: dict[int, tuple[Message, frozenset[str]]], exact: dict[str, int]
) -> int | None:
    if len(said) < MIN_DUPLICATE_STEMS:
        return None
    same = exact.get(_folded(message))
    if same is not None:
        return same
    for number, (other, other_said) in kept.items():
        if message.at - other.at <= DUPLICATE_WITHIN and _similar(said, other_said):
            return number
    return None


def _similar(one: frozenset[str], other: frozenset[str]) -> bool:
    """Cosine of two bags without counts, cheap enough to ask often."""
    limit = DUPLICATE_SIMILARITY**2
    small, large = sorted((len(one), len(other)))
    return small >= limit * large and len(one & other) ** 2 >= limit * small * large


def _folded(message: Message) -> str:
    return " ".join(clean(message.text).lower().split())
