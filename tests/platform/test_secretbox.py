import asyncpg
import pytest

from core.platform.audit import AuditRepo
from core.platform.db import Database
from core.platform.errors import Misconfigured
from core.platform.ids import TenantId
from core.platform.secretbox import SecretBox, SecretRepo, new_key

OLD, NEW = new_key(), new_key()


async def test_a_secret_is_never_stored_in_the_clear(database: Database, tenant_id: TenantId) -> None:
    async with database.uow(tenant_id) as uow:
        await SecretRepo(uow.db, SecretBox([OLD])).set_(tenant_id, "token", "hunter2")
        assert b"hunter2" not in await uow.db.fetchval("SELECT ciphertext FROM secrets WHERE tenant_id = $1", tenant_id)
        assert await SecretRepo(uow.db, SecretBox([OLD])).get(tenant_id, "token") == "hunter2"


async def test_rotation_lets_the_old_key_go(database: Database, tenant_id: TenantId) -> None:
    async with database.uow(tenant_id) as uow:
        await SecretRepo(uow.db, SecretBox([OLD])).set_(tenant_id, "token", "hunter2")
        both = SecretRepo(uow.db, SecretBox([NEW, OLD]))
        assert await both.get(tenant_id, "token") == "hunter2"
        assert await both.rotate(tenant_id) == 1
        assert await SecretRepo(uow.db, SecretBox([NEW])).get(tenant_id, "token") == "hunter2"
        with pytest.raises(Misconfigured):
            await SecretRepo(uow.db, SecretBox([OLD])).get(tenant_id, "token")


async def test_rotation_without_the_old_key_changes_nothing(database: Database, tenant_id: TenantId) -> None:
    async with database.uow(tenant_id) as uow:
        await SecretRepo(uow.db, SecretBox([OLD])).set_(tenant_id, "token", "hunter2")
    with pytest.raises(Misconfigured):
        async with database.uow(tenant_id) as uow:
            await SecretRepo(uow.db, SecretBox([NEW])).rotate(tenant_id)
    async with database.uow(tenant_id) as uow:
        assert await SecretRepo(uow.db, SecretBox([OLD])).check_all(tenant_id) == 1


@pytest.mark.parametrize("keys", [["short"], [""], ["x" * 44]])
def test_a_key_that_is_none_is_refused(keys: list[str]) -> None:
    with pytest.raises(Misconfigured):
        SecretBox(keys)


async def test_the_audit_log_cannot_be_rewritten(database: Database, tenant_id: TenantId) -> None:
    async with database.uow(tenant_id) as uow:
        await AuditRepo(uow.db).add(tenant_id, "cli", "test.done", "test:1", {"id": 1})
    for statement in ("UPDATE audit_log SET actor = 'x'", "DELETE FROM audit_log"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.uow(tenant_id) as uow:
                await uow.db.execute(statement)
