"""A sender in a process of its own, that may die before and after each commit.

Arguments: DSN REDIS_URL MAIL_URL HISTORY(yes|no) SHARE SEED.
"""

import asyncio
import os
import random
import signal
import sys
from types import TracebackType
from typing import Self

import aiohttp
from redis.asyncio import Redis

from core.delivery import rules
from core.delivery.adapter import Capabilities
from core.delivery.sender import Sender
from core.platform.clock import utc_now
from core.platform.db import Database, UnitOfWork
from core.platform.ids import TenantId, new_holder
from tests.delivery.mail_adapter import UNLIMITED, MailAdapter

SHARE, DICE = 0.0, random.Random()


def die_perhaps() -> None:
    if DICE.random() < SHARE:
        os.kill(os.getpid(), signal.SIGKILL)


class MortalUnitOfWork(UnitOfWork):
    async def __aenter__(self) -> Self:
        return await super().__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        die_perhaps()
        await super().__aexit__(kind, error, trace)
        die_perhaps()


class MortalDatabase(Database):
    def uow(self, tenant_id: TenantId) -> UnitOfWork:
        return MortalUnitOfWork(self.pool, tenant_id)


async def main(dsn: str, redis_url: str, mail_url: str, history: bool) -> None:
    database = await MortalDatabase.open(dsn, name="sender", size=8)
    redis = Redis.from_url(redis_url)
    adapter = MailAdapter(
        mail_url, Capabilities(history=history, deadline=0.5, account_limit=UNLIMITED, chat_limit=UNLIMITED)
    )
    sender = Sender(database, redis, [adapter], new_holder("sender"), utc_now)
    while True:
        try:
            if not await sender.run_once():
                await asyncio.sleep(0.01)
        except aiohttp.ClientError:
            continue


if __name__ == "__main__":
    SHARE, DICE = float(sys.argv[5]), random.Random(int(sys.argv[6]))
    rules.LEASE_MARGIN = rules.LEASE_MARGIN / 15  # the same rules, with less patience
    asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4] == "yes"))
