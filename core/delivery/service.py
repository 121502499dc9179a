"""Ordering messages, and a person's word on those that nobody can settle by rule."""

import secrets
from datetime import datetime

from core.access.model import Permission, Reader
from core.access.permissions import check_permission
from core.access.service import actor_of
from core.delivery.model import Delivery, DeliveryId, Outgoing, State
from core.delivery.repo import LedgerRepo
from core.platform.audit import AuditRepo
from core.platform.db import Database, UnitOfWork
from core.platform.errors import BadInput, NotFound

DECISIONS = {"resend": State.QUEUED, "sent": State.SENT, "drop": State.CANCELLED}


async def order(uow: UnitOfWork, outgoing: Outgoing) -> list[DeliveryId]:
    """Writes a message into the ledger, in the caller's transaction; ordered again, it changes nothing.

    Raises BadInput for a message without parts, and for a part whose verdict is missing, negative or of other bytes.
    """
    if not outgoing.parts:
        raise BadInput(f"The message {outgoing.origin} has no parts: there is nothing to send.")
    for number, part in enumerate(outgoing.parts):
        if not part.verdict.passed or part.verdict.body_hash != part.body.digest():
            raise BadInput(f"Part {number} of {outgoing.origin} has not passed its check: nothing leaves unchecked.")
    random_ids = [secrets.randbits(63) for _ in outgoing.parts]
    return await LedgerRepo(uow.db).add(uow.tenant_id, outgoing, random_ids)


async def cancel(uow: UnitOfWork, origin: str, now: datetime) -> int:
    """Takes back what has not begun to be sent; returns how many parts."""
    return await LedgerRepo(uow.db).cancel(uow.tenant_id, origin, now)


async def list_waiting(database: Database, reader: Reader) -> list[Delivery]:
    """Unknown, failed and rejected parts."""
    check_permission(reader, Permission.REPLY)
    async with database.uow(reader.tenant_id) as uow:
        return await LedgerRepo(uow.db).list_waiting(reader.tenant_id)


async def decide(database: Database, reader: Reader, delivery_id: DeliveryId, decision: str, now: datetime) -> None:
    """`decision`: resend (send it again), sent (it has arrived), drop (let it go)."""
    check_permission(reader, Permission.OPERATE)
    async with database.uow(reader.tenant_id) as uow:
        actor = actor_of(reader)
        if not await LedgerRepo(uow.db).decide(reader.tenant_id, delivery_id, DECISIONS[decision], actor, now):
            raise NotFound(f"Delivery {delivery_id} does not wait for a decision: see `parley delivery list`.")
        await AuditRepo(uow.db).add(reader.tenant_id, actor, f"delivery.{decision}", f"delivery:{delivery_id}")
