"""The dispatcher of one bot: middlewares in order, routers by audience."""

from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.types import Update
from pydantic import ValidationError
from redis.asyncio import Redis

from bot.inbox import Handle, Turn
from bot.middlewares import AnswerMiddleware, PersonMiddleware, ThrottleMiddleware
from bot.people import People, language_of
from bot.routers import admin, common, digests, fallback
from config.runtime import Runtime
from config.texts import load_texts
from core.access.service import reader_of_telegram_user
from core.platform.db import UnitOfWork


def make_dispatcher(runtime: Runtime, redis: "Redis") -> Dispatcher:
    people = People(runtime.database)
    dispatcher = Dispatcher(runtime=runtime, clock=runtime.clock, people=people)
    person, throttle = PersonMiddleware(people), ThrottleMiddleware(redis)
    for observer in (
        dispatcher.message,
        dispatcher.edited_message,
        dispatcher.callback_query,
        dispatcher.my_chat_member,
    ):
        observer.outer_middleware(AnswerMiddleware())
        observer.outer_middleware(person)
        observer.outer_middleware(throttle)
    for room in (common, digests, admin, fallback):
        dispatcher.include_router(room.make_router())
    return dispatcher


async def apologise(turn: Turn, uow: UnitOfWork, raw: dict[str, Any]) -> None:
    """A friendly word to a member in a private chat; nothing where the update is too broken to tell who waits."""
    try:
        message = Update.model_validate(raw).message
    except ValidationError:
        return
    if message is None or message.from_user is None or message.chat.type != "private":
        return
    if await reader_of_telegram_user(uow, message.from_user.id) is not None:
        texts = load_texts(language_of(message.from_user.language_code))
        await turn.say(uow, message.chat.id, turn.text(texts("bot-failed")))


def handle_with(dispatcher: Dispatcher, bot: Bot) -> Handle:
    """Feeds a stored update; what a handler raises comes out, so that the inbox can try again and park."""

    async def handle(turn: Turn, raw: dict[str, Any]) -> None:
        await dispatcher.feed_raw_update(bot, raw, turn=turn)

    return handle
