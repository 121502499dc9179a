"""Updates from Telegram: stored before they are confirmed, handled in order per chat, each with its effect once."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.repo import StoredUpdate, UpdateRepo
from core.delivery.model import Body, Outgoing, Part, Verdict
from core.delivery.service import order
from core.platform.clock import Clock
from core.platform.correlation import correlated
from core.platform.db import Database, UnitOfWork
from core.platform.deadletters import DeadLetterRepo
from core.platform.ids import TenantId

CHATS_AT_ONCE = 32
PAGE = 200
MAX_ATTEMPTS = 3
RETRY_SECONDS = 0.2
REMEMBERED = timedelta(days=7)
UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")  # PostgreSQL takes neither NUL nor half a surrogate pair
FIXED_TEXTS = "1"  # version of the check "fixed": the product's own texts

Buttons = tuple[tuple[tuple[str, str], ...], ...]

log = structlog.get_logger(__name__)


class Done(Exception):
    """The update's effect has happened before: whoever is handling it again stops here."""


class Turn:
    """One update's chance to have an effect. Handlers get it as `turn`."""

    def __init__(self, database: Database, tenant_id: TenantId, update: StoredUpdate, clock: Clock) -> None:
        self.tenant_id = tenant_id
        self.bot_id = update.bot_id
        self.is_spent = False
        self._database = database
        self._update = update
        self._clock = clock
        self._said = 0

    @asynccontextmanager
    async def effect(self) -> AsyncIterator[UnitOfWork]:
        """The transaction that also marks the update as done; raises Done when another try got there first."""
        async with self._database.uow(self.tenant_id) as uow:
            if not await UpdateRepo(uow.db).mark_done(self.tenant_id, self._update.id, self._clock()):
                raise Done
            yield uow
        self.is_spent = True

    @staticmethod
    def text(html: str, buttons: Buttons = ()) -> Body:
        """One of the product's own texts."""
        return Body(text=html, parse_mode="HTML", buttons=buttons)

    async def say(self, uow: UnitOfWork, chat_id: int, *bodies: Body, check: str = "fixed") -> None:
        """Orders a message in the effect's transaction; `bodies` are its parts. It is named by the update, so it is
        ordered once however often the update comes."""
        parts = [Part(body=body, verdict=Verdict.of(body, check, FIXED_TEXTS, passed=True)) for body in bodies]
        origin = f"update:{self.bot_id}:{self._update.update_id}:{self._update.id}:{self._said}"
        self._said += 1
        account = f"bot:{self.bot_id}"
        now = self._clock()
        await order(uow, Outgoing(origin=origin, account=account, destination=str(chat_id), parts=parts, due_at=now))


Handle = Callable[[Turn, dict[str, Any]], Awaitable[None]]
Apologise = Callable[[Turn, UnitOfWork, dict[str, Any]], Awaitable[None]]


async def store_updates(database: Database, tenant_id: TenantId, bot_id: int, raws: list[dict[str, Any]]) -> int:
    """After this returns they may be confirmed to Telegram."""
    updates = [(raw["update_id"], chat_key(raw), raw) for raw in map(storable, raws)]
    async with database.uow(tenant_id) as uow:
        return await UpdateRepo(uow.db).add_all(tenant_id, bot_id, updates)


async def forget_settled(database: Database, tenant_id: TenantId, now: datetime) -> int:
    """Telegram's update ids start anew, at random, after a quiet week: an old one must not pass for a repetition."""
    async with database.uow(tenant_id) as uow:
        return await UpdateRepo(uow.db).delete_settled(tenant_id, now - REMEMBERED)


def storable(value: Any) -> Any:
    """The same JSON without what PostgreSQL refuses: one such letter must not hold up everybody's updates."""
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [storable(item) for item in value]
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    return value


