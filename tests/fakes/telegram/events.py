"""What happened in the world, told to every API that stands in front of it."""

from dataclasses import dataclass

from tests.fakes.telegram.chats import BusinessConnection, Chat, Member
from tests.fakes.telegram.messages import CallbackQuery, Message


@dataclass(frozen=True, slots=True)
class MessageSent:
    chat: Chat
    message: Message


@dataclass(frozen=True, slots=True)
class MessageEdited:
    chat: Chat
    before: Message
    message: Message
    by: int


@dataclass(frozen=True, slots=True)
class MessagesDeleted:
    chat: Chat
    messages: tuple[Message, ...]
    by: int


@dataclass(frozen=True, slots=True)
class ReactionChanged:
    chat: Chat
    message: Message
    user_id: int
    before: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MemberChanged:
    """In a private chat: the person (`by`) blocked or unblocked the bot (`user_id`)."""

    chat: Chat
    user_id: int
    by: int
    before: Member
    after: Member


@dataclass(frozen=True, slots=True)
class ButtonPressed:
    query: CallbackQuery


@dataclass(frozen=True, slots=True)
class QueryAnswered:
    query: CallbackQuery


@dataclass(frozen=True, slots=True)
class BusinessChanged:
    connection: BusinessConnection


Event = (
    MessageSent
    | MessageEdited
    | MessagesDeleted
    | ReactionChanged
    | MemberChanged
    | ButtonPressed
    | QueryAnswered
    | BusinessChanged
)
