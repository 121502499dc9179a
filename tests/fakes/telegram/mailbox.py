"""A bot's updates until it has confirmed them, and who may fetch them: one poller, or a webhook."""

import asyncio
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.platform.clock import Clock
from tests.fakes.telegram.errors import Refused, conflict

KEPT = timedelta(hours=24)
NOT_BY_DEFAULT = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
OTHER_POLLER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK_ACTIVE = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


@dataclass(frozen=True, slots=True)
class Update:
    id: int
    at: datetime
    kind: str
    body: dict[str, Any]

    def view(self) -> dict[str, Any]:
        return {"update_id": self.id, self.kind: self.body}


@dataclass(frozen=True, slots=True)
class Webhook:
    url: str
    secret: str | None
    max_connections: int = 40


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    at: datetime
    reason: str


class Mailbox:
    """Updates are numbered in order; they are kept for 24 hours of the world's time."""

    def __init__(self, clock: Clock, first_id: int) -> None:
        self._clock = clock
        self._next_id = first_id
        self._pending: deque[Update] = deque()
        self._waiting: asyncio.Future[None] | None = None
        self.polled = asyncio.Event()  # set while somebody waits for the next update
        self.allowed: frozenset[str] = frozenset()
        self.webhook: Webhook | None = None
        self.failure: DeliveryFailure | None = None

    def put(self, kind: str, body: dict[str, Any]) -> None:
        """Unless the bot has not asked for this kind."""
        if not self.wants(kind):
            return
        self._pending.append(Update(self._next_id, self._clock(), kind, body))
        self._next_id += 1
        self._wake(None)

    def wants(self, kind: str) -> bool:
        return kind in self.allowed if self.allowed else kind not in NOT_BY_DEFAULT

    def allow(self, kinds: Collection[str] | None) -> None:
        """None leaves the setting of earlier calls, an empty list brings back the default."""
        if kinds is not None:
            self.allowed = frozenset(kinds)

    @property
    def pending(self) -> list[Update]:
        oldest = self._clock() - KEPT
        while self._pending and self._pending[0].at < oldest:
            self._pending.popleft()
        return list(self._pending)

    def confirm(self, before: int) -> None:
        """Forgets updates with lower numbers; a negative offset keeps that many of the newest."""
        if before < 0:
            while len(self._pending) > -before:
                self._pending.popleft()
        while self._pending and self._pending[0].id < before:
            self._pending.popleft()

    def drop(self) -> None:
        self._pending.clear()

    def set_webhook(self, webhook: Webhook | None) -> None:
        if webhook is None and self.webhook is None:
            return
        self.webhook = webhook
        self.failure = None
        by = "setWebhook" if webhook else "deleteWebhook"
        self._wake(conflict(f"terminated by {by} request"))

    def failed(self, reason: str) -> None:
        """Notes what getWebhookInfo tells of the last delivery that was not taken."""
        self.failure = DeliveryFailure(self._clock(), reason)

    async def poll(self, offset: int, limit: int, seconds: float) -> list[Update]:
        """The long poll; whoever was polling is refused with 409."""
        if self.webhook:
            raise conflict(WEBHOOK_ACTIVE)
        self._wake(conflict(OTHER_POLLER))
        self.confirm(offset)
        if not self.pending and seconds > 0:
            await self._wait(seconds)
        return self.pending[:limit]

    async def first(self) -> Update:
        """For the courier: the oldest update, as soon as there is one. Raises Refused when the webhook changes."""
        while not self.pending:
            await self._wait(None)
        return self.pending[0]

    async def _wait(self, seconds: float | None) -> None:
        waiting = asyncio.get_running_loop().create_future()
        self._waiting = waiting
        self.polled.set()
        try:
            async with asyncio.timeout(seconds):
                await waiting
        except TimeoutError:
            return
        finally:
            if self._waiting is waiting:
                self._waiting = None
            if self._waiting is None:
                self.polled.clear()

    def _wake(self, refusal: Refused | None) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is None or waiting.done():
            return
        if refusal:
            waiting.set_exception(refusal)
        else:
            waiting.set_result(None)
