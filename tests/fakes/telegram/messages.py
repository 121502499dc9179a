"""What is said in the world: messages, their markup and their files. Frozen; an edit makes a new value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Entity:
    """Markup of a stretch of text; offset and length in UTF-16 units."""

    type: str
    offset: int
    length: int
    url: str | None = None
    language: str | None = None
    user_id: int | None = None
    custom_emoji_id: str | None = None

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class Formatted:
    """Text as people see it, with its markup beside it."""

    text: str = ""
    entities: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class Media:
    """A file in a message; the bytes are in the world's `files` under `file_id`."""

    kind: str  # photo, document
    file_id: str
    name: str
    mime: str
    size: int


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `formatted` is the caption where there is media.

    `revision` counts every change in the world, so that a reader can tell what is newer than a moment.
    `markup` and `service` are in the Bot API's JSON shape.
    """

    id: int
    sender_id: int
    sent_at: datetime
    revision: int
    formatted: Formatted = Formatted()
    media: Media | None = None
    markup: Mapping[str, Any] | None = None
    topic_id: int | None = None
    reply_to: int | None = None
    album: str | None = None
    service: Mapping[str, Any] | None = None
    edited_at: datetime | None = None
    reactions: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    business_bot_id: int | None = None  # the bot that wrote in the sender's name

    @property
    def text(self) -> str:
        return self.formatted.text

    @property
    def inline_buttons(self) -> list[Mapping[str, Any]]:
        rows = (self.markup or {}).get("inline_keyboard", [])
        return [button for row in rows for button in row]


@dataclass(frozen=True, slots=True)
class Draft:
    """A message before the world has given it a number."""

    formatted: Formatted = Formatted()
    media: Media | None = None
    markup: Mapping[str, Any] | None = None
    topic_id: int | None = None
    reply_to: int | None = None
    album: str | None = None
    service: Mapping[str, Any] | None = None
    business_bot_id: int | None = None


@dataclass(frozen=True, slots=True)
class CallbackAnswer:
    """What a person is shown after pressing a button; `text` None is an answer that says nothing."""

    text: str | None = None
    alert: bool = False
    url: str | None = None


@dataclass(slots=True)
class CallbackQuery:
    """A button pressed; `answer` is None until the bot has answered."""

    id: str
    person_id: int
    bot_id: int
    chat_key: int | tuple[int, int]
    message_id: int
    data: str
    asked_at: datetime
    answer: CallbackAnswer | None = None


def utf16(text: str) -> int:
    """Length in UTF-16 units."""
    return len(text) + sum(ord(char) > 0xFFFF for char in text)
