"""Disentanglement: reply links between the messages of a window, and the threads they form.

A Telegram reply is certain; a line of a forum topic answers within its topic; the rest is scored (`linking.py`).
"""

from collections import defaultdict, deque
from collections.abc import Iterable

from core.digests.addressing import AddressBook
from core.digests.link_weights import WEIGHTS
from core.digests.linking import (
    Latest,
    Line,
    rarities,
    read_line,
    score,
    shared_weight,
    traits_of_parent,
    traits_of_root,
)
from core.digests.model import ContextArtifact, Message, ThreadsArtifact

CANDIDATES = 50  # earlier lines of the same topic that a line may answer; 99 % of real replies are nearer


class Room:
    """One forum topic, or the whole chat: its recent lines and who spoke and called whom last."""

    def __init__(self) -> None:
        self._recent: deque[Line] = deque(maxlen=CANDIDATES)
        self._count = 0
        self._by_author: dict[str, int] = {}
        self._calls: dict[str, dict[str, int]] = defaultdict(dict)

    def hear(self, message: Message, stems: tuple[str, ...], book: AddressBook) -> Line:
        """The line of a message, as the room knows it before adding it."""
        before = self._recent[-1].message.at if self._recent else message.at
        return read_line(
            message,
            self._count,
            book.address_of(message),
            stems,
            new_speaker=self._count >= CANDIDATES and message.author_id not in self._by_author,
            silence=(message.at - before).total_seconds(),
        )

    def answered_by(self, line: Line, idf: dict[str, float]) -> int:
        """The id of the message that `line` answers best, its own when nothing scores higher."""
        latest = Latest(self._by_author, self._calls.get(line.message.author_id or "", {}))
        best, best_score = line.message.id, score(traits_of_root(line), WEIGHTS)
        for parent in self._recent:
            overlap = shared_weight(line.stems, parent.stems, idf)
            parent_score = score(traits_of_parent(line, parent, latest, overlap), WEIGHTS)
            if parent_score >= best_score:
                best, best_score = parent.message.id, parent_score
        return best

    def add(self, line: Line) -> None:
        author = line.message.author_id or ""
        self._recent.append(line)
        self._by_author[author] = self._count
        for called in line.address.called:
            self._calls[called][author] = self._count
        self._count += 1


def build_threads(context: ContextArtifact) -> ThreadsArtifact:
    """Links every message to the one it answers and unites the links into threads. Linear in messages."""
    spoken = context.spoken()
    book = AddressBook(spoken)
    idf = rarities(context.stems.values())
    rooms: dict[int | None, Room] = defaultdict(Room)
    replies = ReplyTargets()
    parents = {number: number for number in context.service_ids}
    for message in spoken:
        room = rooms[message.topic_id]
        line = room.hear(message, context.stems.get(message.id, ()), book)
        known = replies.target_of(message)
        parents[message.id] = room.answered_by(line, idf) if known is None else known
        replies.add(message)
        room.add(line)
    links = [(message.id, parents[message.id]) for message in context.messages]
    return ThreadsArtifact(links=tuple(links), threads=tuple(unite(links)))


class ReplyTargets:
    """What Telegram replies point to; replies to one message outside the window hang on the first of them."""

    def __init__(self) -> None:
        self._seen: dict[int, int | None] = {}
        self._orphans: dict[tuple[int | None, int], int] = {}

    def target_of(self, message: Message) -> int | None:
        """The message to link to, or None when the reply says nothing (no reply, or one to the topic's own head)."""
        target = message.reply_to
        if target is None or target in (message.topic_id, message.id):
            return None
        if target in self._seen:
            return target if self._seen[target] == message.topic_id else None
        return self._orphans.setdefault((message.topic_id, target), message.id)

    def add(self, message: Message) -> None:
        self._seen[message.id] = message.topic_id


def unite(links: Iterable[tuple[int, int]]) -> list[tuple[int, ...]]:
    """Threads of linked messages in the order of `links`, by union of sets; a parent need not have a link itself."""
    parent: dict[int, int] = {}

    def root(number: int) -> int:
        parent.setdefault(number, number)
        while parent[number] != number:
            parent[number] = parent[parent[number]]
            number = parent[number]
        return number

    links = list(links)
    for child, answered in links:
        parent[root(child)] = root(answered)
    members: dict[int, list[int]] = defaultdict(list)
    for child in dict.fromkeys(child for child, _ in links):
        members[root(child)].append(child)
    return [tuple(thread) for thread in members.values()]


def children_of(threads: ThreadsArtifact) -> dict[int, list[int]]:
    """What answers each message, in order; messages without an answer are left out."""
    children: dict[int, list[int]] = defaultdict(list)
    for child, parent in threads.links:
        if child != parent:
            children[parent].append(child)
    return dict(children)
