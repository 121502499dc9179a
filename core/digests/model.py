"""What a digest is made of: messages of one window, the artifact of each stage, and the digest that people read.

Every claim carries the ids of the messages it comes from; ids are the service's own, unique within the chat.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

from core.digests.tokens import Language

SCHEMA_VERSION = 1


class Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Mode(StrEnum):
    """The size of a window: up to 20 messages, up to 150, more."""

    MICRO = "micro"
    NORMAL = "normal"
    LARGE = "large"


class TopicStatus(StrEnum):
    DONE = "done"
    IN_PROGRESS = "in_progress"
    BLOCKER = "blocker"
    WATCH = "watch"
    IDEA = "idea"


class Priority(StrEnum):
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Role(StrEnum):
    """What a participant mostly did in the window."""

    INITIATOR = "initiator"
    EXPERT = "expert"
    PARTICIPANT = "participant"
    OBSERVER = "observer"


class Media(Value):
    """An attachment: its kind ("photo", "document", …) and a short description such as a file name."""

    kind: str
    description: str = ""


class Message(Value):
    """One message of a window. `id` is the service's id, `kind` an `InteractionKind`, `reactions` their total."""

    id: int
    interaction_id: int
    author_id: str | None
    author_name: str | None
    at: AwareDatetime
    text: str
    reply_to: int | None = None
    topic_id: int | None = None
    kind: str = "message"
    entities: list[dict[str, Any]] | None = None
    media: Media | None = None
    reactions: int = 0
    edited_at: AwareDatetime | None = None
    author_username: str | None = None  # public handle without @
    is_bot: bool = False


class Window(Value):
    """A span of time, `start` inside and `end` outside."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _is_not_reversed(self) -> Self:
        if self.end < self.start:
            raise ValueError("a window cannot end before it starts")
        return self

    def holds(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


class DigestChat(Value):
    """The chat of a digest; `marked_id` is the Bot API's form (-100… for supergroups and channels)."""

    title: str
    marked_id: int | None = None
    username: str | None = None
    language: Language | None = None
    forum: bool = False


class ContextArtifact(Value):
    """The window's messages in order of time, with what later stages need to know about each.

    `shown` are ids that may be quoted: no service noise, no duplicates. `stems` has every message that speaks.
    """

    schema_version: int = SCHEMA_VERSION
    language: Language
    messages: tuple[Message, ...]
    service_ids: frozenset[int]
    duplicate_of: dict[int, int]
    shown: frozenset[int]
    stems: dict[int, tuple[str, ...]]

    def spoken(self) -> list[Message]:
        """The messages said by somebody, in order: all but service messages."""
        return [message for message in self.messages if message.id not in self.service_ids]


class ThreadsArtifact(Value):
    """Reply links (message, parent), a root linked to itself, and the threads they form, each in order of time."""

    schema_version: int = SCHEMA_VERSION
    links: tuple[tuple[int, int], ...]
    threads: tuple[tuple[int, ...], ...]


class Action(Value):
    """A promise or a request in the message's own words; `due` as it was written ("до пятницы")."""

    text: str
    owner: str
    due: str | None
    message_ids: tuple[int, ...]


class TopicDraft(Value):
    """A topic before it is worded: whole threads grouped, in order of time."""

    title: str
    keywords: tuple[str, ...]
    status: TopicStatus
    priority: Priority
    score: float
    message_ids: tuple[int, ...]
    actions: tuple[Action, ...]


class TopicsArtifact(Value):
    schema_version: int = SCHEMA_VERSION
    topics: tuple[TopicDraft, ...]


class Evidence(Value):
    text: str
    message_ids: tuple[int, ...]


class Claim(Value):
    """A decision or an open question in its author's own words."""

    text: str
    author: str
    message_ids: tuple[int, ...]
    url: str | None = None


class Topic(Value):
    title: str
    summary: str
    status: TopicStatus
    decision: str | None
    owners: tuple[str, ...]
    actions: tuple[Action, ...]
    message_ids: tuple[int, ...]
    evidence: tuple[Evidence, ...]
    keywords: tuple[str, ...] = ()
    priority: Priority = Priority.MEDIUM
    url: str | None = None
    messages: int = 0


class Participant(Value):
    author_id: str
    name: str
    messages: int
    role: Role
    message_ids: tuple[int, ...]


class Stats(Value):
    """Counts of the window: `messages` without service messages, `duplicates` counted but not shown."""

    messages: int
    people: int
    threads: int
    service: int
    duplicates: int
    media: int
    first_at: datetime | None
    last_at: datetime | None


class SynthesisArtifact(Value):
    schema_version: int = SCHEMA_VERSION
    topics: tuple[Topic, ...]
    decisions: tuple[Claim, ...]
    open_questions: tuple[Claim, ...]
    participants: tuple[Participant, ...]
    stats: Stats


class Quality(Value):
    """Rule scores, 0..1."""

    coverage: float
    grounded: float
    links: float
    length: float
    overall: float


class EvaluationArtifact(Value):
    schema_version: int = SCHEMA_VERSION
    quality: Quality


class Skipped(Value):
    """Nothing to say, and why; the whole answer has these two keys."""

    status: Literal["skipped"] = "skipped"
    reason: Literal["empty_window", "too_few_messages"]


class Digest(Value):
    """The digest as it is stored and shown; its JSON is the contract of `parley digest`."""

    status: Literal["ready"] = "ready"
    reason: str | None = None
    chat: DigestChat
    digest_id: int | None = None
    window: Window
    mode: Mode
    stats: Stats
    topics: tuple[Topic, ...]
    open_questions: tuple[Claim, ...]
    decisions: tuple[Claim, ...]
    participants: tuple[Participant, ...]
    baseline_delta: dict[str, Any] | None = None
    quality: Quality
    html: tuple[str, ...]
    provider: str = "local"
