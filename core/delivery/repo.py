"""SQL of the ledger. The rows of a lane go out one by one, in the order they were ordered for."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from core.delivery.model import Delivery, DeliveryId, Lane, Outcome, Outgoing, State
from core.platform import correlation
from core.platform.db import Repo
from core.platform.due import DueKind, DueRepo
from core.platform.ids import Holder, TenantId


class LedgerRepo(Repo):
    async def add(self, tenant_id: TenantId, outgoing: Outgoing, random_ids: Sequence[int]) -> list[DeliveryId]:
        """Rows of the parts that are new; a part that was ordered before stays as it is."""
        parts = outgoing.parts
        columns = (
            list(range(len(parts))),
            [part.body.model_dump(mode="json") for part in parts],
            [part.verdict.body_hash for part in parts],
            [part.verdict.check for part in parts],
            [part.verdict.policy_version for part in parts],
            list(random_ids),
        )
        where = (tenant_id, outgoing.account, outgoing.destination, outgoing.origin, outgoing.due_at)
        row = await self._db.fetchrow(ADD, *where, correlation.current(), *columns)
        if row is None or row["lane_id"] is None:  # somebody made this lane at the same moment: it is there now
            await self._db.fetchval(ADD_LANE, tenant_id, outgoing.account, outgoing.destination)
            row = await self._db.fetchrow(ADD, *where, correlation.current(), *columns)
        return [DeliveryId(found) for found in row["ids"]] if row else []

    async def get(self, tenant_id: TenantId, delivery_id: DeliveryId) -> Delivery | None:
        row = await self._db.fetchrow(GET, tenant_id, delivery_id)
        return _delivery(row) if row else None

    async def list_lanes(self, tenant_id: TenantId, ids: Sequence[int]) -> list[Lane]:
        return [Lane.model_validate(dict(row)) for row in await self._db.fetch(LIST_LANES, tenant_id, ids)]

    async def get_head(self, lane: Lane, now: datetime) -> Delivery | None:
        """The row whose turn it is: the first that is due, unless it is under way, or waits to be tried again."""
        row = await self._db.fetchrow(GET_HEAD, lane.tenant_id, lane.id, now)
        return _delivery(row) if row else None

    async def list_lapsed(self, lane: Lane, now: datetime) -> list[Delivery]:
        """Rows whose sender died, or has not come back, since it began."""
        return [_delivery(row) for row in await self._db.fetch(LIST_LAPSED, lane.tenant_id, lane.id, now)]

    async def list_to_find(self, lane: Lane, now: datetime) -> list[Delivery]:
        """Unknown rows for which the service's history should be asked now."""
        return [_delivery(row) for row in await self._db.fetch(LIST_TO_FIND, lane.tenant_id, lane.id, now)]

    async def list_remote_ids(self, lane: Lane, since: datetime) -> frozenset[str]:
        """Messages at the service that settle some row of the lane already."""
        rows = await self._db.fetch(LIST_REMOTE_IDS, lane.tenant_id, lane.id, since)
        return frozenset(row["remote_id"] for row in rows)

    async def begin(
        self, lane: Lane, delivery_id: DeliveryId, holder: Holder, now: datetime, lease_until: datetime
    ) -> Delivery | None:
        """Marks the row as being sent, before its request. None when its turn has gone: one at a time in a lane."""
        await self._db.execute(LOCK_LANE, lane.tenant_id, lane.id)
        row = await self._db.fetchrow(BEGIN, lane.tenant_id, delivery_id, holder, now, lease_until, lane.id)
        if row is not None:
            await DueRepo(self._db).add(lane.tenant_id, DueKind.LANE, [lane.id], lease_until)
        return _delivery(row) if row else None

    async def settle(self, delivery: Delivery, outcome: Outcome, due_at: datetime | None, now: datetime) -> bool:
        """Records how the attempt ended; `due_at` None: nothing more to do by itself.

        False when somebody else has settled this attempt, or begun another one.
        """
        settled = await self._db.fetchval(
            SETTLE,
            delivery.tenant_id,
            delivery.id,
            delivery.fence,
            outcome.state,
            outcome.remote_id,
            outcome.error_code,
            outcome.error,
            due_at,
            now,
        )
        return settled is not None

    async def reschedule(self, lane: Lane, now: datetime) -> datetime | None:
        """When the lane must be looked at next; None when it is empty. Writes its `due` row."""
        await self._db.execute(LOCK_LANE, lane.tenant_id, lane.id)
        due_at: datetime | None = await self._db.fetchval(NEXT_LOOK, lane.tenant_id, lane.id, now)
        if due_at is None:
            await DueRepo(self._db).delete(lane.tenant_id, DueKind.LANE, [lane.id])
        else:
            await DueRepo(self._db).add(lane.tenant_id, DueKind.LANE, [lane.id], due_at)
        return due_at

    async def move(self, lane: Lane, destination: str, now: datetime) -> None:
        """The chat has a new id: what still waits joins the lane of that id."""
        target = await self._db.fetchval(ADD_LANE, lane.tenant_id, lane.account, destination)
        await self._db.execute(MOVE, lane.tenant_id, lane.id, target)
        await self._db.execute(HASTEN_LANE, lane.tenant_id, target, now)

    async def cancel_rest(self, delivery: Delivery, now: datetime) -> None:
        """Later parts of a message whose part failed would make no sense alone."""
        await self._db.execute(CANCEL_REST, delivery.tenant_id, delivery.origin, delivery.part, now)

    async def cancel(self, tenant_id: TenantId, origin: str, now: datetime) -> int:
        """Cancels the parts of a message that are not being sent yet; returns how many."""
        return int((await self._db.execute(CANCEL, tenant_id, origin, now)).split()[-1])

    async def decide(self, tenant_id: TenantId, delivery_id: DeliveryId, state: State, by: str, now: datetime) -> bool:
        """A person's word on a row that waits for one: QUEUED sends it again, SENT or CANCELLED closes it."""
        lane_id = await self._db.fetchval(DECIDE, tenant_id, delivery_id, state, f"decided by {by}", now)
        if lane_id is not None:
            await self._db.execute(HASTEN_LANE, tenant_id, lane_id, now)
        return lane_id is not None

    async def mark_rejected(self, lane: Lane, remote_id: str, reason: str, now: datetime) -> bool:
        """The service took the message back after it had accepted it."""
        return await self._db.fetchval(MARK_REJECTED, lane.tenant_id, lane.id, remote_id, reason, now) is not None

    async def list_waiting(self, tenant_id: TenantId, limit: int = 100) -> list[Delivery]:
        """What a person must look at: unknown, failed, rejected."""
        return [_delivery(row) for row in await self._db.fetch(LIST_WAITING, tenant_id, limit)]

    async def count_by_state(self, tenant_id: TenantId) -> dict[str, int]:
        return {row["state"]: row["number"] for row in await self._db.fetch(COUNT_BY_STATE, tenant_id)}

    async def list_begun(self, tenant_id: TenantId, account: str, since: datetime) -> list[tuple[str, str, datetime]]:
        """(attempt, destination, when) of the requests that a budget must remember."""
        rows = await self._db.fetch(LIST_BEGUN, tenant_id, account, since)
        return [(f"{row['id']}:{row['fence']}", row["destination"], row["begun_at"]) for row in rows]


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery.model_validate(dict(row))


