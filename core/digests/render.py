"""The digest as people read it: Telegram HTML in parts. Fixed words come from `Texts`, all others from the messages."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, tzinfo
from typing import NamedTuple, Protocol

from core.digests.links import ChatLinks
from core.digests.markup import Fragment, Section, bold, italic, linked, plain, split_parts
from core.digests.model import (
    Action,
    Claim,
    DigestChat,
    Message,
    Participant,
    Stats,
    SynthesisArtifact,
    Topic,
    TopicStatus,
    Window,
)
from core.digests.wording import name_of, shorten

MARKS = {
    TopicStatus.DONE: "✅",
    TopicStatus.IN_PROGRESS: "🚧",
    TopicStatus.BLOCKER: "⚠️",
    TopicStatus.WATCH: "👀",
    TopicStatus.IDEA: "💡",
}
TOP_PEOPLE = 3
TOPIC_ACTIONS = 3
CHAT_TITLE_CHARS = 80


class Texts(Protocol):
    """The product's fixed wording in one language."""

    def __call__(self, key: str, /, **values: str | int) -> str: ...


class Reference(NamedTuple):
    """How a shown message is found again: by its link where there is one, else by its author and local time."""

    messages: Mapping[int, Message]
    chat_links: ChatLinks
    zone: tzinfo
    texts: Texts

    def to(self, number: int) -> Fragment:
        message = self.messages[number]
        name = plain(name_of(message) if message.author_name else self.texts("digest-nobody"))
        url = self.chat_links.url(message)
        return linked(name, url) if url else name + plain(f", {self.time(message.at)}")

    def time(self, moment: datetime) -> str:
        return moment.astimezone(self.zone).strftime("%H:%M")

    def moment(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        date = {"day": f"{local:%d}", "month": f"{local:%m}", "year": f"{local:%Y}"}
        return self.texts("digest-moment", time=f"{local:%H:%M}", **date)


def render_html(
    chat: DigestChat, window: Window, synthesis: SynthesisArtifact, reference: Reference
) -> tuple[str, ...]:
    """Parts of at most 4,096 visible UTF-16 units, each valid by itself."""
    return split_parts([*_sections(chat, window, synthesis, reference)])


def _sections(
    chat: DigestChat, window: Window, synthesis: SynthesisArtifact, reference: Reference
) -> Iterator[Section]:
    texts = reference.texts
    yield _header(chat, window, synthesis.stats, reference)
    for topic in synthesis.topics:
        yield Section(tuple(_topic_lines(topic, reference)))
    yield from _listed(texts("digest-decisions"), (_claim(claim, reference) for claim in synthesis.decisions))
    yield from _listed(texts("digest-questions"), (_claim(claim, reference) for claim in synthesis.open_questions))
    people = synthesis.participants[:TOP_PEOPLE]
    yield from _listed(texts("digest-people"), (_person(person, texts) for person in people))


def _header(chat: DigestChat, window: Window, stats: Stats, reference: Reference) -> Section:
    texts = reference.texts
    counts = (
        texts("digest-messages", count=stats.messages),
        texts("digest-participants", count=stats.people),
        texts("digest-threads", count=stats.threads),
    )
    span = f"{reference.moment(window.start)} – {reference.moment(window.end)}"
    title = bold(plain(shorten(chat.title, CHAT_TITLE_CHARS) or texts("digest-untitled")))
    return Section((title, plain(span), plain(" · ".join(counts))))


def _topic_lines(topic: Topic, reference: Reference) -> Iterator[Fragment]:
    texts = reference.texts
    count = plain(f" · {texts('digest-messages', count=topic.messages)}")
    yield plain(f"{MARKS[topic.status]} ") + bold(linked(plain(topic.title), topic.url)) + count
    shown = next((item for item in topic.evidence if item.text == topic.summary), None)
    if shown is not None:
        yield _quoted(topic.summary, shown.message_ids[0], reference)
    if topic.decision is not None and topic.decision not in topic.summary:
        yield italic(plain(texts("digest-decided"))) + plain(f" {topic.decision}")
    for action in topic.actions[:TOPIC_ACTIONS]:
        if action.text not in topic.summary and action.text != topic.decision:
            yield _action(action, reference)


def _quoted(text: str, number: int, reference: Reference) -> Fragment:
    """A quotation with its author's name as the link."""
    name = name_of(reference.messages[number])
    words = text.removeprefix(f"{name}: ")
    return reference.to(number) + plain(f": {words}")


def _action(action: Action, reference: Reference) -> Fragment:
    said_by = name_of(reference.messages[action.message_ids[0]])
    who = reference.to(action.message_ids[0])
    owner = who if said_by == action.owner else plain(f"{action.owner} ← ") + who
    return plain("→ ") + owner + plain(f": {action.text}")


def _claim(claim: Claim, reference: Reference) -> Fragment:
    return plain(f"• {claim.text} — ") + reference.to(claim.message_ids[0])


def _person(person: Participant, texts: Texts) -> Fragment:
    said = texts("digest-messages", count=person.messages)
    return plain(f"• {person.name} — {texts(f'digest-role-{person.role}')}, {said}")


def _listed(title: str, lines: Iterable[Fragment]) -> Iterator[Section]:
    items = tuple(lines)
    if items:
        yield Section((bold(plain(title)), *items))
