"""The inbox when its database is slow or fails: what was stored is handled, in order, without a restart."""

import asyncio
from typing import Any

import pytest

from bot.inbox import Feeder, Turn, chat_key, store_updates
from bot.repo import UpdateRepo
from core.platform.db import Database, UnitOfWork
from core.platform.ids import TenantId
from tests.conftest import Clock

BOT = 42


def update(number: int, chat: int = 7) -> dict[str, Any]:
    return {"update_id": number, "message": {"message_id": number, "chat": {"id": chat}}}


class Answers:
    """Answers each update; `bad` ones raise."""

    def __init__(self, bad: frozenset[int] = frozenset()) -> None:
        self.bad = bad
        self.done: list[int] = []

    async def __call__(self, turn: Turn, raw: dict[str, Any]) -> None:
        if raw["update_id"] in self.bad:
            raise ValueError("cannot be handled")
        async with turn.effect():
            pass
        self.done.append(raw["update_id"])


class FailingDatabase(Database):
    """Loses its server for the next `failures` transactions."""

    failures = 0

    def uow(self, tenant_id: TenantId) -> UnitOfWork:
        if self.failures > 0:
            self.failures -= 1
            raise ConnectionResetError("the server has gone away")
        return super().uow(tenant_id)


async def count_pending(database: Database, tenant_id: TenantId) -> int:
    async with database.uow(tenant_id) as uow:
        return await UpdateRepo(uow.db).count_pending(tenant_id)


async def drain(feeder: Feeder, database: Database, tenant_id: TenantId) -> int:
    """Rounds as the bot's loop makes them, until nothing is pending; returns how many of them failed."""
    failed = 0
    async with asyncio.timeout(10):
        while await count_pending(database, tenant_id):
            try:
                await feeder.run_once()
            except ConnectionResetError:
                failed += 1
            await asyncio.sleep(0.005)
    await feeder.stop()
    return failed


async def test_an_update_whose_transaction_ends_late_is_not_passed_over(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    """Webhooks come side by side: the numbers of rows are given in one order and become visible in another."""
    answers = Answers()
    feeder = Feeder(database, tenant_id, BOT, answers, clock)
    async with database.uow(tenant_id) as slow:
        await UpdateRepo(slow.db).add_all(tenant_id, BOT, [(1, chat_key(update(1, 7)), update(1, 7))])
        await store_updates(database, tenant_id, BOT, [update(2, 8)])
        await feeder.run_once()
        await drain(feeder, database, tenant_id)
    assert answers.done == [2]
    await drain(feeder, database, tenant_id)
    assert answers.done == [2, 1]


@pytest.mark.parametrize("failures", [1, 2, 3])
async def test_an_update_outlives_a_database_that_goes_away_in_the_middle(
    database: Database, tenant_id: TenantId, clock: Clock, failures: int
) -> None:
    failing, answers = FailingDatabase(database.pool), Answers()
    await store_updates(database, tenant_id, BOT, [update(number) for number in range(1, 6)])
    feeder = Feeder(failing, tenant_id, BOT, answers, clock)
    await feeder.run_once()
    failing.failures = failures
    await drain(feeder, database, tenant_id)
    assert answers.done == [1, 2, 3, 4, 5]


async def test_poison_is_parked_also_when_the_database_goes_away_in_the_middle(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    failing, answers = FailingDatabase(database.pool), Answers(bad=frozenset({2}))
    await store_updates(database, tenant_id, BOT, [update(1), update(2), update(3)])
    feeder = Feeder(failing, tenant_id, BOT, answers, clock)
    await feeder.run_once()
    failing.failures = 2
    await drain(feeder, database, tenant_id)
    assert answers.done == [1, 3]