COLUMNS = """d.tenant_id, d.id, d.lane_id, d.origin, d.part, l.account, l.destination, d.body, d.body_hash, d.state,
    d.due_at, d.attempts, d.fence, d.random_id, d.remote_id, d.error_code, d.error,
    d.begun_at, d.correlation_id"""
WITH_LANE = "deliveries d JOIN delivery_lanes l ON l.tenant_id = d.tenant_id AND l.id = d.lane_id"
# A part waits for the settlement of the earlier parts of its message; other messages pass it by.
UNBLOCKED = """NOT EXISTS (
    SELECT FROM deliveries e
    WHERE e.tenant_id = d.tenant_id AND e.origin = d.origin AND e.part < d.part AND e.state = 'unknown')"""
ADD_LANE = """
INSERT INTO delivery_lanes (tenant_id, account, destination) VALUES ($1, $2, $3)
ON CONFLICT (tenant_id, account, destination) DO UPDATE SET account = excluded.account RETURNING id
"""
# One round trip: the lane is found or made, the parts join it, the lane is due when the first of them is.
ADD = """
WITH known AS (
    SELECT id FROM delivery_lanes WHERE tenant_id = $1 AND account = $2 AND destination = $3
), made AS (
    INSERT INTO delivery_lanes (tenant_id, account, destination)
    SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT FROM known) ON CONFLICT DO NOTHING RETURNING id
), lane AS (
    SELECT id FROM known UNION ALL SELECT id FROM made
), added AS (
    INSERT INTO deliveries (tenant_id, lane_id, origin, order_at, due_at, correlation_id, part, body, body_hash,
        check_kind, policy_version, random_id)
    SELECT $1, lane.id, $4, $5, $5, $6, p.*
    FROM lane, unnest($7::int[], $8::jsonb[], $9::bytea[], $10::text[], $11::text[], $12::bigint[])
        AS p (part, body, body_hash, check_kind, policy_version, random_id)
    ORDER BY p.part
    ON CONFLICT (tenant_id, origin, part) DO NOTHING RETURNING id, lane_id
), hastened AS (
    INSERT INTO due AS d (tenant_id, kind, row_id, due_at) SELECT $1, 'lane', lane_id, $5 FROM added LIMIT 1
    ON CONFLICT (tenant_id, kind, row_id) DO UPDATE SET due_at = least(d.due_at, excluded.due_at)
)
SELECT (SELECT id FROM lane) AS lane_id, array(SELECT id FROM added ORDER BY id) AS ids
"""
HASTEN_LANE = """
INSERT INTO due AS d (tenant_id, kind, row_id, due_at) VALUES ($1, 'lane', $2, $3)
ON CONFLICT (tenant_id, kind, row_id) DO UPDATE SET due_at = least(d.due_at, excluded.due_at)
"""
GET = f"SELECT {COLUMNS} FROM {WITH_LANE} WHERE d.tenant_id = $1 AND d.id = $2"
LIST_LANES = (
    "SELECT tenant_id, id, account, destination FROM delivery_lanes WHERE tenant_id = $1 AND id = ANY($2::bigint[])"
)
# Whatever stands first holds the lane, also when it is under way or to be tried again later: order is kept.
GET_HEAD = f"""
SELECT * FROM (
    SELECT {COLUMNS} FROM {WITH_LANE}
    WHERE d.tenant_id = $1 AND d.lane_id = $2 AND d.state IN ('queued', 'sending') AND d.order_at <= $3 AND {UNBLOCKED}
    ORDER BY d.order_at, d.id LIMIT 1) h
WHERE h.state = 'queued' AND h.due_at <= $3
"""
LIST_LAPSED = f"""
SELECT {COLUMNS} FROM {WITH_LANE}
WHERE d.tenant_id = $1 AND d.lane_id = $2 AND d.state = 'sending' AND d.lease_until <= $3
"""
LIST_TO_FIND = f"""
SELECT {COLUMNS} FROM {WITH_LANE}
WHERE d.tenant_id = $1 AND d.lane_id = $2 AND d.state = 'unknown' AND d.due_at <= $3 ORDER BY d.id
"""
LIST_REMOTE_IDS = """
SELECT remote_id FROM deliveries WHERE tenant_id = $1 AND lane_id = $2 AND remote_id IS NOT NULL AND begun_at >= $3
"""
LOCK_LANE = "SELECT id FROM delivery_lanes WHERE tenant_id = $1 AND id = $2 FOR UPDATE"
BEGIN = f"""
WITH begun AS (
    UPDATE deliveries d
    SET state = 'sending', holder = $3, begun_at = $4, lease_until = $5, fence = fence + 1, attempts = attempts + 1
    WHERE d.tenant_id = $1 AND d.id = $2 AND d.lane_id = $6 AND d.state = 'queued' AND d.due_at <= $4
        AND NOT EXISTS (
            SELECT FROM deliveries o WHERE o.tenant_id = $1 AND o.lane_id = $6 AND o.state = 'sending')
    RETURNING d.*
)
SELECT {COLUMNS} FROM begun d JOIN delivery_lanes l ON l.tenant_id = d.tenant_id AND l.id = d.lane_id
"""
SETTLE = """
UPDATE deliveries
SET state = $4, remote_id = coalesce($5, remote_id), error_code = $6, error = $7,
    due_at = coalesce($8::timestamptz, 'infinity'::timestamptz), settled_at = $9, holder = NULL, lease_until = NULL
WHERE tenant_id = $1 AND id = $2 AND fence = $3 AND state IN ('sending', 'unknown') RETURNING id
"""
NEXT_LOOK = f"""
SELECT least(
    (SELECT CASE d.state WHEN 'sending' THEN d.lease_until ELSE d.due_at END FROM deliveries d
     WHERE d.tenant_id = $1 AND d.lane_id = $2 AND d.state IN ('queued', 'sending') AND d.order_at <= $3
         AND {UNBLOCKED}
     ORDER BY d.order_at, d.id LIMIT 1),
    (SELECT min(d.order_at) FROM deliveries d
     WHERE d.tenant_id = $1 AND d.lane_id = $2 AND d.state = 'queued' AND d.order_at > $3),
    (SELECT min(d.due_at) FROM deliveries d
     WHERE d.tenant_id = $1 AND d.lane_id = $2 AND d.state = 'unknown' AND d.due_at < 'infinity'))
"""
MOVE = "UPDATE deliveries SET lane_id = $3 WHERE tenant_id = $1 AND lane_id = $2 AND state = 'queued'"
CANCEL_REST = """
UPDATE deliveries SET state = 'cancelled', error = 'an earlier part failed', settled_at = $4
WHERE tenant_id = $1 AND origin = $2 AND part > $3 AND state = 'queued'
"""
CANCEL = """
UPDATE deliveries SET state = 'cancelled', settled_at = $3 WHERE tenant_id = $1 AND origin = $2 AND state = 'queued'
"""
DECIDE = """
UPDATE deliveries SET state = $3, error = $4, settled_at = $5, due_at = $5, fence = fence + 1
WHERE tenant_id = $1 AND id = $2 AND state IN ('unknown', 'failed', 'rejected') RETURNING lane_id
"""
MARK_REJECTED = """
UPDATE deliveries SET state = 'rejected', error = $4, settled_at = $5
WHERE tenant_id = $1 AND lane_id = $2 AND remote_id = $3 AND state = 'sent' RETURNING id
"""
LIST_WAITING = f"""
SELECT {COLUMNS} FROM {WITH_LANE}
WHERE d.tenant_id = $1 AND d.state IN ('unknown', 'failed', 'rejected') ORDER BY d.id LIMIT $2
"""
COUNT_BY_STATE = "SELECT state, count(*) AS number FROM deliveries WHERE tenant_id = $1 GROUP BY state ORDER BY state"
LIST_BEGUN = f"""
SELECT d.id, d.fence, l.destination, d.begun_at FROM {WITH_LANE}
WHERE d.tenant_id = $1 AND l.account = $2 AND d.begun_at > $3
"""
