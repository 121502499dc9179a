"""`parley jobs`, `parley dlq`, `parley rebuild`, `parley migrate`: keeping it running."""

from contextlib import AsyncExitStack
from typing import Annotated

import typer

from cli.console import JsonOption, TenantOption, command, out, print_json, with_reader
from config.runtime import MIGRATIONS, Runtime, find_servers, login_of
from config.settings import load_settings
from core.access.model import Permission, Reader
from core.access.permissions import check_permission
from core.access.service import actor_of
from core.interactions.conversation_repo import ConversationRepo
from core.platform.audit import AuditRepo
from core.platform.deadletters import DeadLetter, DeadLetterRepo
from core.platform.errors import BadInput, NotFound
from core.platform.ids import EventId, JobId
from core.platform.jobs import JobRepo, JobStatus
from core.platform.migrate import load_migrations
from core.platform.migrate import migrate as apply_migrations
from core.platform.outbox import OutboxRepo
from worker.app import KIND_NAMES

jobs = typer.Typer(no_args_is_help=True, help="Due jobs.")
KindArgument = Annotated[str, typer.Argument(help="A kind of job, as `parley jobs list` shows it.")]
dlq = typer.Typer(no_args_is_help=True, help="Dead letters: what gave up and waits for a person.")


@jobs.command("list")
@command
async def list_jobs(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Jobs by kind and state, and what is paused."""

    async def work(runtime: Runtime, reader: Reader) -> tuple[list[JobStatus], list[str]]:
        async with runtime.database.uow(reader.tenant_id) as uow:
            repo = JobRepo(uow.db)
            return await repo.list_status(reader.tenant_id), await repo.list_paused(reader.tenant_id)

    states, paused = await with_reader(tenant, work)
    if as_json:
        rows = [
            {**s._asdict(), "next_due_at": _iso(s.next_due_at), "last_finished_at": _iso(s.last_finished_at)}
            for s in states
        ]
        print_json({"jobs": rows, "paused": paused})
        return
    for state in states:
        out.print(f"{state.kind}\t{state.state}\t{state.number}\tnext {_iso(state.next_due_at) or '–'}", markup=False)
    out.print(f"paused: {', '.join(paused) or 'nothing'}", markup=False)


def check_kind(kind: str) -> None:
    if kind not in KIND_NAMES:
        raise BadInput(f"There is no kind of job «{kind}»: choose one of {', '.join(KIND_NAMES)}.")


def _iso(moment: object) -> str | None:
    return None if moment is None else str(moment)


@jobs.command("pause")
@command
async def pause(kind: KindArgument, tenant: TenantOption = None) -> None:
    """Let no job of a kind start; what is due waits."""
    check_kind(kind)

    async def work(runtime: Runtime, reader: Reader) -> None:
        check_permission(reader, Permission.OPERATE)
        async with runtime.database.uow(reader.tenant_id) as uow:
            await JobRepo(uow.db).pause(reader.tenant_id, kind, actor_of(reader))
            await AuditRepo(uow.db).add(reader.tenant_id, actor_of(reader), "jobs.pause", f"jobs:{kind}")

    await with_reader(tenant, work)
    out.print(f"{kind} is paused.", markup=False)


@jobs.command("resume")
@command
async def resume(kind: KindArgument, tenant: TenantOption = None) -> None:
    """Let jobs of a kind start again."""
    check_kind(kind)

    async def work(runtime: Runtime, reader: Reader) -> None:
        check_permission(reader, Permission.OPERATE)
        async with runtime.database.uow(reader.tenant_id) as uow:
            await JobRepo(uow.db).resume(reader.tenant_id, kind, runtime.clock())
            await AuditRepo(uow.db).add(reader.tenant_id, actor_of(reader), "jobs.resume", f"jobs:{kind}")

    await with_reader(tenant, work)
    out.print(f"{kind} goes on.", markup=False)


@dlq.command("list")
@command
async def list_letters(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """What gave up, oldest first."""

    async def work(runtime: Runtime, reader: Reader) -> list[DeadLetter]:
        async with runtime.database.uow(reader.tenant_id) as uow:
            return await DeadLetterRepo(uow.db).list_open(reader.tenant_id)

    letters = await with_reader(tenant, work)
    if as_json:
        print_json({"dead_letters": [letter.model_dump(mode="json") for letter in letters]})
        return
    for letter in letters:
        out.print(f"{letter.id}\t{letter.origin} {letter.kind}\t{letter.attempts} tries\t{letter.error}", markup=False)
    if not letters:
        out.print("No dead letters.")


@dlq.command("retry")
@command
async def retry_letter(
    letter_id: Annotated[int, typer.Argument(min=1, max=2**63 - 1)], tenant: TenantOption = None
) -> None:
    """Try it again, with all its tries back."""

    async def work(runtime: Runtime, reader: Reader) -> None:
        check_permission(reader, Permission.OPERATE)
        await retry_dead_letter(runtime, reader, letter_id)

    await with_reader(tenant, work)
    out.print(f"Dead letter {letter_id} is tried again.")


async def retry_dead_letter(runtime: Runtime, reader: Reader, letter_id: int) -> None:
    now = runtime.clock()
    async with runtime.database.uow(reader.tenant_id) as uow:
        letters = DeadLetterRepo(uow.db)
        letter = await letters.get_open(reader.tenant_id, letter_id)
        if letter is None:
            raise NotFound(f"There is no open dead letter {letter_id}: see `parley dlq list`.")
        if letter.origin == "job":
            await JobRepo(uow.db).revive(reader.tenant_id, JobId(letter.row_id), now)
        else:
            await OutboxRepo(uow.db).reopen(reader.tenant_id, EventId(letter.row_id), letter.kind, now)
        await letters.mark_resolved(reader.tenant_id, letter_id, now)
        await AuditRepo(uow.db).add(reader.tenant_id, actor_of(reader), "dead_letter.retry", f"dead_letter:{letter_id}")


@command
async def rebuild(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Rebuild from Postgres what Redis carries, and the counters of conversations."""

    async def work(runtime: Runtime, reader: Reader) -> dict[str, int]:
        check_permission(reader, Permission.OPERATE)
        async with runtime.database.uow(reader.tenant_id) as uow:
            events = await OutboxRepo(uow.db).rebuild_due(reader.tenant_id, runtime.clock())
            due = await JobRepo(uow.db).rebuild_due(reader.tenant_id)
            counted = await ConversationRepo(uow.db).recount(reader.tenant_id)
        return {"events": events, "jobs": due, "conversations": counted}

    done = await with_reader(tenant, work)
    if as_json:
        print_json(done)
    else:
        out.print(
            f"Due again: {done['events']} events, {done['jobs']} jobs. {done['conversations']} counters corrected."
        )


@command
async def migrate(as_json: JsonOption = False) -> None:
    """Bring the database to this version's schema (DATABASE_ADMIN_URL, else DATABASE_URL)."""
    async with AsyncExitStack() as stack:
        addresses = await find_servers(stack, load_settings(), redis=False)
        login = login_of(addresses.database_dsn)
        applied = await apply_migrations(addresses.admin_dsn, load_migrations(MIGRATIONS), login)
    if as_json:
        print_json({"applied": [f"{m.version:04}_{m.name}" for m in applied]})
    else:
        out.print(f"{len(applied)} migrations applied: the schema is up to date.")
