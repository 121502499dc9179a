from datetime import timedelta

from core.platform.db import Database
from core.platform.ids import Holder, TenantId
from core.platform.leases import LeaseRepo
from tests.conftest import Clock

ME, YOU = Holder("me"), Holder("you")
MINUTE = timedelta(minutes=1)


async def test_one_holder_at_a_time_and_a_fence_that_grows(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    async with database.uow(tenant_id) as uow:
        repo = LeaseRepo(uow.db)
        mine = await repo.acquire(tenant_id, "session", ME, clock(), MINUTE)
        assert mine
        assert await repo.acquire(tenant_id, "session", YOU, clock(), MINUTE) is None
        renewed = await repo.acquire(tenant_id, "session", ME, clock(), MINUTE)
        assert renewed
        assert renewed.fence == mine.fence
        clock.forward(minutes=1)
        yours = await repo.acquire(tenant_id, "session", YOU, clock(), MINUTE)
        assert yours
        assert yours.fence == mine.fence + 1
        assert not await repo.check(tenant_id, mine, clock())
        assert await repo.check(tenant_id, yours, clock())


async def test_a_holder_that_lost_it_and_comes_back_gets_a_new_fence(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    async with database.uow(tenant_id) as uow:
        repo = LeaseRepo(uow.db)
        first = await repo.acquire(tenant_id, "session", ME, clock(), MINUTE)
        assert first
        clock.forward(minutes=2)
        again = await repo.acquire(tenant_id, "session", ME, clock(), MINUTE)
        assert again
        assert again.fence == first.fence + 1


async def test_a_released_lease_is_free_and_keeps_counting(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    async with database.uow(tenant_id) as uow:
        repo = LeaseRepo(uow.db)
        mine = await repo.acquire(tenant_id, "session", ME, clock(), MINUTE)
        assert mine
        await repo.release(tenant_id, mine)
        yours = await repo.acquire(tenant_id, "session", YOU, clock(), MINUTE)
        assert yours
        assert yours.fence == mine.fence + 1
