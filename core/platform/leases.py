"""Who may act for a name until when. The fence grows with each holder: a write with an old one is refused."""

from datetime import datetime, timedelta
from typing import NamedTuple

from core.platform.db import Repo
from core.platform.ids import Holder, TenantId


class Lease(NamedTuple):
    name: str
    holder: Holder
    fence: int
    expires_at: datetime


class LeaseRepo(Repo):
    async def acquire(
        self, tenant_id: TenantId, name: str, holder: Holder, now: datetime, lifetime: timedelta
    ) -> Lease | None:
        """None while somebody else holds it. The holder itself renews and keeps its fence."""
        row = await self._db.fetchrow(ACQUIRE, tenant_id, name, holder, now, now + lifetime)
        return Lease(name, holder, row["fence"], row["expires_at"]) if row else None

    async def release(self, tenant_id: TenantId, lease: Lease) -> None:
        await self._db.execute(RELEASE, tenant_id, lease.name, lease.holder, lease.fence)

    async def check(self, tenant_id: TenantId, lease: Lease, now: datetime) -> bool:
        """Locks the lease for this transaction: True means that its writes are still ours to make."""
        return await self._db.fetchval(CHECK, tenant_id, lease.name, lease.fence, now) is not None


ACQUIRE = """
INSERT INTO leases AS l (tenant_id, name, holder, fence, expires_at) VALUES ($1, $2, $3, 1, $5)
ON CONFLICT (tenant_id, name) DO UPDATE
SET holder = excluded.holder, expires_at = excluded.expires_at,
    fence = l.fence + (CASE WHEN l.holder = excluded.holder AND l.expires_at > $4 THEN 0 ELSE 1 END)
WHERE l.holder = excluded.holder OR l.expires_at <= $4
RETURNING fence, expires_at
"""
# The row stays, expired: a deleted lease would start its fence at 1 again.
RELEASE = "UPDATE leases SET expires_at = '-infinity' WHERE tenant_id = $1 AND name = $2 AND holder = $3 AND fence = $4"
CHECK = "SELECT fence FROM leases WHERE tenant_id = $1 AND name = $2 AND fence = $3 AND expires_at > $4 FOR UPDATE"
