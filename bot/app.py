"""The bot process: takes updates from Telegram and answers people, through the inbox and the ledger."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import structlog
from redis.asyncio import Redis

from bot.dispatcher import handle_with, make_dispatcher
from bot.inbox import Feeder
from bot.people import make_invite
from bot.poller import Poller
from config.bots import OwnedBot, open_bots
from config.loops import keep_running
from config.runtime import Runtime
from core.access.model import Role
from core.access.repo import AccessRepo

IDLE_SECONDS = 0.1

log = structlog.get_logger(__name__)


async def run(runtime: Runtime, stop: asyncio.Event) -> None:
    """Until `stop`. Without a bot's token there is nothing to do."""
    async with open_bots(runtime) as bots, aiohttp.ClientSession() as session:
        if not bots:
            log.info("bot.idle", reason="no bot; set BOT_TOKEN")
            await stop.wait()
            return
        async with asyncio.TaskGroup() as group:
            for owned in bots:
                group.create_task(serve(runtime, owned, session, runtime.need_redis(), stop))


async def serve(
    runtime: Runtime, owned: OwnedBot, session: aiohttp.ClientSession, redis: "Redis", stop: asyncio.Event
) -> None:
    """One bot: its updates in, its handlers on. Pending updates are handled first, never dropped."""
    async with AsyncExitStack() as stack:
        handle = handle_with(make_dispatcher(runtime, redis), owned.bot)
        feeder = Feeder(runtime.database, owned.tenant_id, owned.bot.id, handle, runtime.clock)
        stack.push_async_callback(feeder.stop)
        poller = Poller(runtime.database, owned, session)
        log.info("bot.started", name=owned.me.username)
        async with asyncio.TaskGroup() as group:
            # A long poll that is cut off has confirmed nothing: its updates come again.
            group.create_task(keep_running("bot.poller", poller.run_once, stop, idle=IDLE_SECONDS, grace=0))
            group.create_task(keep_running("bot.feeder", feeder.run_once, stop, idle=IDLE_SECONDS))


async def first_admin_links(runtime: Runtime) -> list[str]:
    """For each bot whose tenant has no owner yet: a link that makes whoever opens it first the owner."""
    links = []
    async with open_bots(runtime) as bots:
        for owned in bots:
            async with runtime.database.uow(owned.tenant_id) as uow:
                if await AccessRepo(uow.db).has_owner(owned.tenant_id):
                    continue
                token = await make_invite(uow, Role.OWNER, runtime.clock())
            links.append(f"https://t.me/{owned.me.username}?start={token}")
    return links
