"""The sink against a real database: events, cursors, deletions, counters, and what other tenants see."""

import secrets
from datetime import timedelta

import pytest

from core.access.service import do_found_tenant
from core.interactions.conversation_repo import ConversationRepo, SourceRepo
from core.interactions.model import Channel, Incoming, SourceId
from core.interactions.repo import InteractionRepo
from core.platform.db import Database
from core.platform.ids import ProjectId, TenantId
from ingest.sink import Origin, Sink
from tests.conftest import Clock
from tests.dumps import dump
from tests.interactions.test_versions import T0, THREAD, at, told


@pytest.fixture
async def sink(database: Database, tenant_id: TenantId, project_id: ProjectId, clock: Clock) -> Sink:
    async with database.uow(tenant_id) as uow:
        source_id = await SourceRepo(uow.db).add(tenant_id, project_id, "test", "one", "import")
    return Sink(database, Origin(tenant_id, project_id, SourceId(source_id)), clock)


def batch(count: int, first: int = 1) -> list[Incoming]:
    return [
        told(f"text {n}", external_id=str(n), occurred_at=T0 + timedelta(minutes=n))
        for n in range(first, first + count)
    ]


async def test_another_tenant_sees_nothing(sink: Sink, database: Database) -> None:
    await sink.write(batch(3), at(1))
    other = await do_found_tenant(database, f"t{secrets.token_hex(8)}", "Other")
    assert (await dump(database, other.tenant_id))["interactions"] == []
    async with database.uow(other.tenant_id) as uow:
        assert await ConversationRepo(uow.db).find(other.tenant_id, THREAD.key) == []


async def test_a_batch_is_one_event_for_its_conversation(sink: Sink, database: Database, tenant_id: TenantId) -> None:
    await sink.write(batch(5), at(1))
    async with database.uow(tenant_id) as uow:
        events = await uow.db.fetch("SELECT kind, payload FROM outbox WHERE tenant_id = $1", tenant_id)
        due = await uow.db.fetchval("SELECT count(*) FROM due WHERE tenant_id = $1 AND kind = 'event'", tenant_id)
    assert [(e["kind"], e["payload"]["inserted"]) for e in events] == [("group.message.ingested", 5)]
    assert due == 1


async def test_an_unchanged_batch_makes_no_event(sink: Sink, database: Database, tenant_id: TenantId) -> None:
    await sink.write(batch(5), at(1))
    result = await sink.write(batch(5), at(1))
    assert (result.inserted, result.updated, result.unchanged) == (0, 0, 5)
    async with database.uow(tenant_id) as uow:
        assert await uow.db.fetchval("SELECT count(*) FROM outbox WHERE tenant_id = $1", tenant_id) == 1


async def test_a_deletion_hides_and_a_repeated_one_changes_nothing(
    sink: Sink, database: Database, tenant_id: TenantId
) -> None:
    await sink.write(batch(3), at(1))
    assert await sink.delete(Channel.GROUP, "tg:-1001", ["3"], at(2)) == 1
    assert await sink.delete(Channel.GROUP, "tg:-1001", ["3"], at(3)) == 0
    async with database.uow(tenant_id) as uow:
        conversation = (await ConversationRepo(uow.db).find(tenant_id, THREAD.key))[0]
        window = await InteractionRepo(uow.db).list_window(tenant_id, "group", [conversation.id], T0, at(9), 10)
    assert [i.external_id for i in window] == ["1", "2"]
    assert conversation.preview == "text 2"


async def test_a_message_that_comes_after_its_deletion_stays_hidden(
    sink: Sink, database: Database, tenant_id: TenantId
) -> None:
    await sink.delete(Channel.GROUP, "tg:-1001", ["2"], at(2))
    await sink.write(batch(3), at(1))
    deleted = {row[5]: row[8] for row in (await dump(database, tenant_id))["interactions"]}
    assert deleted == {"1": None, "2": at(2), "3": None}


async def test_purging_empties_what_was_deleted_long_ago(sink: Sink, database: Database, tenant_id: TenantId) -> None:
    await sink.write(batch(2), at(1))
    await sink.write([told("edited", edited=1, external_id="1")], at(2))
    await sink.delete(Channel.GROUP, "tg:-1001", ["1"], at(3))
    async with database.uow(tenant_id) as uow:
        assert await InteractionRepo(uow.db).purge_deleted(tenant_id, at(2)) == 0
        assert await InteractionRepo(uow.db).purge_deleted(tenant_id, at(4)) == 1
    found = await dump(database, tenant_id)
    assert found["revisions"] == []
    assert [row[20] for row in found["interactions"]] == ["", "text 2"]


async def test_the_counter_and_the_preview_follow(sink: Sink, database: Database, tenant_id: TenantId) -> None:
    await sink.write(batch(3), at(1))
    await sink.write([told("changed words", edited=5, external_id="3", occurred_at=T0 + timedelta(minutes=3))], at(6))
    async with database.uow(tenant_id) as uow:
        repo = ConversationRepo(uow.db)
        conversation = (await repo.find(tenant_id, THREAD.key))[0]
        assert await repo.recount(tenant_id) == 0
    assert (conversation.interaction_count, conversation.preview) == (3, "changed words")


async def test_the_inbox_pages_by_key(sink: Sink, database: Database, tenant_id: TenantId) -> None:
    await sink.write(batch(7), at(1))
    async with database.uow(tenant_id) as uow:
        repo = InteractionRepo(uow.db)
        first = await repo.list_inbox(tenant_id, 3)
        second = await repo.list_inbox(tenant_id, 3, (first[-1]["occurred_at"], first[-1]["id"]))
    assert [row["preview"] for row in [*first, *second]] == [f"text {n}" for n in (7, 6, 5, 4, 3, 2)]


async def test_cursors_never_go_back(sink: Sink, database: Database, tenant_id: TenantId) -> None:
    await sink.write(batch(3, first=10), at(9))
    await sink.write(batch(3, first=1), at(1))
    assert [(row[4], row[5]) for row in (await dump(database, tenant_id))["cursors"]] == [(12, at(9))]


async def test_the_lists_use_their_indexes_and_no_text_table(
    sink: Sink, database: Database, tenant_id: TenantId
) -> None:
    from core.interactions import conversation_repo, repo

    await sink.write(batch(50), at(1))
    queries = {repo.LIST_INBOX: "interactions", conversation_repo.LIST_RECENT: "conversations"}
    async with database.uow(tenant_id) as uow:
        await uow.db.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
        for query, table in queries.items():
            plan = "\n".join(r[0] for r in await uow.db.fetch(f"EXPLAIN {query}", tenant_id, 50))
            assert "Index" in plan
            assert "interaction_content" not in plan
            assert "Sort Key: interactions.occurred_at" not in plan or "Merge Append" in plan, (table, plan)
