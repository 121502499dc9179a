"""The one door through which every source's batches enter the store: rows, cursor and events in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from core.interactions.conversation_repo import SourceRepo
from core.interactions.model import Channel, ConversationId, Incoming, SourceId, Thread, number_of
from core.interactions.service import BatchResult, delete_messages, store_batch
from core.platform import metrics
from core.platform.clock import Clock
from core.platform.db import Database, UnitOfWork
from core.platform.errors import AppError
from core.platform.ids import ProjectId, TenantId

BATCH = 500  # interactions in one transaction
TRIES = 5


class Origin(NamedTuple):
    """Where a sink's batches come from."""

    tenant_id: TenantId
    project_id: ProjectId
    source_id: SourceId


class Sink:
    """Idempotent: the same batch twice, in pieces, in another order or from two processes gives the same rows."""

    def __init__(self, database: Database, origin: Origin, clock: Clock) -> None:
        self._database = database
        self._origin = origin
        self._clock = clock
        self._batches = 0

    async def write(self, batch: Sequence[Incoming], observed_at: datetime) -> BatchResult:
        """`observed_at`: when the source saw the batch; it decides what carries no time of its own.

        Raises AppError when the database cannot take the batch; nothing of it is stored then.
        """
        with metrics.SINK_SECONDS.time():
            result = await self._retrying(batch, observed_at)
        await self._keep_statistics()
        channel = str(batch[0].thread.channel) if batch else "none"
        for outcome in ("inserted", "updated", "unchanged"):
            metrics.INTERACTIONS_STORED.labels(channel, outcome).inc(getattr(result, outcome))
        return result

    async def delete(self, channel: Channel, id_space: str, external_ids: Sequence[str], at: datetime) -> int:
        """Tombstones; messages that were never seen are remembered, should they still come."""
        async with self._database.uow(self._origin.tenant_id) as uow:
            return await delete_messages(uow, channel, id_space, external_ids, at, self._clock())

    async def _retrying(self, batch: Sequence[Incoming], observed_at: datetime) -> BatchResult:
        retrying = AsyncRetrying(
            retry=retry_if_exception_type((asyncpg.DeadlockDetectedError, asyncpg.SerializationError)),
            stop=stop_after_attempt(TRIES),
            wait=wait_random_exponential(multiplier=0.05, max=2),
            reraise=True,
        )
        try:
            return await retrying(self._write_once, batch, observed_at)
        except (asyncpg.DiskFullError, asyncpg.InsufficientResourcesError) as error:
            raise AppError(
                f"The database has no room left ({error}): free some disk space and run this again."
            ) from error

    async def _keep_statistics(self) -> None:
        """After batches 1, 2, 4, 8, …: as often as the tables can have doubled."""
        self._batches += 1
        if self._batches.bit_count() == 1:
            async with self._database.uow(self._origin.tenant_id) as uow:
                await SourceRepo(uow.db).refresh_statistics()

    async def _write_once(self, batch: Sequence[Incoming], observed_at: datetime) -> BatchResult:
        async with self._database.uow(self._origin.tenant_id) as uow:
            result = await store_batch(uow, self._origin.project_id, batch, observed_at, self._clock())
            await self._advance(uow, batch, result.conversations, observed_at)
        return result

    async def _advance(
        self, uow: UnitOfWork, batch: Sequence[Incoming], ids: Mapping[Thread, ConversationId], observed_at: datetime
    ) -> None:
        spaces: dict[ConversationId, str] = {}
        newest: dict[ConversationId, int | None] = {}
        for told in batch:
            conversation_id = ids[told.thread]
            spaces[conversation_id] = told.id_space
            newest[conversation_id] = _greatest(newest.get(conversation_id), number_of(told.external_id))
        order = sorted(spaces)
        await SourceRepo(uow.db).advance(
            uow.tenant_id,
            self._origin.source_id,
            order,
            [spaces[i] for i in order],
            [newest[i] for i in order],
            observed_at,
        )


def _greatest(a: int | None, b: int | None) -> int | None:
    return a if b is None else b if a is None else max(a, b)
