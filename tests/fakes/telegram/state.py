"""The state of the world: who is there, what was said, and what may happen to it. Plain Python, no API of Telegram."""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from core.platform.clock import Clock
from tests.fakes.telegram.chats import (
    BLUE,
    Bot,
    BusinessConnection,
    Chat,
    ChatKey,
    ChatKind,
    Member,
    Status,
    Topic,
    User,
)
from tests.fakes.telegram.events import (
    BusinessChanged,
    ButtonPressed,
    Event,
    MemberChanged,
    MessageEdited,
    MessagesDeleted,
    MessageSent,
    QueryAnswered,
    ReactionChanged,
)
from tests.fakes.telegram.messages import CallbackAnswer, CallbackQuery, Draft, Formatted, Media, Message

Listener = Callable[[Event], None]


class State:
    """Everything is deterministic: numbers are counted, never drawn.

    Messages of private chats and basic groups share one numbering, each supergroup and channel has its own.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.users: dict[int, User] = {}
        self.bots: dict[int, Bot] = {}
        self.chats: dict[ChatKey, Chat] = {}
        self.files: dict[str, bytes] = {}
        self.queries: dict[str, CallbackQuery] = {}
        self.business: dict[str, BusinessConnection] = {}
        self.revision = 0
        self._listeners: list[Listener] = []
        self._numbers: Counter[ChatKey] = Counter()
        self._query_numbers = itertools.count(1)
        self._file_numbers = itertools.count(1)
        self._blocked: set[tuple[int, int]] = set()
        self._deactivated: set[int] = set()

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    @contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        self.listen(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _tell(self, event: Event) -> None:
        for listener in tuple(self._listeners):
            listener(event)

    def bot_by_token(self, token: str) -> Bot | None:
        return next((bot for bot in self.bots.values() if bot.token == token), None)

    def private(self, one: int, other: int) -> Chat:
        """The private chat of two users; made when it is asked for first."""
        key = (min(one, other), max(one, other))
        return self.chats.setdefault(key, Chat(key, ChatKind.PRIVATE))

    def chat_of(self, viewer_id: int, chat_id: int) -> Chat | None:
        """What `chat_id` means to this viewer."""
        if chat_id < 0:
            return self.chats.get(chat_id)
        return self.chats.get((min(viewer_id, chat_id), max(viewer_id, chat_id)))

    def meet(self, one: int, other: int) -> bool:
        """Whether they share a group, so that one may know the other's id."""
        groups = (chat for chat in self.chats.values() if not chat.is_private)
        return any(chat.member(one).present and chat.member(other).present for chat in groups)

    def block(self, person_id: int, bot_id: int, *, blocked: bool = True) -> None:
        (self._blocked.add if blocked else self._blocked.discard)((person_id, bot_id))
        states = Member(Status.MEMBER), Member(Status.KICKED, frozenset())
        before, after = states if blocked else reversed(states)
        self._tell(MemberChanged(self.private(person_id, bot_id), bot_id, person_id, before, after))

    def has_blocked(self, person_id: int, bot_id: int) -> bool:
        return (person_id, bot_id) in self._blocked

    def deactivate(self, person_id: int) -> None:
        self._deactivated.add(person_id)

    def is_deactivated(self, person_id: int) -> bool:
        return person_id in self._deactivated

    def set_member(self, chat: Chat, user_id: int, member: Member, *, by: int) -> None:
        before = chat.member(user_id)
        chat.members[user_id] = member
        self._tell(MemberChanged(chat, user_id, by, before, member))
        if member.present and not before.present and chat.kind is not ChatKind.CHANNEL:
            self.send(chat, by, Draft(service={"new_chat_members": [user_id]}))
        if before.present and not member.present and chat.kind is not ChatKind.CHANNEL:
            self.send(chat, by, Draft(service={"left_chat_member": user_id}))

    def migrate(self, group: Chat, supergroup_id: int, by: int) -> Chat:
        """The group becomes a supergroup with another id; the old id stays and points to it."""
        upgraded = Chat(supergroup_id, ChatKind.SUPERGROUP, group.title, members=dict(group.members))
        self.chats[supergroup_id] = upgraded
        self.send(group, by, Draft(service={"migrate_to_chat_id": supergroup_id}))
        group.migrated_to = supergroup_id
        self.send(upgraded, by, Draft(service={"migrate_from_chat_id": group.id}))
        return upgraded

    def send(self, chat: Chat, sender_id: int, draft: Draft) -> Message:
        message = Message(
            id=self._next_number(chat),
            sender_id=sender_id,
            sent_at=self.clock(),
            revision=self._next_revision(),
            formatted=draft.formatted,
            media=draft.media,
            markup=draft.markup,
            topic_id=draft.topic_id,
            reply_to=draft.reply_to,
            album=draft.album,
            service=draft.service,
            business_bot_id=draft.business_bot_id,
        )
        chat.messages[message.id] = message
        if chat.is_private and sender_id not in self.bots:
            chat.started_by.add(sender_id)
        self._tell(MessageSent(chat, message))
        return message

    def edit(
        self, chat: Chat, before: Message, by: int, formatted: Formatted, markup: Mapping[str, Any] | None
    ) -> Message:
        """A change of the markup alone leaves no edit mark, as Telegram has it."""
        edited_at = self.clock() if formatted != before.formatted else before.edited_at
        after = replace(before, formatted=formatted, markup=markup, edited_at=edited_at, revision=self._next_revision())
        chat.messages[before.id] = after
        self._tell(MessageEdited(chat, before, after, by))
        return after

    def delete(self, chat: Chat, numbers: Sequence[int], by: int) -> None:
        """Numbers that are not there are passed over."""
        gone = tuple(chat.messages.pop(number) for number in numbers if number in chat.messages)
        chat.pinned = [number for number in chat.pinned if number in chat.messages]
        self._next_revision()
        self._tell(MessagesDeleted(chat, gone, by))

    def react(self, chat: Chat, message: Message, user_id: int, emoji: tuple[str, ...]) -> None:
        before = message.reactions.get(user_id, ())
        kept = {who: what for who, what in message.reactions.items() if who != user_id}
        reactions = {**kept, user_id: emoji} if emoji else kept
        after = replace(message, reactions=reactions, revision=self._next_revision())
        chat.messages[message.id] = after
        self._tell(ReactionChanged(chat, after, user_id, before))

    def pin(self, chat: Chat, message: Message, by: int) -> None:
        chat.pinned = [number for number in chat.pinned if number != message.id] + [message.id]
        self.send(chat, by, Draft(service={"pinned_message": message.id}, topic_id=message.topic_id))

    def create_topic(self, chat: Chat, name: str, by: int, icon_color: int = BLUE) -> Topic:
        """A topic's number is that of the service message that began it."""
        number = self._numbers[chat.key] + 1
        topic = Topic(number, name, icon_color)
        chat.topics[number] = topic
        service = {"forum_topic_created": {"name": name, "icon_color": icon_color}}
        self.send(chat, by, Draft(service=service, topic_id=number))
        return topic

    def store(self, kind: str, name: str, mime: str, content: bytes) -> Media:
        file_id = f"{kind}-{next(self._file_numbers):06}"
        self.files[file_id] = content
        return Media(kind, file_id, name, mime, len(content))

    def press(self, chat: Chat, message: Message, person_id: int, bot_id: int, data: str) -> CallbackQuery:
        number = f"{next(self._query_numbers):018}"
        query = CallbackQuery(number, person_id, bot_id, chat.key, message.id, data, self.clock())
        self.queries[number] = query
        self._tell(ButtonPressed(query))
        return query

    def answer(self, query: CallbackQuery, answer: CallbackAnswer) -> None:
        query.answer = answer
        self._tell(QueryAnswered(query))

    def connect_business(self, owner_id: int, bot_id: int, *, can_reply: bool = True) -> BusinessConnection:
        number = f"business-{len(self.business) + 1:04}"
        return self._set_business(BusinessConnection(number, owner_id, bot_id, self.clock(), can_reply))

    def disconnect_business(self, connection: BusinessConnection) -> BusinessConnection:
        return self._set_business(replace(connection, enabled=False))

    def _set_business(self, connection: BusinessConnection) -> BusinessConnection:
        self.business[connection.id] = connection
        self._tell(BusinessChanged(connection))
        return connection

    def _next_number(self, chat: Chat) -> int:
        own = chat.kind in (ChatKind.SUPERGROUP, ChatKind.CHANNEL)
        space: ChatKey = chat.key if own else 0
        self._numbers[space] += 1
        return self._numbers[space]

    def _next_revision(self) -> int:
        self.revision += 1
        return self.revision
