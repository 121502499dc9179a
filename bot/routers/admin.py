"""/status: is everything well, in one screen."""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from bot.inbox import Turn
from bot.rights import May
from config.health import check_servers
from config.runtime import Runtime
from config.texts import Texts
from core.access.model import Permission
from core.delivery.repo import LedgerRepo
from core.interactions.conversation_repo import ConversationRepo
from core.platform import heartbeat
from core.platform.deadletters import DeadLetterRepo
from core.platform.jobs import JobRepo
from core.platform.outbox import OutboxRepo


def make_router() -> Router:
    router = Router(name="admin")
    router.message.register(status, Command("status"), May(Permission.OPERATE))
    return router


async def status(message: Message, turn: Turn, texts: Texts, runtime: Runtime) -> None:
    text = texts("bot-status", **await collect(runtime, turn))
    async with turn.effect() as uow:
        await turn.say(uow, message.chat.id, turn.text(text))


async def collect(runtime: Runtime, turn: Turn) -> dict[str, str | int]:
    tenant_id = turn.tenant_id
    async with runtime.database.uow(tenant_id) as uow:
        totals = (await ConversationRepo(uow.db).count_by_channel(tenant_id)).values()
        events = sum(await OutboxRepo(uow.db).count_waiting(tenant_id))
        jobs = sum(s.number for s in await JobRepo(uow.db).list_status(tenant_id) if s.state == "due")
        letters = await DeadLetterRepo(uow.db).count_open(tenant_id)
        waiting = len(await LedgerRepo(uow.db).list_waiting(tenant_id))
    servers = await check_servers(runtime)
    alive = await heartbeat.list_alive(runtime.need_redis()) if servers["redis"] == "ok" else []
    return {
        **servers,
        "processes": ", ".join(alive) or "–",
        "conversations": sum(conversations for conversations, _ in totals),
        "interactions": sum(interactions for _, interactions in totals),
        "events": events,
        "jobs": jobs,
        "letters": letters,
        "waiting": waiting,
    }
