"""/digest: the last 24 hours of a group that the person may read."""

from datetime import timedelta
from html import escape

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot.inbox import Turn
from bot.people import Person
from bot.rights import May
from config.policies import DigestPolicy, digest_options
from config.runtime import Runtime
from config.texts import Texts
from core.access.model import Permission, Reader
from core.delivery.model import Body
from core.digests.model import Skipped
from core.digests.service import Chat, access_chat, choose_window, list_chats, make_digest
from core.platform.errors import AppError

SPAN = timedelta(hours=24)
LISTED = 20
GROUPS = frozenset({"group", "supergroup"})


def make_router() -> Router:
    router = Router(name="digests")
    router.message.register(digest, Command("digest"), May(Permission.READ_GROUPS))
    return router


async def digest(
    message: Message, command: CommandObject, turn: Turn, texts: Texts, person: Person, runtime: Runtime
) -> None:
    assert person.reader is not None  # noqa: S101 - the filter let only members through
    reader, wanted = person.reader, (command.args or "").strip()
    if not wanted and message.chat.type in GROUPS:  # who writes in a group is a member of it
        reader, wanted = reader.model_copy(update={"groups": None}), str(message.chat.id)
    found = await _find(wanted, texts, reader, runtime)
    bodies = [turn.text(found)] if isinstance(found, str) else await _digest(found, texts, reader, runtime)
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, *bodies, check="digest")


async def _find(wanted: str, texts: Texts, reader: Reader, runtime: Runtime) -> Chat | str:
    """The chat that is wanted, or the only one; else words that ask."""
    if wanted:
        try:
            return await access_chat(runtime.database, reader, wanted)
        except AppError:
            return texts("bot-digest-unknown", name=escape(wanted[:100], quote=False))
    groups = await list_chats(runtime.database, reader, LISTED)
    if len(groups) == 1:
        return await access_chat(runtime.database, reader, groups[0].thread_key)
    if not groups:
        return texts("bot-digest-none")
    names = [f"• {escape(group.title[:100], quote=False)}" for group in groups]
    return "\n".join([texts("bot-digest-which"), *names])


async def _digest(chat: Chat, texts: Texts, reader: Reader, runtime: Runtime) -> list[Body]:
    policy = await runtime.policies.get(reader.tenant_id, DigestPolicy)
    window = await choose_window(runtime.database, reader, chat, SPAN, None, runtime.clock())
    made = await make_digest(runtime.database, reader, chat, window, digest_options(policy))
    if isinstance(made, Skipped):
        return [Turn.text(texts("bot-digest-quiet", chat=escape(chat.conversation.title, quote=False)))]
    return [Turn.text(part) for part in made.html]
