"""What is said to us and by us, whatever service carried it: interactions and the conversations that hold them."""

import re
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, NewType

from pydantic import BaseModel, ConfigDict

InteractionId = NewType("InteractionId", int)
ConversationId = NewType("ConversationId", int)
SourceId = NewType("SourceId", int)

PREVIEW_CHARS = 120
NUMBER = re.compile(r"-?[0-9]{1,18}")


class Channel(StrEnum):
    """Where an interaction belongs; `interactions` is partitioned by it, and a default partition takes new ones."""

    GROUP = "group"
    CHAT = "chat"
    REVIEW = "review"
    QUESTION = "question"
    EMAIL = "email"
    CRM = "crm"


class ConversationKind(StrEnum):
    """What is done with a conversation: answered (desk), digested (group), or kept as context (record)."""

    DESK = "desk"
    GROUP = "group"
    RECORD = "record"


class InteractionKind(StrEnum):
    MESSAGE = "message"
    SERVICE = "service"
    UNSUPPORTED = "unsupported"
    REVIEW = "review"
    QUESTION = "question"
    NOTE = "note"


class Direction(StrEnum):
    IN = "in"
    OUT = "out"


class Thread(NamedTuple):
    """One thread at a service; names a conversation before the database has given it an id.

    `key` is unique within (tenant, channel): `tg:-1001234` for a chat, `tg:-1001234/7` for topic 7 of a forum.
    `title` is empty where the source does not know it; then a known one stays.
    """

    channel: Channel
    kind: ConversationKind
    key: str
    title: str
    service: str = "telegram"
    username: str | None = None  # public name of a chat, without @; links need it


class Incoming(NamedTuple):
    """One interaction as a source tells it. A tuple, not a model: a bulk path makes a million of them.

    (channel of the thread, id_space, external_id) is its identity; `id_space` is whatever numbers the messages.
    `thread_known` is False when the source could not tell the thread and the chat itself stands in for it.
    Times are aware and UTC. `entities` follow the Bot API's shape, offsets and lengths in UTF-16 units.
    """

    thread: Thread
    id_space: str
    external_id: str
    kind: InteractionKind
    direction: Direction
    occurred_at: datetime
    edited_at: datetime | None = None
    author_id: str | None = None  # "user123", "channel123", "chat123" at Telegram
    author_name: str | None = None
    reply_to: str | None = None  # external id in the same id space
    thread_known: bool = True
    text: str = ""
    entities: list[dict[str, Any]] | None = None
    media: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None
    customer_id: str | None = None
    order_id: str | None = None
    nm_id: int | None = None
    product_article: str | None = None
    rating: int | None = None


def number_of(external_id: str) -> int | None:
    """An external id as a number, where it is one that fits 64 bits; Telegram's are, other services' need not be."""
    return int(external_id) if NUMBER.fullmatch(external_id) else None


class Interaction(BaseModel):
    """A row of `interactions` with its text, as readers get it."""

    model_config = ConfigDict(frozen=True)

    id: InteractionId
    channel: str
    conversation_id: ConversationId
    kind: str
    direction: Direction
    id_space: str
    external_id: str
    occurred_at: datetime
    edited_at: datetime | None
    author_id: str | None
    author_name: str | None
    reply_to: str | None
    text: str
    entities: list[dict[str, Any]] | None = None
    media: dict[str, Any] | None = None
    extra: dict[str, Any] | None = None


class Conversation(BaseModel):
    """A row of `conversations`."""

    model_config = ConfigDict(frozen=True)

    id: ConversationId
    project_id: int
    channel: str
    kind: ConversationKind
    service: str
    thread_key: str
    title: str
    username: str | None
    interaction_count: int
    last_at: datetime | None
    preview: str
