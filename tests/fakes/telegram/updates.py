"""Who is told what: turns the world's events into updates of those bots that Telegram would tell."""

from collections.abc import Callable
from functools import singledispatchmethod

from tests.fakes.telegram.chats import Bot, BusinessConnection, Chat, ChatKind
from tests.fakes.telegram.events import (
    BusinessChanged,
    ButtonPressed,
    Event,
    MemberChanged,
    MessageEdited,
    MessagesDeleted,
    MessageSent,
    ReactionChanged,
)
from tests.fakes.telegram.mailbox import Mailbox
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.state import State
from tests.fakes.telegram.views import Json, View, seconds


class Feed:
    """Bots never see other bots' messages or their own; privacy mode hides what is not meant for them."""

    def __init__(self, state: State, mailbox_of: Callable[[Bot], Mailbox]) -> None:
        self._state = state
        self._mailbox_of = mailbox_of
        state.listen(self.tell)

    def tell(self, event: Event) -> None:
        self._tell(event)

    @singledispatchmethod
    def _tell(self, event: Event) -> None:
        """Events that no bot is told of."""

    @_tell.register
    def _(self, event: MessageSent) -> None:
        self._said(event.chat, event.message, event.message.sender_id, "")

    @_tell.register
    def _(self, event: MessageEdited) -> None:
        if event.message.formatted != event.before.formatted:
            self._said(event.chat, event.message, event.by, "edited_")

    @_tell.register
    def _(self, event: MessagesDeleted) -> None:
        numbers = [message.id for message in event.messages]
        for connection in self._connections(event.chat):
            if numbers and event.by != connection.bot_id:
                view = View(self._state, connection.owner_id)
                deleted = {"business_connection_id": connection.id, "message_ids": numbers}
                self._put(connection.bot_id, "deleted_business_messages", {**deleted, "chat": view.chat(event.chat)})

    @_tell.register
    def _(self, event: ReactionChanged) -> None:
        if event.user_id in self._state.bots:
            return
        now = event.message.reactions.get(event.user_id, ())
        for bot in self._state.bots.values():
            if event.chat.member(bot.id).leads:
                view = View(self._state, bot.id)
                change = {
                    "chat": view.chat(event.chat),
                    "message_id": event.message.id,
                    "user": view.user(event.user_id),
                    "date": seconds(self._state.clock()),
                    "old_reaction": [{"type": "emoji", "emoji": emoji} for emoji in event.before],
                    "new_reaction": [{"type": "emoji", "emoji": emoji} for emoji in now],
                }
                self._put(bot.id, "message_reaction", change)

    @_tell.register
    def _(self, event: MemberChanged) -> None:
        for bot in self._state.bots.values():
            own = event.user_id == bot.id
            if own or event.chat.member(bot.id).leads:
                view = View(self._state, bot.id)
                change = {
                    "chat": view.chat(event.chat),
                    "from": view.user(event.by),
                    "date": seconds(self._state.clock()),
                    "old_chat_member": view.member(event.user_id, event.before),
                    "new_chat_member": view.member(event.user_id, event.after),
                }
                self._put(bot.id, "my_chat_member" if own else "chat_member", change)

    @_tell.register
    def _(self, event: ButtonPressed) -> None:
        query = event.query
        chat = self._state.chats[query.chat_key]
        connection = next((c for c in self._connections(chat) if c.bot_id == query.bot_id), None)
        view = View(self._state, connection.owner_id if connection else query.bot_id)
        self._put(query.bot_id, "callback_query", view.query(chat, query))

    @_tell.register
    def _(self, event: BusinessChanged) -> None:
        view = View(self._state, event.connection.bot_id)
        self._put(event.connection.bot_id, "business_connection", view.connection(event.connection))

    def _said(self, chat: Chat, message: Message, by: int, prefix: str) -> None:
        """`by` is who wrote or edited."""
        kind = f"{prefix}channel_post" if chat.kind is ChatKind.CHANNEL else f"{prefix}message"
        for bot in self._state.bots.values():
            if by not in self._state.bots and self._sees(bot, chat, message):
                self._put(bot.id, kind, View(self._state, bot.id).message(chat, message))
        for connection in self._connections(chat):
            if connection.bot_id not in (by, message.business_bot_id):
                body = View(self._state, connection.owner_id).message(chat, message)
                body["business_connection_id"] = connection.id
                self._put(connection.bot_id, f"{prefix}business_message", body)

    def _sees(self, bot: Bot, chat: Chat, message: Message) -> bool:
        if isinstance(chat.key, tuple):
            return bot.id in chat.key
        member = chat.member(bot.id)
        if chat.kind is ChatKind.CHANNEL:
            return member.leads
        open_to_bot = member.leads or not bot.privacy or message.service is not None
        return member.present and (open_to_bot or self._is_for(bot, chat, message))

    def _is_for(self, bot: Bot, chat: Chat, message: Message) -> bool:
        replied = chat.messages.get(message.reply_to or 0)
        if replied and replied.sender_id == bot.id:
            return True
        units = message.text.encode("utf-16-le")
        for entity in message.formatted.entities:
            written = units[entity.offset * 2 : entity.end * 2].decode("utf-16-le").lower()
            if entity.type == "bot_command" and written.partition("@")[2] in ("", bot.username.lower()):
                return True
            if entity.type == "mention" and written == f"@{bot.username.lower()}":
                return True
        return False

    def _connections(self, chat: Chat) -> list[BusinessConnection]:
        if not isinstance(chat.key, tuple):
            return []
        business = self._state.business.values()
        return [c for c in business if c.enabled and c.owner_id in chat.key and c.bot_id not in chat.key]

    def _put(self, bot_id: int, kind: str, body: Json) -> None:
        self._mailbox_of(self._state.bots[bot_id]).put(kind, body)
