"""SQL of the bot's front door: updates, people's choices, invitations."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, NewType

from core.access.model import Role
from core.platform.db import Repo
from core.platform.ids import TenantId

UpdateRow = NewType("UpdateRow", int)


class StoredUpdate(NamedTuple):
    """`chat_key` orders: updates with the same key are handled one after the other."""

    id: UpdateRow
    bot_id: int
    update_id: int
    chat_key: str
    payload: dict[str, Any]
    attempts: int


class UpdateRepo(Repo):
    async def add_all(
        self, tenant_id: TenantId, bot_id: int, updates: Sequence[tuple[int, str, dict[str, Any]]]
    ) -> int:
        """(update_id, chat key, raw update) each; returns how many were new."""
        ids, keys, payloads = zip(*updates, strict=True)
        status = await self._db.execute(ADD_ALL, tenant_id, bot_id, list(ids), list(keys), list(payloads))
        return int(status.split()[-1])

    async def list_pending(
        self, tenant_id: TenantId, bot_id: int, held: Sequence[UpdateRow], limit: int
    ) -> list[StoredUpdate]:
        """In the order of arrival, without those that are `held` already: rows become visible in any order."""
        return [StoredUpdate(*row) for row in await self._db.fetch(LIST_PENDING, tenant_id, bot_id, held, limit)]

    async def mark_done(self, tenant_id: TenantId, row: UpdateRow, now: datetime) -> bool:
        """False when it has been done before: then its effect must not happen again."""
        return await self._db.fetchval(MARK_DONE, tenant_id, row, now) is not None

    async def mark_failed(
        self, tenant_id: TenantId, row: UpdateRow, error: str, max_attempts: int, now: datetime
    ) -> str:
        """Counts a try; "parked" after the last one, where a person sees it."""
        return str(await self._db.fetchval(MARK_FAILED, tenant_id, row, error[:500], max_attempts, now))

    async def count_pending(self, tenant_id: TenantId) -> int:
        return int(await self._db.fetchval(COUNT_PENDING, tenant_id))

    async def delete_settled(self, tenant_id: TenantId, before: datetime) -> int:
        """Update ids start anew after a quiet week, so what was settled longer ago must not block them."""
        return int((await self._db.execute(DELETE_SETTLED, tenant_id, before)).split()[-1])


class PeopleRepo(Repo):
    async def get_language(self, tenant_id: TenantId, user_id: int) -> str | None:
        language: str | None = await self._db.fetchval(GET_LANGUAGE, tenant_id, user_id)
        return language

    async def set_language(self, tenant_id: TenantId, user_id: int, language: str) -> None:
        await self._db.execute(SET_LANGUAGE, tenant_id, user_id, language)


class InviteRepo(Repo):
    async def add(self, tenant_id: TenantId, token_hash: bytes, role: Role, expires_at: datetime) -> None:
        await self._db.execute(ADD_INVITE, tenant_id, token_hash, role, expires_at)

    async def use(self, tenant_id: TenantId, token_hash: bytes, user_id: int, now: datetime) -> Role | None:
        """The role it gives, once; None when it is unknown, used or too old."""
        role = await self._db.fetchval(USE_INVITE, tenant_id, token_hash, user_id, now)
        return Role(role) if role else None


ADD_ALL = """
INSERT INTO bot_updates (tenant_id, bot_id, update_id, chat_key, payload)
SELECT $1, $2, u.* FROM unnest($3::bigint[], $4::text[], $5::jsonb[]) AS u (update_id, chat_key, payload)
ORDER BY u.update_id ON CONFLICT (tenant_id, bot_id, update_id) DO NOTHING
"""
LIST_PENDING = """
SELECT id, bot_id, update_id, chat_key, payload, attempts FROM bot_updates
WHERE tenant_id = $1 AND bot_id = $2 AND state = 'pending' AND id <> ALL ($3::bigint[]) ORDER BY id LIMIT $4
"""
MARK_DONE = """
UPDATE bot_updates SET state = 'done', settled_at = $3, payload = '{}'
WHERE tenant_id = $1 AND id = $2 AND state = 'pending' RETURNING id
"""
MARK_FAILED = """
UPDATE bot_updates SET attempts = attempts + 1, error = $3,
    state = CASE WHEN attempts + 1 >= $4 THEN 'parked' ELSE state END,
    settled_at = CASE WHEN attempts + 1 >= $4 THEN $5::timestamptz END
WHERE tenant_id = $1 AND id = $2 AND state = 'pending' RETURNING state
"""
COUNT_PENDING = "SELECT count(*) FROM bot_updates WHERE tenant_id = $1 AND state = 'pending'"
DELETE_SETTLED = "DELETE FROM bot_updates WHERE tenant_id = $1 AND state <> 'pending' AND settled_at < $2"
GET_LANGUAGE = "SELECT language FROM bot_people WHERE tenant_id = $1 AND telegram_user_id = $2"
SET_LANGUAGE = """
INSERT INTO bot_people (tenant_id, telegram_user_id, language) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, telegram_user_id) DO UPDATE SET language = excluded.language
"""
ADD_INVITE = "INSERT INTO invites (tenant_id, token_hash, role, expires_at) VALUES ($1, $2, $3, $4)"
USE_INVITE = """
UPDATE invites SET used_at = $4, used_by = $3
WHERE tenant_id = $1 AND token_hash = $2 AND used_at IS NULL AND expires_at > $4 RETURNING role
"""
