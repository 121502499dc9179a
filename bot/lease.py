"""Which process works for a bot: a lease in Postgres, so that two of them never handle one bot's updates at once."""

from datetime import timedelta
from time import monotonic

import structlog

from core.platform.clock import Clock
from core.platform.db import Database
from core.platform.ids import Holder, TenantId
from core.platform.leases import Lease, LeaseRepo

LIFETIME = timedelta(seconds=30)
RENEW_SECONDS = 8.0
SAFETY_SECONDS = 5.0  # ends for its holder before it ends for others

log = structlog.get_logger(__name__)


class BotLease:
    """Held while `renew` gets through; a process that cannot reach Postgres stops before another one begins."""

    def __init__(self, database: Database, tenant_id: TenantId, bot_id: int, holder: Holder, clock: Clock) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._name = f"bot:{bot_id}"
        self._holder = holder
        self._clock = clock
        self._held_until = 0.0
        self._lease: Lease | None = None

    @property
    def is_held(self) -> bool:
        return monotonic() < self._held_until

    async def renew(self) -> int:
        started = monotonic()
        async with self._database.uow(self._tenant_id) as uow:
            lease = await LeaseRepo(uow.db).acquire(self._tenant_id, self._name, self._holder, self._clock(), LIFETIME)
        if lease is None:
            log.info("bot.waiting", reason="another process works for this bot")
        else:
            self._held_until = started + LIFETIME.total_seconds() - SAFETY_SECONDS
        self._lease = lease
        return 0

    async def release(self) -> None:
        """So that the next process need not wait."""
        self._held_until = 0.0
        if self._lease is not None:
            async with self._database.uow(self._tenant_id) as uow:
                await LeaseRepo(uow.db).release(self._tenant_id, self._lease)
