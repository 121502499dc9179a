import pytest

from config.policies import MODELS, DigestPolicy, load_defaults
from core.platform import policies as policies_module
from core.platform.audit import AuditRepo
from core.platform.db import Database
from core.platform.errors import BadInput, NotFound
from core.platform.ids import TenantId
from core.platform.policies import Policies
from tests.conftest import Clock


def test_every_default_file_is_valid() -> None:
    assert set(load_defaults()) == set(MODELS)


async def test_a_change_reaches_another_process_within_its_age(
    database: Database, tenant_id: TenantId, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = Policies(database, load_defaults()), Policies(database, load_defaults())
    assert (await there.get(tenant_id, DigestPolicy)).window_hours == 24
    await here.change(tenant_id, "digest", {"window_hours": 6}, "test", clock())
    assert (await there.get(tenant_id, DigestPolicy)).window_hours == 24
    monkeypatch.setattr(policies_module, "MAX_AGE", 0.0)
    assert (await there.get(tenant_id, DigestPolicy)).window_hours == 6
    async with database.uow(tenant_id) as uow:
        assert (await there.get_within(uow, DigestPolicy)).window_hours == 6
        assert [entry[2] for entry in await AuditRepo(uow.db).list_recent(tenant_id, 1)] == ["policy.change"]


def test_the_age_is_seconds() -> None:
    assert policies_module.MAX_AGE <= 5


@pytest.mark.parametrize(
    ("name", "changes", "error"),
    [("digest", {"window_hours": 5}, BadInput), ("digest", {"nonsense": 1}, BadInput),
     ("digest", {"time_zone": "Mars"}, BadInput),
     ("digest", {"min_messages": "many"}, BadInput), ("nonsense", {}, NotFound)],
)  # fmt: skip
async def test_a_bad_change_is_refused_and_leaves_nothing(
    database: Database, tenant_id: TenantId, clock: Clock, name: str, changes: dict[str, object], error: type[Exception]
) -> None:
    policies = Policies(database, load_defaults())
    with pytest.raises(error):
        await policies.change(tenant_id, name, changes, "test", clock())
    async with database.uow(tenant_id) as uow:
        assert await uow.db.fetchval("SELECT count(*) FROM policies WHERE tenant_id = $1", tenant_id) == 0
