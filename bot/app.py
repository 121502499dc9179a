"""The bot process: takes updates from Telegram and answers people, through the inbox and the ledger."""

import asyncio
from contextlib import AsyncExitStack

import aiohttp
import structlog

from bot.commands import tell_commands
from bot.dispatcher import apologise, handle_with, make_dispatcher
from bot.inbox import Feeder, forget_settled
from bot.lease import RENEW_SECONDS, BotLease
from bot.people import make_invite
from bot.poller import Poller
from bot.webhook import serve_webhooks
from config.bots import OwnedBot, open_bots
from config.loops import keep_running
from config.runtime import Runtime
from core.access.model import Role
from core.access.repo import AccessRepo
from core.platform.ids import TenantId

IDLE_SECONDS = 0.1
FORGET_SECONDS = 3600.0

log = structlog.get_logger(__name__)


async def run(runtime: Runtime, stop: asyncio.Event) -> None:
    """Until `stop`. Without a bot's token there is nothing to do."""
    async with open_bots(runtime) as bots, aiohttp.ClientSession() as session, AsyncExitStack() as stack:
        if not bots:
            log.info("bot.idle", reason="no bot; set BOT_TOKEN")
            await stop.wait()
            return
        by_webhook = runtime.settings.webhook_url is not None
        if by_webhook:
            await stack.enter_async_context(serve_webhooks(runtime.settings, runtime.database, bots))
        async with asyncio.TaskGroup() as group:
            for owned in bots:
                poller = None if by_webhook else Poller(runtime.database, owned, session)
                group.create_task(serve(runtime, owned, poller, stop))


async def serve(runtime: Runtime, owned: OwnedBot, poller: Poller | None, stop: asyncio.Event) -> None:
    """One bot, while this process holds its lease: its updates in, its handlers on. Nothing pending is dropped."""
    lease = BotLease(runtime.database, owned.tenant_id, owned.bot.id, runtime.holder, runtime.clock)
    handle = handle_with(make_dispatcher(runtime, runtime.need_redis()), owned.bot)
    feeder = Feeder(runtime.database, owned.tenant_id, owned.bot.id, handle, runtime.clock, apologise)
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(keep_running("bot.lease", lease.renew, stop, idle=RENEW_SECONDS))
            group.create_task(keep_running("bot.feeder", lambda: _feed(feeder, lease), stop, idle=IDLE_SECONDS))
            group.create_task(keep_running("bot.commands", lambda: tell_commands(owned, stop), stop, idle=IDLE_SECONDS))
            group.create_task(keep_running("bot.memory", lambda: _forget(runtime, owned), stop, idle=FORGET_SECONDS))
            if poller is not None:
                # A long poll that is cut off has confirmed nothing: its updates come again.
                polling = keep_running("bot.poller", lambda: _poll(poller, lease), stop, idle=IDLE_SECONDS, grace=0)
                group.create_task(polling)
    finally:
        await feeder.stop()
        await lease.release()


async def _feed(feeder: Feeder, lease: BotLease) -> int:
    if lease.is_held:
        return await feeder.run_once()
    feeder.forget()
    return 0


async def _forget(runtime: Runtime, owned: OwnedBot) -> int:
    await forget_settled(runtime.database, owned.tenant_id, runtime.clock())
    return 0


async def _poll(poller: Poller, lease: BotLease) -> int:
    return await poller.run_once() if lease.is_held else 0


async def first_admin_links(runtime: Runtime) -> list[str]:
    """For each bot whose tenant has no owner yet: a link that makes whoever opens it first the owner."""
    return await invite_links(runtime, Role.OWNER, only_without_owner=True)


async def invite_links(
    runtime: Runtime, role: Role, *, tenant_id: TenantId | None = None, only_without_owner: bool = False
) -> list[str]:
    """A one-time link for each bot (of a tenant) that makes one person a member in that role."""
    links = []
    async with open_bots(runtime) as bots:
        for owned in bots:
            if tenant_id not in (None, owned.tenant_id):
                continue
            async with runtime.database.uow(owned.tenant_id) as uow:
                if only_without_owner and await AccessRepo(uow.db).has_owner(owned.tenant_id):
                    continue
                token = await make_invite(uow, role, runtime.clock())
            links.append(f"https://t.me/{owned.me.username}?start={token}")
    return links
