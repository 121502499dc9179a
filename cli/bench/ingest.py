"""The sink beside raw inserts of the same rows, and the import of an export beside json.loads and those inserts."""

import json
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import asyncpg

from cli.bench.measure import Bench, Result, middle
from cli.bench.talk import as_export, make_talk
from core.access.model import Role
from core.access.service import access_project, access_reader
from core.interactions.batch import content_columns, interaction_columns, resolve
from core.interactions.conversation_repo import ConversationRepo, SourceRepo
from core.interactions.model import ConversationId, Incoming, SourceId
from core.interactions.repo import INSERT_CONTENT, INSERT_INTERACTIONS
from core.platform.clock import utc_now
from ingest.imports.telegram_import import TelegramImport
from ingest.sink import BATCH, Origin, Sink

ROUNDS = 5
NOW = datetime(2026, 6, 1, tzinfo=UTC)
INSERT_OUTBOX = (
    "INSERT INTO outbox (tenant_id, kind, subject_id, payload) SELECT $1, 'bench', unnest($2::bigint[]), '{}'"
)


async def bench_ingest(bench: Bench, n: int) -> list[Result]:
    """Rounds alternate between ours and the floor, so that both meet the same machine; medians are shown."""
    ours, floors, imports, parses = [], [], [], []
    for round_ in range(ROUNDS + 1):  # the first warms up and is not counted
        base = 10 * (round_ + 1)
        floor = await _raw(bench, make_talk(n, chat_id=base))
        sink = await _sink(bench, make_talk(n, chat_id=base + 1))
        imported, parsed = await _import(bench, make_talk(n, chat_id=base + 2), base + 2)
        if round_:
            ours.append(n / sink)
            floors.append(n / floor)
            imports.append(imported)
            parses.append(parsed + floor)
    return [
        Result("sink", middle(ours), middle(floors), "rows/s", n),
        Result("export import", middle(imports), middle(parses), "s", n),
    ]


async def _project(bench: Bench) -> Any:
    reader = await access_reader(bench.database, bench.tenant.tenant_id, Role.OWNER)
    return (await access_project(bench.database, reader, None)).id


async def _sink(bench: Bench, talk: Sequence[Incoming]) -> float:
    tenant_id, project_id = bench.tenant.tenant_id, await _project(bench)
    async with bench.database.uow(tenant_id) as uow:
        source_id = await SourceRepo(uow.db).add(tenant_id, project_id, "bench", "bench", "import")
    sink = Sink(bench.database, Origin(tenant_id, project_id, SourceId(source_id)), utc_now)
    started = perf_counter()
    for at in range(0, len(talk), BATCH):
        await sink.write(talk[at : at + BATCH], NOW)
    return perf_counter() - started


async def _raw(bench: Bench, talk: Sequence[Incoming]) -> float:
    """The same rows by the same statements, as the owner, on one connection; columns are made before the clock runs."""
    tenant_id, project_id = bench.tenant.tenant_id, await _project(bench)
    thread = talk[0].thread
    async with bench.database.uow(tenant_id) as uow:
        conversations = ConversationRepo(uow.db)
        await conversations.add_missing(tenant_id, project_id, [thread], NOW)
        held = await conversations.lock(tenant_id, [thread])
    ids = {thread: held[str(thread.channel), thread.key]}
    batches = [_columns(talk[at : at + BATCH], ids[thread]) for at in range(0, len(talk), BATCH)]
    await bench.admin.execute("SET ROLE parley_owner")
    started = perf_counter()
    for interactions, content in batches:
        async with bench.admin.transaction():
            await _insert_raw(bench.admin, tenant_id, interactions, content, ids[thread])
    elapsed = perf_counter() - started
    await bench.admin.execute("RESET ROLE")
    return elapsed


def _columns(batch: Sequence[Incoming], conversation_id: ConversationId) -> tuple[list[list[Any]], list[list[Any]]]:
    rows = resolve(batch, {batch[0].thread: conversation_id})
    return interaction_columns(rows), content_columns(rows)


async def _insert_raw(
    db: "asyncpg.Connection[asyncpg.Record]",
    tenant_id: int,
    interactions: list[list[Any]],
    content: list[list[Any]],
    conversation_id: int,
) -> None:
    inserted = await db.fetch(INSERT_INTERACTIONS, tenant_id, NOW, *interactions)
    await db.execute(INSERT_CONTENT, tenant_id, [row["id"] for row in inserted], *content)
    await db.execute(INSERT_OUTBOX, tenant_id, [conversation_id])


async def _import(bench: Bench, talk: list[Incoming], chat_id: int) -> tuple[float, float]:
    """Seconds of the import, and of json.loads of its file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "result.json"
        path.write_text(json.dumps(as_export(talk, chat_id), ensure_ascii=False, indent=1), encoding="utf-8")
        started = perf_counter()
        json.loads(path.read_text(encoding="utf-8"))
        parsed = perf_counter() - started
        run = TelegramImport(bench.database, bench.tenant.tenant_id, await _project(bench), utc_now, zone=UTC)
        started = perf_counter()
        await run.run(path)
        return perf_counter() - started, parsed
