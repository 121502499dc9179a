"""Who took part, how much, and in what manner: by what each started, answered and said."""

from collections import Counter, defaultdict

from core.digests.asking import asks
from core.digests.model import ContextArtifact, Message, Participant, Role, ThreadsArtifact
from core.digests.wording import name_of

LIMIT = 10
EXAMPLES = 3


def list_participants(context: ContextArtifact, threads: ThreadsArtifact) -> tuple[Participant, ...]:
    """The most active people first, bots left out."""
    by_id = {message.id: message for message in context.messages}
    mine: dict[str, list[Message]] = defaultdict(list)
    for message in context.spoken():
        if message.author_id and not message.is_bot:
            mine[message.author_id].append(message)
    started = _started(threads, by_id)
    answered = _answered(threads, by_id)
    busiest = sorted(mine, key=lambda author: (-len(mine[author]), mine[author][0].at))[:LIMIT]
    return tuple(
        _participant(author, mine[author], role_of(len(mine[author]), started[author], answered[author]))
        for author in busiest
    )


def role_of(messages: int, started: int, answered: int) -> Role:
    """Initiators start talks that others join, experts answer questions, observers hardly speak."""
    if messages <= 2 and not answered:
        return Role.OBSERVER
    if started >= 2 and started >= answered:
        return Role.INITIATOR
    if answered >= 2:
        return Role.EXPERT
    return Role.PARTICIPANT


def _participant(author: str, messages: list[Message], role: Role) -> Participant:
    weightiest = sorted(messages, key=lambda message: (-message.reactions, -len(message.text), message.id))[:EXAMPLES]
    return Participant(
        author_id=author,
        name=name_of(messages[-1]),
        messages=len(messages),
        role=role,
        message_ids=tuple(sorted(message.id for message in weightiest)),
    )


def _started(threads: ThreadsArtifact, by_id: dict[int, Message]) -> Counter[str]:
    """Threads by who opened them, counted when somebody else joined."""
    started: Counter[str] = Counter()
    for thread in threads.threads:
        authors = [by_id[number].author_id for number in thread]
        if authors[0] and any(author != authors[0] for author in authors):
            started[authors[0]] += 1
    return started


def _answered(threads: ThreadsArtifact, by_id: dict[int, Message]) -> Counter[str]:
    """Other people's questions that each person answered."""
    answered: Counter[str] = Counter()
    for child, parent in threads.links:
        author, asker = by_id[child].author_id, by_id[parent].author_id
        if author and author != asker and asks(by_id[parent].text) and not asks(by_id[child].text):
            answered[author] += 1
    return answered
