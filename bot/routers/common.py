"""What everybody may ask: /start, /help, /id, /language; and what strangers get."""

from html import escape

from aiogram import Bot, F, Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import CallbackQuery, Message, User

from bot.commands import show_menu
from bot.inbox import Turn
from bot.people import People, Person, use_invite
from bot.repo import PeopleRepo
from bot.rights import HELP, IsStranger
from config.texts import LANGUAGES, Texts, load_texts
from core.platform.clock import Clock

LANGUAGE_NAMES = {"ru": "Русский", "en": "English"}
PREFIX = "lang:"


def make_router() -> Router:
    router = Router(name="common")
    router.message.register(accept_invite, CommandStart(deep_link=True))
    router.message.register(greet_stranger, IsStranger(), F.chat.type == "private")
    router.message.register(stay_silent, IsStranger())
    router.callback_query.register(refuse_tap, IsStranger())
    router.message.register(start, CommandStart())
    router.message.register(show_help, Command("help"))
    router.message.register(show_id, Command("id"))
    router.message.register(ask_language, Command("language"))
    router.callback_query.register(set_language, F.data.in_({f"{PREFIX}{code}" for code in LANGUAGES}))
    return router


async def accept_invite(
    message: Message,
    command: CommandObject,
    turn: Turn,
    texts: Texts,
    person: Person,
    event_from_user: User,
    clock: Clock,
    people: People,
    bot: Bot,
) -> None:
    async with turn.effect() as uow:
        role = await use_invite(uow, command.args or "", event_from_user, clock())
        if role is None:
            text = texts("bot-invite-bad")
        else:
            name = escape(event_from_user.full_name, quote=False)
            text = texts("bot-welcome", name=name, role=texts(f"bot-role-{role}"))
        await turn.say(uow, message.chat.id, turn.text(text))
    people.forget(turn.tenant_id, person.user_id)
    if role is not None:
        await show_menu(bot, person.user_id, role, person.language)


async def greet_stranger(message: Message, turn: Turn, texts: Texts) -> None:
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, turn.text(texts("bot-hello-stranger")))


async def stay_silent(_: Message) -> None:
    """In a group a stranger's words are not meant for the bot."""


async def refuse_tap(_: CallbackQuery, texts: Texts) -> str:
    return texts("bot-no-right")


async def start(message: Message, turn: Turn, texts: Texts, person: Person) -> None:
    assert person.reader is not None  # noqa: S101 - strangers went another way
    name = escape(person.name, quote=False)
    text = texts("bot-hello-member", name=name, role=texts(f"bot-role-{person.reader.role}"))
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, turn.text(text))


async def show_help(message: Message, turn: Turn, texts: Texts, person: Person) -> None:
    """Only what this person may do."""
    lines = [texts(key) for key, permission in HELP if permission is None or person.may(permission)]
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, turn.text("\n".join([texts("bot-help"), *lines])))


async def show_id(message: Message, turn: Turn, texts: Texts, person: Person) -> None:
    text = texts("bot-id", user=str(person.user_id), chat=str(message.chat.id))
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, turn.text(text))


async def ask_language(message: Message, turn: Turn, texts: Texts) -> None:
    buttons = (tuple((LANGUAGE_NAMES[code], f"{PREFIX}{code}") for code in LANGUAGES),)
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, turn.text(texts("bot-language"), buttons))


async def set_language(query: CallbackQuery, turn: Turn, person: Person, people: People, bot: Bot) -> str:
    language = (query.data or "").removeprefix(PREFIX)
    async with turn.effect() as uow:
        await PeopleRepo(uow.db).set_language(turn.tenant_id, person.user_id, language)
    people.forget(turn.tenant_id, person.user_id)
    if person.reader is not None:
        await show_menu(bot, person.user_id, person.reader.role, language)
    return load_texts(language)("bot-language-set")
