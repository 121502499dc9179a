from core.platform import correlation
from core.platform.correlation import correlated
from core.platform.db import Database
from core.platform.ids import TenantId
from core.platform.jobs import JobRepo
from core.platform.outbox import Event, OutboxRepo
from tests.conftest import Clock


def test_a_chain_begins_and_ends() -> None:
    assert correlation.current() is None
    with correlated() as one:
        assert correlation.current() == one
        with correlated("given"):
            assert correlation.current() == "given"
        assert correlation.current() == one
    assert correlation.current() is None


async def test_events_and_jobs_carry_the_id_of_their_cause(
    database: Database, tenant_id: TenantId, clock: Clock
) -> None:
    with correlated("cause"):
        async with database.uow(tenant_id) as uow:
            [event_id] = await OutboxRepo(uow.db).add(tenant_id, [Event(kind="test", subject_id=1)], clock())
            job_id = await JobRepo(uow.db).add(tenant_id, "test", clock())
    async with database.uow(tenant_id) as uow:
        event = await OutboxRepo(uow.db).get(tenant_id, event_id)
        job = await JobRepo(uow.db).get(tenant_id, job_id)
    assert event
    assert job
    assert (event.correlation_id, job.correlation_id) == ("cause", "cause")
