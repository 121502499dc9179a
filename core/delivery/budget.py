"""How often may we knock: one budget per account, per chat and per group, kept in Redis and shared by all processes.

Sliding windows of the last requests. When Redis has forgotten them they are rebuilt from the ledger, after a pause in
which requests that were granted before, but not yet written down, have begun.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from redis.asyncio import Redis

from core.delivery.adapter import Limits
from core.delivery.repo import LedgerRepo
from core.platform.clock import Clock
from core.platform.db import Database
from core.platform.ids import TenantId

SETTLING_SECONDS = 1.0
REBUILDER_SECONDS = 10
# KEYS: marker, then windows. ARGV: attempt, then number and milliseconds of each window.
# Returns -1 when the windows are unknown, 0 when granted, else milliseconds to wait.
TAKE = """
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local wait = 0
for i = 2, #KEYS do
  local number, span = tonumber(ARGV[i * 2 - 2]), tonumber(ARGV[i * 2 - 1])
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', now - span)
  if redis.call('ZCARD', KEYS[i]) >= number then
    local oldest = redis.call('ZRANGE', KEYS[i], 0, 0, 'WITHSCORES')
    wait = math.max(wait, tonumber(oldest[2]) + span - now + 1)
  end
end
if wait > 0 then return wait end
for i = 2, #KEYS do
  redis.call('ZADD', KEYS[i], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[i * 2 - 1])
end
return 0
"""
# KEYS: windows. ARGV: attempt, then milliseconds of each window.
RENEW = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
for i = 1, #KEYS do
  redis.call('ZADD', KEYS[i], 'XX', now, ARGV[1])
  redis.call('PEXPIRE', KEYS[i], ARGV[i + 1])
end
"""


class Window(NamedTuple):
    """A limit and the key that counts for it."""

    key: str
    limits: Limits


class Budget:
    """The budget of one account of one tenant."""

    def __init__(self, redis: "Redis", database: Database, tenant_id: TenantId, account: str, clock: Clock) -> None:
        self._redis = redis
        self._database = database
        self._tenant_id = tenant_id
        self._account = account
        self._clock = clock
        self._prefix = f"parley:{tenant_id}:budget:{account}"
        self._take = redis.register_script(TAKE)
        self._renew = redis.register_script(RENEW)

    def windows(self, destination: str, account: Limits, chat: Limits, group: Limits | None) -> list[Window]:
        """All the windows that a message to `destination` counts in; `group` None for a private chat."""
        found = [Window(self._prefix, account), Window(f"{self._prefix}:{destination}:chat", chat)]
        return found if group is None else [*found, Window(f"{self._prefix}:{destination}:group", group)]

    async def take(self, attempt: str, windows: Sequence[Window]) -> float:
        """0 when granted, else the seconds to wait. `attempt` names the request, so that it is counted once."""
        arguments: list[Any] = [attempt]
        for window in windows:
            arguments += [window.limits.number, int(window.limits.seconds * 1000)]
        keys = [f"{self._prefix}:known", *(window.key for window in windows)]
        answer = int(await self._take(keys=keys, args=arguments))
        if answer >= 0:
            return answer / 1000
        await self._rebuild(windows)
        return 0.05

    async def renew(self, attempt: str, windows: Sequence[Window]) -> None:
        """Counts the request from its answer on: the service counts from its arrival, which nobody here can see."""
        spans = [int(window.limits.seconds * 1000) for window in windows]
        await self._renew(keys=[window.key for window in windows], args=[attempt, *spans])

    async def _rebuild(self, windows: Sequence[Window]) -> None:
        """One process rebuilds, the others come back later."""
        if not await self._redis.set(f"{self._prefix}:rebuilding", "1", nx=True, ex=REBUILDER_SECONDS):
            await asyncio.sleep(0.1)
            return
        await asyncio.sleep(SETTLING_SECONDS)
        longest = max(60.0, *(window.limits.seconds for window in windows))
        async with self._database.uow(self._tenant_id) as uow:
            since = self._clock() - timedelta(seconds=longest)
            begun = await LedgerRepo(uow.db).list_begun(self._tenant_id, self._account, since)
        async with self._redis.pipeline(transaction=True) as pipe:
            for attempt, destination, at in begun:
                for key in (self._prefix, f"{self._prefix}:{destination}:chat", f"{self._prefix}:{destination}:group"):
                    pipe.zadd(key, {attempt: _milliseconds(at)})
                    pipe.expire(key, int(longest) + 1)
            pipe.set(f"{self._prefix}:known", "1")
            pipe.delete(f"{self._prefix}:rebuilding")
            await pipe.execute()


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