def chat_key(raw: dict[str, Any]) -> str:
    """What must stay in order: the chat, else the person, else the kind of update."""
    for kind, content in raw.items():
        if isinstance(content, dict):
            message = content.get("message")
            inner = message.get("chat") if isinstance(message, dict) else None
            places = (content.get("chat"), inner, content.get("from"), content.get("user"))
            who = next((place for place in places if isinstance(place, dict) and place), None)
            return f"{kind}:" if who is None else f"chat:{who.get('id', '')}"
    return "other"


class Feeder:
    """Hands one bot's stored updates to `handle`: one at a time for a chat, many chats at once."""

    def __init__(
        self,
        database: Database,
        tenant_id: TenantId,
        bot_id: int,
        handle: Handle,
        clock: Clock,
        apologise: Apologise | None = None,
    ) -> None:
        """`apologise` may order a word to whoever wrote an update that is parked, in the same transaction."""
        self._database = database
        self._tenant_id = tenant_id
        self._bot_id = bot_id
        self._handle = handle
        self._apologise = apologise
        self._clock = clock
        self._queues: dict[str, list[StoredUpdate]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    async def run_once(self) -> int:
        """Takes up new updates; returns how many. What a handler raises ends in a row, never here."""
        self._collect()
        if sum(map(len, self._queues.values())) >= PAGE:
            await asyncio.wait(self._tasks.values(), return_when=asyncio.FIRST_COMPLETED)
            return 1
        async with self._database.uow(self._tenant_id) as uow:
            held = [update.id for queue in self._queues.values() for update in queue]
            found = await UpdateRepo(uow.db).list_pending(self._tenant_id, self._bot_id, held, PAGE)
        for update in found:
            self._queues.setdefault(update.chat_key, []).append(update)
        self._fill()
        return len(found)

    def forget(self) -> None:
        """What is queued belongs to another process now; later it is read anew."""
        self._queues.clear()

    async def stop(self) -> None:
        """Lets the handlers that have begun end; what is queued stays pending."""
        self._queues.clear()
        if self._tasks:
            await asyncio.wait(self._tasks.values())
        self._collect()

    def _collect(self) -> None:
        for key, task in list(self._tasks.items()):
            if task.done():
                del self._tasks[key]
                task.result()
        self._fill()

    def _fill(self) -> None:
        for key in list(self._queues):
            if key not in self._tasks and len(self._tasks) < CHATS_AT_ONCE:
                self._tasks[key] = asyncio.create_task(self._serve(key))

    async def _serve(self, key: str) -> None:
        while queue := self._queues.get(key):
            await self._feed(queue[0])  # stays first until it is settled, also when the database fails in between
            queue.pop(0)
        self._queues.pop(key, None)

    async def _feed(self, update: StoredUpdate) -> None:
        """Until the update is done or parked: the next one of this chat must not overtake it."""
        for _ in range(MAX_ATTEMPTS):
            turn = Turn(self._database, self._tenant_id, update, self._clock)
            try:
                with correlated():
                    await self._handle(turn, update.payload)
                    if not turn.is_spent:
                        async with turn.effect():
                            pass
            except Done:
                return
            except Exception as error:
                log.warning("update.failed", attempt=update.attempts, error=type(error).__name__)
                if await self._failed(update, error) != "pending":
                    return
                await asyncio.sleep(RETRY_SECONDS)
            else:
                return

    async def _failed(self, update: StoredUpdate, error: Exception) -> str:
        now, text = self._clock(), f"{type(error).__name__}: {error}"
        async with self._database.uow(self._tenant_id) as uow:
            state = await UpdateRepo(uow.db).mark_failed(self._tenant_id, update.id, text, MAX_ATTEMPTS, now)
            if state == "parked":
                letters = DeadLetterRepo(uow.db)
                await letters.add(self._tenant_id, "update", "bot", update.id, text, MAX_ATTEMPTS, now)
                if self._apologise is not None:
                    turn = Turn(self._database, self._tenant_id, update, self._clock)
                    await self._apologise(turn, uow, update.payload)
        return state
