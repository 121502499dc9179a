"""Where a story is played: a database of its own, a fake Telegram, and the product's bot and sender between them."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from bot.app import run as run_bot
from bot.people import make_invite
from cli.bench.measure import Bench, open_bench
from cli.imports import run_import
from config.bots import open_bots
from config.loops import keep_running
from config.runtime import Runtime, open_runtime
from config.settings import Settings
from core.access.model import Role
from core.access.service import access_reader
from core.delivery.adapter import Limits
from core.delivery.bot_api import BotAccount, BotApiAdapter
from core.delivery.sender import Sender
from core.platform.ids import TenantId
from tests.fakes.telegram import Bot, FakeTelegram, World
from worker.app import SENDER_IDLE_SECONDS

USERNAME = "parley_bot"
FIRST_BOT, BOTS = 10**9, 10**9
UNLIMITED = Limits(1000, 1.0)


class UnhurriedAdapter(BotApiAdapter):
    """A second between two words would only make the reader of a story wait."""

    capabilities = BotApiAdapter.capabilities._replace(
        account_limit=UNLIMITED, chat_limit=UNLIMITED, group_limit=UNLIMITED
    )


@dataclass(frozen=True)
class Stage:
    """`bot` is Parley's, in a world where nobody else is yet."""

    telegram: FakeTelegram
    world: World
    bot: Bot
    runtime: Runtime
    tenant_id: TenantId

    async def import_group(self, path: Path) -> None:
        reader = await access_reader(self.runtime.database, self.tenant_id, Role.OWNER)
        await run_import(self.runtime, reader, path, None, ZoneInfo("UTC"), None, lambda _: None)

    async def invite(self, role: Role) -> str:
        """The token of an invitation's link."""
        async with self.runtime.database.uow(self.tenant_id) as uow:
            return await make_invite(uow, role, self.runtime.clock())

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The bot and the sender; what either of them raised comes out at the end."""
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            apps = [asyncio.create_task(run(self.runtime, stop)) for run in (run_bot, run_sender)]
            stack.push_async_callback(_end, apps)
            stack.callback(stop.set)
            yield


async def _end(apps: list["asyncio.Task[None]"]) -> None:
    """All of them end before what they stand on is closed; then the first that failed is heard."""
    await asyncio.wait(apps)
    for app in apps:
        app.result()


@asynccontextmanager
async def open_stage(settings: Settings) -> AsyncIterator[Stage]:
    """Raises AppError when a server cannot be had. Nothing of it is left afterwards."""
    world = World()
    world.limits.off()
    bot = world.bot(USERNAME, token=_new_token())
    async with open_bench(settings, redis=True) as bench, FakeTelegram(world) as telegram:
        own = _own_settings(settings, bench, bot.token, telegram.url)
        async with open_runtime(own, "simulate") as runtime:
            try:
                yield Stage(telegram, world, bot, runtime, bench.tenant.tenant_id)
            finally:
                await _forget(runtime, bot.id)


def _new_token() -> str:
    """Of a bot that no other run has: Redis is shared, and counts by the bot's id."""
    return f"{FIRST_BOT + secrets.randbelow(BOTS)}:{secrets.token_hex(16)}"


def _own_settings(settings: Settings, bench: Bench, token: str, url: str) -> Settings:
    """Nothing in them leads to the real Telegram, nor to what the real bot stands on."""
    own = bench.addresses
    return settings.model_copy(
        update={
            "database_url": own.database_dsn,
            "database_admin_url": own.admin_dsn,
            "redis_url": own.redis_url,
            "bot_token": token,
            "telegram_api_url": url,
            "webhook_url": None,
        }
    )


async def run_sender(runtime: Runtime, stop: asyncio.Event) -> None:
    """The worker's sender, without the limits of the real Telegram."""
    async with open_bots(runtime) as bots:
        adapter = UnhurriedAdapter({owned.account: BotAccount(owned.bot, owned.project_id) for owned in bots})
        sender = Sender(runtime.database, runtime.need_redis(), [adapter], runtime.holder, runtime.clock)
        try:
            await keep_running("sender", sender.run_once, stop, idle=SENDER_IDLE_SECONDS)
        finally:
            await sender.stop()


async def _forget(runtime: Runtime, bot_id: int) -> None:
    """What was counted for the bot in Redis, where the counters of a real installation may stand too."""
    redis = runtime.need_redis()
    async for key in redis.scan_iter(match=f"parley:*{bot_id}*", count=1000):
        await redis.delete(key)
