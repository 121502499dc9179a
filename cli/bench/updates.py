"""A bot's update to its committed effect, beside a bare dispatcher with one transaction for each update."""

import asyncio
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from aiogram import Bot, Dispatcher, Router
from aiogram.types import Message
from redis.asyncio import Redis

from bot.dispatcher import handle_with, make_dispatcher
from bot.inbox import CHATS_AT_ONCE, Feeder, store_updates
from cli.bench.measure import Bench, Result, middle
from config.policies import load_defaults
from config.runtime import Runtime
from config.settings import Settings
from core.access.model import Reader, Role
from core.access.service import do_add_member
from core.platform.clock import utc_now
from core.platform.ids import new_holder
from core.platform.policies import Policies

TOKEN = "42:bench"  # noqa: S105 - no request is made with it
ROUNDS = 3
PEOPLE = 200
PAGE = 100


async def bench_updates(bench: Bench, n: int) -> list[Result]:
    """`/id` of many people: stored, known, counted, answered through the ledger; the floor writes one row for each."""
    bot = Bot(TOKEN)
    redis = Redis.from_url(bench.addresses.redis_url or "")
    try:
        await _join(bench)
        runtime = _runtime(bench, redis)
        ours, floors = [], []
        for round_ in range(ROUNDS + 1):  # the first warms up and is not counted
            updates = [_update(round_ * n + number) for number in range(1, n + 1)]
            floor, mine = await _bare(bench, bot, updates), await _whole(runtime, bench, bot, updates)
            if round_:
                ours.append(mine / n)
                floors.append(floor / n)
    finally:
        await redis.aclose()
        await bot.session.close()
    return [Result("bot update", middle(ours), middle(floors), "s", n)]


def _runtime(bench: Bench, redis: "Redis") -> Runtime:
    return Runtime(
        settings=Settings(),
        addresses=bench.addresses,
        database=bench.database,
        redis=redis,
        policies=Policies(bench.database, load_defaults()),
        clock=utc_now,
        holder=new_holder("bench"),
    )


async def _join(bench: Bench) -> None:
    reader = Reader(tenant_id=bench.tenant.tenant_id, member_id=None, role=Role.OWNER)
    for person in range(PEOPLE):
        await do_add_member(
            bench.database, reader, f"Person {person}", Role.MEMBER, telegram_user_id=1000 + person, project=None
        )


def _update(number: int) -> dict[str, Any]:
    person = {"id": 1000 + number % PEOPLE, "is_bot": False, "first_name": "Person", "language_code": "en"}
    message = {
        "message_id": number,
        "date": int(datetime(2026, 1, 1, tzinfo=UTC).timestamp()),
        "chat": {"id": person["id"], "type": "private", "first_name": "Person"},
        "from": person,
        "text": "/id",
        "entities": [{"type": "bot_command", "offset": 0, "length": 3}],
    }
    return {"update_id": number, "message": message}


async def _whole(runtime: Runtime, bench: Bench, bot: Bot, updates: list[dict[str, Any]]) -> float:
    tenant_id = bench.tenant.tenant_id
    await runtime.need_redis().flushdb()  # else the throttle drops what one person sends too fast
    feeder = Feeder(
        bench.database, tenant_id, bot.id, handle_with(make_dispatcher(runtime, runtime.need_redis()), bot), utc_now
    )
    started = perf_counter()
    for at in range(0, len(updates), PAGE):
        await store_updates(bench.database, tenant_id, bot.id, updates[at : at + PAGE])
        await feeder.run_once()
    while await _pending(bench):
        if not await feeder.run_once():
            await asyncio.sleep(0.001)
    await feeder.stop()
    return perf_counter() - started


async def _pending(bench: Bench) -> bool:
    async with bench.database.uow(bench.tenant.tenant_id) as uow:
        return bool(await uow.db.fetchval("SELECT 1 FROM bot_updates WHERE state = 'pending' LIMIT 1"))


async def _bare(bench: Bench, bot: Bot, updates: list[dict[str, Any]]) -> float:
    async def answer(_: Message) -> None:
        async with bench.database.uow(bench.tenant.tenant_id) as uow:
            await uow.db.execute(
                "INSERT INTO audit_log (tenant_id, actor, action, subject) VALUES ($1, 'bench', 'answer', '')",
                uow.tenant_id,
            )

    router = Router()
    router.message.register(answer)
    dispatcher = Dispatcher()
    dispatcher.include_router(router)
    room = asyncio.Semaphore(CHATS_AT_ONCE)

    async def feed(raw: dict[str, Any]) -> None:
        async with room:
            await dispatcher.feed_raw_update(bot, raw)

    started = perf_counter()
    await asyncio.gather(*(feed(raw) for raw in updates))
    return perf_counter() - started
