"""A desk in a fake Telegram: the product's own bot and worker against it, and people who write to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from bot.app import run as run_bot
from bot.people import make_invite
from config.policies import load_defaults
from config.runtime import Addresses, Runtime
from config.settings import Settings
from core.access.model import Role
from core.access.service import access_tenant
from core.delivery import budget
from core.delivery.adapter import Limits
from core.delivery.bot_api import BotApiAdapter
from core.platform.clock import utc_now
from core.platform.db import Database
from core.platform.ids import TenantId, new_holder
from core.platform.policies import Policies
from tests.fakes.telegram import Bot, FakeTelegram, Person, World
from worker.app import run_sender


@dataclass
class Desk:
    """`bot` is Parley's; `runtime` is what both of its processes share in a test."""

    telegram: FakeTelegram
    world: World
    bot: Bot
    runtime: Runtime
    tenant_id: TenantId

    async def invite(self, role: Role) -> str:
        async with self.runtime.database.uow(self.tenant_id) as uow:
            return await make_invite(uow, role, self.runtime.clock())

    async def member(self, name: str, role: Role, language: str = "en") -> Person:
        """A person who has opened an invitation, while the desk runs."""
        person = self.world.person(name, language=language)
        await person.starts(self.bot, await self.invite(role))
        await person.waits_for("/help")
        return person

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        stop = asyncio.Event()
        async with AsyncExitStack() as stack:
            tasks: list[asyncio.Task[Any]] = [
                asyncio.create_task(run_bot(self.runtime, stop)),
                asyncio.create_task(run_sender(self.runtime, stop)),
            ]
            stack.push_async_callback(_gather, tasks)
            stack.callback(stop.set)
            yield

    async def fetchval(self, query: str) -> object:
        async with self.runtime.database.uow(self.tenant_id) as uow:
            return await uow.db.fetchval(query)


async def _gather(tasks: list["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*tasks)


@pytest.fixture
async def desk(fresh: Database, redis_url: str, redis: "Redis", monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    # Stories are about words: a second between two of them would only make the reader wait.
    unlimited = BotApiAdapter.capabilities._replace(chat_limit=Limits(1000, 1.0), account_limit=Limits(1000, 1.0))
    monkeypatch.setattr(BotApiAdapter, "capabilities", unlimited)
    monkeypatch.setattr(budget, "SETTLING_SECONDS", 0.0)
    world = World()
    world.limits.off()
    bot = world.bot("parley_bot")
    async with FakeTelegram(world) as telegram:
        runtime = Runtime(
            settings=Settings(bot_token=bot.token, telegram_api_url=telegram.url),
            addresses=Addresses("", "", redis_url),
            database=fresh,
            redis=redis,
            policies=Policies(fresh, load_defaults()),
            clock=utc_now,
            holder=new_holder("test"),
        )
        tenant = await access_tenant(fresh, None)
        yield Desk(telegram, world, bot, runtime, tenant.tenant_id)
