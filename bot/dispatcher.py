"""The dispatcher of one bot: middlewares in order, routers by audience."""

from typing import Any

from aiogram import Bot, Dispatcher
from redis.asyncio import Redis

from bot.inbox import Handle, Turn
from bot.middlewares import AnswerMiddleware, PersonMiddleware, ThrottleMiddleware
from bot.people import People
from bot.routers import admin, common, digests, fallback
from config.runtime import Runtime


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


def handle_with(dispatcher: Dispatcher, bot: Bot) -> Handle:
    """Feeds a stored update; what a handler raises comes out, so that the inbox can try again and park."""

    async def handle(turn: Turn, raw: dict[str, Any]) -> None:
        await dispatcher.feed_raw_update(bot, raw, turn=turn)

    return handle
