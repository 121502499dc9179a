"""`parley delivery`: what left, and what waits for a person."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from cli.console import JsonOption, TenantOption, command, out, print_json, with_reader
from config.runtime import Runtime
from core.access.model import Reader
from core.delivery import service
from core.delivery.model import Delivery, DeliveryId
from core.delivery.repo import LedgerRepo

delivery = typer.Typer(no_args_is_help=True, help="Messages that were sent, or wait for a decision.")


class Decision(StrEnum):
    RESEND = "resend"
    SENT = "sent"
    DROP = "drop"


@delivery.command("list")
@command
async def list_waiting(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Parts whose fate nobody can know by rule (unknown), and those that failed or were rejected."""

    async def work(runtime: Runtime, reader: Reader) -> tuple[list[Delivery], dict[str, int]]:
        waiting = await service.list_waiting(runtime.database, reader)
        async with runtime.database.uow(reader.tenant_id) as uow:
            return waiting, await LedgerRepo(uow.db).count_by_state(reader.tenant_id)

    waiting, states = await with_reader(tenant, work)
    if as_json:
        print_json({"waiting": [_row(one) for one in waiting], "states": states})
        return
    for one in waiting:
        text = " ".join(one.body.text.split())[:60]
        out.print(
            f"{one.id}\t{one.state}\t{one.destination}\t{one.error or one.error_code or ''}\t{text}", markup=False
        )
    out.print(", ".join(f"{number} {state}" for state, number in states.items()) or "Nothing was ever sent.")


def _row(one: Delivery) -> dict[str, Any]:
    shown = {"id", "origin", "part", "account", "destination", "state", "attempts", "error_code", "error"}
    return one.model_dump(mode="json", include=shown)


@delivery.command("resend")
@command
async def resend(
    delivery_id: Annotated[int, typer.Argument(min=1, max=2**63 - 1)], tenant: TenantOption = None
) -> None:
    """Send it again: you have looked, and it did not arrive."""
    await _decide(delivery_id, Decision.RESEND, tenant)
    out.print(f"Delivery {delivery_id} is sent again.")


@delivery.command("confirm")
@command
async def confirm(
    delivery_id: Annotated[int, typer.Argument(min=1, max=2**63 - 1)], tenant: TenantOption = None
) -> None:
    """Count it as sent: you have looked, and it arrived."""
    await _decide(delivery_id, Decision.SENT, tenant)
    out.print(f"Delivery {delivery_id} counts as sent.")


@delivery.command("drop")
@command
async def drop(delivery_id: Annotated[int, typer.Argument(min=1, max=2**63 - 1)], tenant: TenantOption = None) -> None:
    """Let it go."""
    await _decide(delivery_id, Decision.DROP, tenant)
    out.print(f"Delivery {delivery_id} is dropped.")


async def _decide(delivery_id: int, decision: Decision, tenant: str | None) -> None:
    async def work(runtime: Runtime, reader: Reader) -> None:
        await service.decide(runtime.database, reader, DeliveryId(delivery_id), decision, runtime.clock())

    await with_reader(tenant, work)
