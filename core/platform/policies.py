"""Settings that change while the product runs: a default ships with the code, a row of the tenant overrides it.

Each process looks at the row again once its copy is older than MAX_AGE, so a change reaches all of them within
seconds, without Redis.
"""

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from core.platform.audit import AuditRepo
from core.platform.db import Database, Repo, UnitOfWork
from core.platform.errors import BadInput, NotFound
from core.platform.ids import TenantId

MAX_AGE = 2.0  # seconds

PolicyT = TypeVar("PolicyT", bound=BaseModel)


class PolicyRepo(Repo):
    async def get(self, tenant_id: TenantId, name: str) -> dict[str, Any] | None:
        value: dict[str, Any] | None = await self._db.fetchval(GET, tenant_id, name)
        return value

    async def set_(self, tenant_id: TenantId, name: str, value: Mapping[str, Any], by: str, now: datetime) -> int:
        """Returns the new version, from 1."""
        return int(await self._db.fetchval(SET, tenant_id, name, dict(value), by, now))

    async def delete(self, tenant_id: TenantId, name: str) -> None:
        await self._db.execute(DELETE, tenant_id, name)


GET = "SELECT value FROM policies WHERE tenant_id = $1 AND name = $2"
SET = """
INSERT INTO policies AS p (tenant_id, name, value, updated_by, updated_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, name) DO UPDATE
SET value = excluded.value, version = p.version + 1, updated_by = excluded.updated_by, updated_at = excluded.updated_at
RETURNING version
"""
DELETE = "DELETE FROM policies WHERE tenant_id = $1 AND name = $2"


class Policies:
    """`defaults`: name → the frozen model that holds it, filled from the files of config/policies."""

    def __init__(self, database: Database, defaults: Mapping[str, BaseModel]) -> None:
        self._database = database
        self._defaults = defaults
        self._copies: dict[tuple[TenantId, str], tuple[float, BaseModel]] = {}

    @property
    def names(self) -> list[str]:
        return sorted(self._defaults)

    async def get(self, tenant_id: TenantId, model: type[PolicyT]) -> PolicyT:
        """The policy as it is now, at most MAX_AGE seconds old."""
        name = next(n for n, default in self._defaults.items() if type(default) is model)
        value = await self.read(tenant_id, name)
        assert isinstance(value, model)  # noqa: S101 - found by its type a line above
        return value

    async def get_within(self, uow: UnitOfWork, model: type[PolicyT]) -> PolicyT:
        """The policy as this transaction sees it; takes no second connection."""
        name = next(n for n, default in self._defaults.items() if type(default) is model)
        value = self._merge(name, await PolicyRepo(uow.db).get(uow.tenant_id, name) or {})
        assert isinstance(value, model)  # noqa: S101 - found by its type a line above
        return value

    async def read(self, tenant_id: TenantId, name: str) -> BaseModel:
        default = self._default(name)
        read_at, value = self._copies.get((tenant_id, name), (0.0, default))
        if time.monotonic() - read_at < MAX_AGE and read_at:
            return value
        async with self._database.uow(tenant_id) as uow:
            stored = await PolicyRepo(uow.db).get(tenant_id, name)
        value = self._merge(name, stored or {})
        self._copies[tenant_id, name] = (time.monotonic(), value)
        return value

    async def change(
        self, tenant_id: TenantId, name: str, changes: Mapping[str, Any], by: str, now: datetime
    ) -> BaseModel:
        """Validates, stores and audits; raises BadInput for a name or value that the policy does not know."""
        async with self._database.uow(tenant_id) as uow:
            policies = PolicyRepo(uow.db)
            stored = {**(await policies.get(tenant_id, name) or {}), **changes}
            value = self._merge(name, stored)
            version = await policies.set_(tenant_id, name, stored, by, now)
            await AuditRepo(uow.db).add(tenant_id, by, "policy.change", f"policy:{name}", {"version": version})
        self._copies.pop((tenant_id, name), None)
        return value

    def _default(self, name: str) -> BaseModel:
        try:
            return self._defaults[name]
        except KeyError as error:
            raise NotFound(f"There is no policy «{name}»: choose one of {', '.join(self.names)}.") from error

    def _merge(self, name: str, stored: Mapping[str, Any]) -> BaseModel:
        default = self._default(name)
        unknown = set(stored) - set(type(default).model_fields)
        if unknown:
            raise BadInput(f"Policy «{name}» has no field {', '.join(sorted(unknown))}.")
        try:
            return type(default).model_validate({**default.model_dump(), **stored})
        except ValidationError as error:
            first = error.errors()[0]
            reason = first["msg"].removeprefix("Value error, ")
            raise BadInput(f"Policy «{name}», field {'.'.join(map(str, first['loc']))}: {reason}.") from error
