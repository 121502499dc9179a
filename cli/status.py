"""`parley status`: what is in the store, what waits, who is alive."""

from typing import Any

from cli.console import JsonOption, TenantOption, command, out, print_json, with_reader
from config.health import check_servers
from config.runtime import Runtime
from core.access.model import Reader
from core.interactions.conversation_repo import ConversationRepo
from core.interactions.model import Conversation
from core.platform import heartbeat
from core.platform.deadletters import DeadLetterRepo
from core.platform.jobs import JobRepo
from core.platform.outbox import OutboxRepo

CHATS_SHOWN = 50


@command
async def status(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """What is in the store, what waits, and which processes are alive."""
    found = await with_reader(tenant, collect, redis=True)
    if as_json:
        print_json(found)
    else:
        print_status(found)


async def collect(runtime: Runtime, reader: Reader) -> dict[str, Any]:
    tenant_id = reader.tenant_id
    async with runtime.database.uow(tenant_id) as uow:
        conversations = ConversationRepo(uow.db)
        totals = await conversations.count_by_channel(tenant_id)
        chats = await conversations.list_groups(tenant_id, CHATS_SHOWN)
        unpublished, unfinished = await OutboxRepo(uow.db).count_waiting(tenant_id)
        jobs = JobRepo(uow.db)
        states = await jobs.list_status(tenant_id)
        paused = await jobs.list_paused(tenant_id)
        letters = await DeadLetterRepo(uow.db).count_open(tenant_id)
    servers = await check_servers(runtime)
    return {
        "servers": servers,
        "processes": await heartbeat.list_alive(runtime.need_redis()) if servers["redis"] == "ok" else [],
        "channels": totals,
        "chats": [_chat(chat) for chat in chats],
        "events": {"unpublished": unpublished, "unfinished": unfinished},
        "jobs": [{"kind": s.kind, "state": s.state, "count": s.number, "last_error": s.last_error} for s in states],
        "paused": paused,
        "dead_letters": letters,
    }


def _chat(chat: Conversation) -> dict[str, Any]:
    return {
        "id": chat.id,
        "key": chat.thread_key,
        "title": chat.title,
        "kind": chat.kind,
        "interactions": chat.interaction_count,
        "last_at": chat.last_at.isoformat() if chat.last_at else None,
    }


def print_status(found: dict[str, Any]) -> None:
    servers = ", ".join(f"{name} {state}" for name, state in found["servers"].items())
    lines = [
        f"servers    {servers}",
        f"processes  {', '.join(found['processes']) or 'none: start them with parley up'}",
    ]
    for channel, (conversations, interactions) in found["channels"].items():
        lines.append(f"{channel:10} {interactions} interactions in {conversations} conversations")
    waiting = found["events"]
    lines.append(f"events     {waiting['unpublished']} to publish, {waiting['unfinished']} to be consumed")
    jobs = ", ".join(f"{job['kind']} {job['count']} {job['state']}" for job in found["jobs"])
    lines.append(
        f"jobs       {jobs or 'none'}" + (f"; paused: {', '.join(found['paused'])}" if found["paused"] else "")
    )
    lines.append(
        f"dead       {found['dead_letters']} letters" + (" (parley dlq list)" if found["dead_letters"] else "")
    )
    lines += [f"  {chat['key']:24} {chat['interactions']:>8}  {chat['title']}" for chat in found["chats"]]
    out.print("\n".join(lines), markup=False)
