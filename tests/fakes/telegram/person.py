"""A person in a story: reads what was sent, types, replies, edits and presses buttons by their text."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from tests.fakes.telegram.chats import GENERAL_TOPIC, Bot, Chat, ChatKind, Member, Right, Status, Topic, User
from tests.fakes.telegram.errors import bad_request
from tests.fakes.telegram.events import Event
from tests.fakes.telegram.formatting import formatted
from tests.fakes.telegram.messages import CallbackAnswer, CallbackQuery, Draft, Message
from tests.fakes.telegram.state import State

PATIENCE = 5.0  # seconds
Found = TypeVar("Found")


class Unseen(AssertionError):
    """What the person waited for did not come; the text tells what is in the chat instead."""


class Person:
    """Acts in the chat opened last. What is waited for is newer than the person's own last act.

    Waiting ends as soon as the world changes to what is waited for; `within` is in real seconds.
    """

    def __init__(self, state: State, user: User) -> None:
        self._state = state
        self.user = user
        self._chat: Chat | None = None
        self._topic: int | None = None
        self._since = 0

    @property
    def id(self) -> int:
        return self.user.id

    @property
    def name(self) -> str:
        return self.user.first_name

    @property
    def chat(self) -> Chat:
        """The chat that is open; raises ValueError when none is."""
        if self._chat is None:
            raise ValueError(f"{self.name} has opened no chat")
        return self._chat

    async def opens(self, place: "Bot | Person | Chat", topic: Topic | None = None) -> Chat:
        """Only looks: a bot may not write before the person has."""
        self._chat = place if isinstance(place, Chat) else self._state.private(self.id, place.id)
        self._topic = topic.id if topic and topic.id != GENERAL_TOPIC else None
        self._since = 0
        return self._chat

    async def starts(self, bot: Bot, parameter: str = "") -> Message:
        """Opens the bot and presses Start."""
        await self.opens(bot)
        if self._state.has_blocked(self.id, bot.id):
            await self.unblocks(bot)
        return await self.types(f"/start {parameter}".rstrip())

    async def joins(self, group: Chat) -> Chat:
        self._state.set_member(group, self.id, Member(Status.MEMBER), by=self.id)
        return await self.opens(group)

    async def leaves(self, group: Chat) -> None:
        self._state.set_member(group, self.id, Member(Status.LEFT, frozenset()), by=self.id)

    async def blocks(self, bot: Bot) -> None:
        self._state.block(self.id, bot.id)

    async def unblocks(self, bot: Bot) -> None:
        self._state.block(self.id, bot.id, blocked=False)

    async def types(self, text: str, *, html: bool = False) -> Message:
        return self._says(Draft(formatted(text, "HTML" if html else None), topic_id=self._topic))

    async def replies(self, message: Message, text: str) -> Message:
        return self._says(Draft(formatted(text), reply_to=message.id, topic_id=message.topic_id or self._topic))

    async def sends_document(self, name: str, content: bytes, *, caption: str = "") -> Message:
        media = self._state.store("document", name, "application/octet-stream", content)
        return self._says(Draft(formatted(caption), media=media, topic_id=self._topic))

    async def sends_photo(self, content: bytes, *, caption: str = "") -> Message:
        media = self._state.store("photo", "photo.jpg", "image/jpeg", content)
        return self._says(Draft(formatted(caption), media=media, topic_id=self._topic))

    async def edits(self, message: Message, text: str) -> Message:
        if message.sender_id != self.id:
            raise bad_request("message can't be edited")
        current = self.chat.messages[message.id]
        edited = self._state.edit(self.chat, current, self.id, formatted(text), current.markup)
        return self._acted(edited)

    async def deletes(self, message: Message) -> None:
        self._state.delete(self.chat, [message.id], self.id)

    async def reacts(self, message: Message, *emoji: str) -> None:
        self._state.react(self.chat, self.chat.messages[message.id], self.id, emoji)

    async def presses(self, button: str, *, within: float = PATIENCE) -> CallbackAnswer:
        """The newest message's button with this text; returns what the bot answered to the query."""
        query = await self.taps(button, within=within)
        return await self._until(lambda: query.answer, within, f"an answer to {button!r}")

    async def taps(self, button: str, *, within: float = PATIENCE) -> CallbackQuery:
        """Presses without waiting for the answer."""
        message, data = await self._until(lambda: self._button(button), within, f"the button {button!r}")
        bot_id = message.business_bot_id or message.sender_id
        self._since = self._state.revision
        return self._state.press(self.chat, message, self.id, bot_id, data)

    async def sees(self) -> list[Message]:
        """The messages of the chat (and topic) that is open, oldest first, as they are now."""
        return [message for message in self.chat.history() if self._topic in (None, message.topic_id)]

    async def reads(self, place: Chat) -> list[str]:
        """The texts in a group, oldest first; service messages have none."""
        return [message.text for message in place.history() if message.service is None]

    async def waits_for(self, wanted: str | Callable[[Message], bool], *, within: float = PATIENCE) -> Message:
        """The newest message of others that holds the text, sent or edited since the person acted last."""
        matches = wanted if callable(wanted) else lambda message: wanted in message.text
        return await self._until(lambda: self._news(matches), within, repr(wanted))

    async def waits_until_gone(self, message: Message, *, within: float = PATIENCE) -> None:
        await self._until(lambda: message.id not in self.chat.messages or None, within, "its disappearance")

    def _says(self, draft: Draft) -> Message:
        if not draft.formatted.text and draft.media is None:
            raise bad_request("message text is empty")
        chat = self.chat
        if chat.is_private and self._state.has_blocked(self.id, chat.other(self.id)):
            raise bad_request("YOU_BLOCKED_USER")
        right = Right.POST if chat.kind is ChatKind.CHANNEL else Right.TEXT
        if not chat.is_private and not chat.member(self.id).may(right):
            raise bad_request("not enough rights to send text messages to the chat")
        return self._acted(self._state.send(chat, self.id, draft))

    def _acted(self, message: Message) -> Message:
        self._since = message.revision
        return message

    def _news(self, matches: Callable[[Message], bool]) -> Message | None:
        news = (m for m in reversed(self.chat.history()) if m.revision > self._since and m.sender_id != self.id)
        return next((message for message in news if matches(message)), None)

    def _button(self, text: str) -> tuple[Message, str] | None:
        for message in reversed(self.chat.history()):
            for button in message.inline_buttons:
                if button["text"] == text and "callback_data" in button:
                    return message, button["callback_data"]
        return None

    async def _until(self, probe: Callable[[], Found | None], within: float, what: str) -> Found:
        changed = asyncio.Event()

        def note(_: Event) -> None:
            changed.set()

        with self._state.listening(note):
            try:
                async with asyncio.timeout(within):
                    while (found := probe()) is None:
                        await changed.wait()
                        changed.clear()
            except TimeoutError:
                raise Unseen(f"{self.name} waited {within} s for {what} and sees {self._texts()}") from None
        return found

    def _texts(self) -> list[str]:
        return [message.text for message in self.chat.history()][-5:]
