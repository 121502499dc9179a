"""What every update passes on its way to a handler: who is it, how often, and what the tap is answered with."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.exceptions import ClientDecodeError, TelegramAPIError
from aiogram.types import CallbackQuery, TelegramObject, User
from redis.asyncio import Redis
from redis.exceptions import RedisError

from bot.inbox import Turn
from bot.people import People, Person
from config.texts import load_texts

BURST = 20
BURST_SECONDS = 10
ANSWER_CHARS = 200

Next = Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]]


class PersonMiddleware(BaseMiddleware):
    """Adds `person` and `texts`. Updates without a person (channel posts, other bots) go no further."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._texts = {language: load_texts(language) for language in ("ru", "en")}

    async def __call__(self, handler: Next, event: TelegramObject, data: dict[str, Any]) -> Any:
        user: User | None = data.get("event_from_user")
        turn: Turn = data["turn"]
        if user is None or user.is_bot:
            return None
        person = await self._people.know(turn.tenant_id, user)
        data["person"] = person
        data["texts"] = self._texts[person.language]
        return await handler(event, data)


class ThrottleMiddleware(BaseMiddleware):
    """At most BURST updates of one person in BURST_SECONDS; the first one too many is told, the rest are dropped."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def __call__(self, handler: Next, event: TelegramObject, data: dict[str, Any]) -> Any:
        person, turn, texts = data["person"], data["turn"], data["texts"]
        count = await self._count(turn, person)
        if count <= BURST:
            return await handler(event, data)
        chat = data.get("event_chat")
        if count == BURST + 1 and chat is not None:
            async with turn.effect() as uow:
                await turn.say(uow, chat.id, turn.text(texts("bot-slow-down")))
        return None

    async def _count(self, turn: Turn, person: Person) -> int:
        key = f"parley:{turn.tenant_id}:throttle:{turn.bot_id}:{person.user_id}"
        try:
            count = int(await self._redis.incr(key))
            if count == 1:
                await self._redis.expire(key, BURST_SECONDS)
        except RedisError:  # without Redis people are served, not counted
            return 0
        return count


class AnswerMiddleware(BaseMiddleware):
    """Every tap is answered, whatever became of it; a handler returns the words, if there are any."""

    async def __call__(self, handler: Next, event: TelegramObject, data: dict[str, Any]) -> Any:
        said: Any = None
        try:
            said = await handler(event, data)
            return said
        finally:
            if isinstance(event, CallbackQuery):
                await _answer(data["bot"], event, said if isinstance(said, str) else None)


async def _answer(bot: Bot, query: CallbackQuery, text: str | None) -> None:
    with suppress(
        TelegramAPIError, ClientDecodeError
    ):  # too old to be answered, or answered before: nobody waits for it any more
        await bot.answer_callback_query(query.id, text=text[:ANSWER_CHARS] if text else None)
