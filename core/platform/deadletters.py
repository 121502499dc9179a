"""Dead ends that a person should see: poisonous events, jobs that gave up."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from core.platform.db import Repo
from core.platform.ids import TenantId

ERROR_CHARS = 500


class DeadLetter(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: int
    origin: str
    kind: str
    row_id: int
    error: str
    attempts: int
    created_at: datetime


class DeadLetterRepo(Repo):
    async def add(
        self, tenant_id: TenantId, origin: str, kind: str, row_id: int, error: str, attempts: int, now: datetime
    ) -> None:
        """One open letter for each (origin, kind, row): a second failure refreshes it."""
        await self._db.execute(ADD, tenant_id, origin, kind, row_id, error[:ERROR_CHARS], attempts, now)

    async def get_open(self, tenant_id: TenantId, letter_id: int) -> DeadLetter | None:
        row = await self._db.fetchrow(GET_OPEN, tenant_id, letter_id)
        return DeadLetter.model_validate(dict(row)) if row else None

    async def list_open(self, tenant_id: TenantId, limit: int = 100) -> list[DeadLetter]:
        return [DeadLetter.model_validate(dict(row)) for row in await self._db.fetch(LIST_OPEN, tenant_id, limit)]

    async def count_open(self, tenant_id: TenantId) -> int:
        return int(await self._db.fetchval(COUNT_OPEN, tenant_id))

    async def mark_resolved(self, tenant_id: TenantId, letter_id: int, now: datetime) -> None:
        await self._db.execute(MARK_RESOLVED, tenant_id, letter_id, now)


COLUMNS = "id, origin, kind, row_id, error, attempts, created_at"
ADD = """
INSERT INTO dead_letters (tenant_id, origin, kind, row_id, error, attempts, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant_id, origin, kind, row_id) WHERE resolved_at IS NULL
DO UPDATE SET error = excluded.error, attempts = excluded.attempts
"""
GET_OPEN = f"SELECT {COLUMNS} FROM dead_letters WHERE tenant_id = $1 AND id = $2 AND resolved_at IS NULL"
LIST_OPEN = f"SELECT {COLUMNS} FROM dead_letters WHERE tenant_id = $1 AND resolved_at IS NULL ORDER BY id LIMIT $2"
COUNT_OPEN = "SELECT count(*) FROM dead_letters WHERE tenant_id = $1 AND resolved_at IS NULL"
MARK_RESOLVED = "UPDATE dead_letters SET resolved_at = $3 WHERE tenant_id = $1 AND id = $2"
