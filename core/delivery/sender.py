"""Sends what is due: one row at a time in a lane, many lanes at once, each attempt written down before and after.

A row is marked before its request. If its process dies between that mark and the record, nobody here can know whether
the service acted: the row becomes unknown, and history or a person settles it. It is never sent again blindly.
"""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import groupby

import structlog
from redis.asyncio import Redis

from core.delivery.adapter import Adapter
from core.delivery.budget import Budget, Window
from core.delivery.model import Delivery, Found, Lane, Outcome, State
from core.delivery.repo import LedgerRepo
from core.delivery.rules import FIND_AGAIN, LEASE_MARGIN, check_body, conclude, lease_of
from core.interactions.service import store_batch
from core.platform import metrics
from core.platform.clock import Clock
from core.platform.correlation import correlated
from core.platform.db import Database, UnitOfWork
from core.platform.due import DueKind, DueRepo
from core.platform.errors import BadInput
from core.platform.ids import Holder, TenantId

LANES_AT_ONCE = 64
SWEEP = 500
LONGEST_WAIT = 1.0  # seconds a lane may wait for its budget before it is put back

log = structlog.get_logger(__name__)


class Sender:
    """`adapters`: the services whose accounts this process owns."""

    def __init__(
        self, database: Database, redis: "Redis", adapters: Sequence[Adapter], holder: Holder, clock: Clock
    ) -> None:
        self._database = database
        self._redis = redis
        self._adapters = adapters
        self._holder = holder
        self._clock = clock
        self._serving: dict[tuple[TenantId, int], asyncio.Task[None]] = {}
        self._stopping = False
        self._budgets: dict[tuple[TenantId, str], Budget] = {}

    async def run_once(self) -> int:
        """Begins to serve the lanes that are due; returns how many. Raises what a lane's task raised."""
        self._collect()
        room = LANES_AT_ONCE - len(self._serving)
        if room <= 0:
            await asyncio.wait(self._serving.values(), return_when=asyncio.FIRST_COMPLETED)
            return 1
        async with self._database.sweep() as db:
            due = await DueRepo(db).list_due(DueKind.LANE, self._clock(), SWEEP)
        waiting = [row for row in due if (row.tenant_id, row.row_id) not in self._serving][:room]
        started = 0
        for tenant_id, rows in groupby(sorted(waiting), key=lambda row: row.tenant_id):
            started += await self._start(tenant_id, [row.row_id for row in rows])
        return started

    @property
    def is_busy(self) -> bool:
        return bool(self._serving)

    async def stop(self) -> None:
        """Lets the requests that are under way end; a cancelled one would be unknown."""
        self._stopping = True
        if self._serving:
            await asyncio.wait(self._serving.values())
        self._collect()

    def _collect(self) -> None:
        for key, task in list(self._serving.items()):
            if task.done():
                del self._serving[key]
                task.result()

    async def _start(self, tenant_id: TenantId, lane_ids: list[int]) -> int:
        async with self._database.uow(tenant_id) as uow:
            lanes = await LedgerRepo(uow.db).list_lanes(tenant_id, lane_ids)
        started = 0
        for lane in lanes:
            adapter = next((a for a in self._adapters if a.owns(lane.account)), None)
            if adapter is not None:
                self._serving[tenant_id, lane.id] = asyncio.create_task(self._serve(lane, adapter))
                started += 1
        return started

    async def _serve(self, lane: Lane, adapter: Adapter) -> None:
        """Until the lane has nothing more to do now."""
        while not self._stopping:
            head = await self._look(lane, adapter)
            if head is None or not await self._afford(lane, adapter, head):
                return
            begun = await self._begin(lane, adapter, head)
            if begun is not None:
                await self._attempt(lane, adapter, begun)

    async def _look(self, lane: Lane, adapter: Adapter) -> Delivery | None:
        """Settles what others left unsettled; gives the row whose turn it is, or puts the lane to rest."""
        now = self._clock()
        async with self._database.uow(lane.tenant_id) as uow:
            ledger = LedgerRepo(uow.db)
            for lapsed in await ledger.list_lapsed(lane, now):
                await self._settle(uow, lane, adapter, lapsed, Outcome(state=State.UNKNOWN, error="its sender died"))
            to_find = await ledger.list_to_find(lane, now)
        for delivery in to_find:
            await self._find(lane, adapter, delivery)
        async with self._database.uow(lane.tenant_id) as uow:
            head = await LedgerRepo(uow.db).get_head(lane, self._clock())
            if head is None:
                await LedgerRepo(uow.db).reschedule(lane, self._clock())
        return head

    async def _afford(self, lane: Lane, adapter: Adapter, head: Delivery) -> bool:
        """Waits a moment for the budget; True when this attempt may go, else the lane rests until it can."""
        budget, windows = self._budget(lane), self._windows(lane, adapter)
        while (wait := await budget.take(f"{head.id}:{head.fence + 1}", windows)) > 0:
            if wait > LONGEST_WAIT or self._stopping:
                async with self._database.uow(lane.tenant_id) as uow:
                    due_at = self._clock() + timedelta(seconds=wait)
                    await DueRepo(uow.db).add(lane.tenant_id, DueKind.LANE, [lane.id], due_at)
                return False
            await asyncio.sleep(wait)
        return True

    def _windows(self, lane: Lane, adapter: Adapter) -> list[Window]:
        limits = adapter.capabilities
        group = limits.group_limit if adapter.is_group(lane.destination) else None
        return self._budget(lane).windows(lane.destination, limits.account_limit, limits.chat_limit, group)

    def _budget(self, lane: Lane) -> Budget:
        key = (lane.tenant_id, lane.account)
        if key not in self._budgets:
            self._budgets[key] = Budget(self._redis, self._database, *key, self._clock)
        return self._budgets[key]

    async def _begin(self, lane: Lane, adapter: Adapter, head: Delivery) -> Delivery | None:
        now = self._clock()
        async with self._database.uow(lane.tenant_id) as uow:
            return await LedgerRepo(uow.db).begin(
                lane, head.id, self._holder, now, now + lease_of(adapter.capabilities)
            )

    async def _attempt(self, lane: Lane, adapter: Adapter, delivery: Delivery) -> None:
        with correlated(delivery.correlation_id), metrics.DELIVERY_SECONDS.time():
            outcome = await self._request(adapter, delivery)
        metrics.DELIVERIES.labels(outcome.state).inc()
        async with self._database.uow(lane.tenant_id) as uow:
            await self._settle(uow, lane, adapter, delivery, outcome)
        await self._budget(lane).renew(f"{delivery.id}:{delivery.fence}", self._windows(lane, adapter))

    async def _request(self, adapter: Adapter, delivery: Delivery) -> Outcome:
        """Exactly one request. What may have acted without an answer is unknown."""
        try:
            check_body(delivery)
        except BadInput as error:
            return Outcome(state=State.FAILED, error_code="unchecked", error=str(error))
        if delivery.begun_at is None or self._clock() > delivery.begun_at + LEASE_MARGIN:
            # This process slept since the mark: by the time of the answer the lease could have lapsed.
            return Outcome(state=State.QUEUED, error="began too late")
        try:
            async with asyncio.timeout(adapter.capabilities.deadline):
                return await adapter.send(delivery)
        except Exception as error:
            log.warning("delivery.unknown", error=type(error).__name__)
            return Outcome(state=State.UNKNOWN, error_code=type(error).__name__, error=str(error)[:200])

    async def _settle(
        self, uow: UnitOfWork, lane: Lane, adapter: Adapter, delivery: Delivery, outcome: Outcome
    ) -> None:
        now, ledger = self._clock(), LedgerRepo(uow.db)
        spread = random.uniform(-1, 1)  # noqa: S311 - spreads load, guards nothing
        outcome, due_at = conclude(delivery, outcome, adapter.capabilities, now, spread)
        if not await ledger.settle(delivery, outcome, due_at, now):
            log.warning("delivery.settled_elsewhere", state=outcome.state)
            return
        if outcome.state is State.SENT and outcome.remote_id is not None:
            await self._store_echo(uow, adapter, delivery, outcome.remote_id)
        if outcome.state is State.FAILED:
            await ledger.cancel_rest(delivery, now)
        if outcome.moved_to is not None:
            await ledger.move(lane, outcome.moved_to, now)

    async def _store_echo(self, uow: UnitOfWork, adapter: Adapter, delivery: Delivery, remote_id: str) -> None:
        now = self._clock()
        echo = adapter.echo(delivery, remote_id, now)
        if echo is not None:
            await store_batch(uow, echo.project_id, [echo.told], now, now)

    async def _find(self, lane: Lane, adapter: Adapter, delivery: Delivery) -> None:
        """Asks the service's history about an attempt whose deadline has passed."""
        since = (delivery.begun_at or self._clock()) - timedelta(minutes=1)
        async with self._database.uow(lane.tenant_id) as uow:
            taken = await LedgerRepo(uow.db).list_remote_ids(lane, since)
        found = await adapter.find(delivery, taken)
        async with self._database.uow(lane.tenant_id) as uow:
            if found.found is Found.CANNOT_TELL:
                again = self._clock() + FIND_AGAIN
                await LedgerRepo(uow.db).settle(delivery, Outcome(state=State.UNKNOWN), again, self._clock())
                return
            state = State.SENT if found.found is Found.YES else State.QUEUED
            await self._settle(uow, lane, adapter, delivery, Outcome(state=state, remote_id=found.remote_id))
