"""What no other router wanted: a word that helps, and an answer for every tap."""

from aiogram import F, Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from bot.inbox import Turn
from config.texts import Texts


def make_router() -> Router:
    router = Router(name="fallback")
    router.message.register(no_right, Command("digest", "status"))
    router.message.register(unknown, F.chat.type == "private")
    router.callback_query.register(outdated)
    return router


async def no_right(message: Message, turn: Turn, texts: Texts) -> None:
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, turn.text(texts("bot-no-right")))


async def unknown(message: Message, turn: Turn, texts: Texts) -> None:
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, turn.text(texts("bot-unknown")))


async def outdated(_: CallbackQuery, texts: Texts) -> str:
    return texts("bot-outdated")
