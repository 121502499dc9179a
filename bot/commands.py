"""The menu of commands that Telegram shows: by language for everybody, by role for those who may do more."""

import asyncio

import structlog
from aiogram import Bot
from aiogram.exceptions import ClientDecodeError, TelegramAPIError
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
)

from bot.rights import HELP
from config.bots import OwnedBot
from config.texts import LANGUAGES, load_texts
from core.access.model import Role
from core.access.permissions import GRANTS
from core.platform.errors import Unavailable

GROUP_COMMANDS = frozenset({"digest", "id"})

log = structlog.get_logger(__name__)


async def tell_commands(owned: OwnedBot, stop: asyncio.Event) -> int:
    """Once, at start; Telegram keeps the lists. The list without a language is English."""
    try:
        for language in (None, *LANGUAGES):
            commands = commands_of(Role.MEMBER, language or "en")
            await owned.bot.set_my_commands(commands, BotCommandScopeAllPrivateChats(), language)
            in_groups = [command for command in commands if command.command in GROUP_COMMANDS]
            await owned.bot.set_my_commands(in_groups, BotCommandScopeAllGroupChats(), language)
    except (TelegramAPIError, ClientDecodeError) as error:
        raise Unavailable(f"Telegram does not take the list of commands ({type(error).__name__}).") from error
    await stop.wait()
    return 0


async def show_menu(bot: Bot, user_id: int, role: Role, language: str) -> None:
    """A person's own menu, in the private chat. /help says the same, so a menu that fails is only told to the log."""
    try:
        await bot.set_my_commands(commands_of(role, language), BotCommandScopeChat(chat_id=user_id))
    except (TelegramAPIError, ClientDecodeError) as error:
        log.warning("bot.menu_failed", error=type(error).__name__)


def commands_of(role: Role, language: str) -> list[BotCommand]:
    """Each line of the help is "/command – what it does"."""
    texts = load_texts(language)
    lines = [texts(key) for key, permission in HELP if permission is None or permission in GRANTS[role]]
    pairs = [line.removeprefix("/").split(" – ", 1) for line in lines]
    return [BotCommand(command=command, description=description) for command, description in pairs]
