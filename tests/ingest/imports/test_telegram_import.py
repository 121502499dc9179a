import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from config.sample import GROUP
from core.access.model import Reader, Role
from core.access.service import access_project, access_reader, do_found_tenant
from core.platform.clock import utc_now
from core.platform.db import Database
from core.platform.errors import BadInput
from core.platform.ids import TenantId
from ingest.imports.report import ImportReport
from ingest.imports.telegram_import import TelegramImport
from tests.dumps import dump
from tests.ingest.imports.telegram_export import exports
from tests.ingest.imports.telegram_export.exports import NOON, Raw, message, service

Import = Callable[..., Awaitable[ImportReport]]


class Store:
    """A tenant into which a test imports."""

    def __init__(self, database: Database, reader: Reader, folder: Path) -> None:
        self.database = database
        self.tenant_id: TenantId = reader.tenant_id
        self._reader = reader
        self._folder = folder

    async def put(self, export: Raw | bytes | Path, **options: Any) -> ImportReport:
        path = export if isinstance(export, Path) else self._folder / f"{secrets.token_hex(4)}.json"
        if not isinstance(export, Path):
            path.write_bytes(export if isinstance(export, bytes) else exports.dump(export))
        project = await access_project(self.database, self._reader, None)
        run = TelegramImport(self.database, self.tenant_id, project.id, utc_now, zone=UTC, **options)
        return await run.run(path)

    async def dump(self) -> dict[str, Any]:
        return await dump(self.database, self.tenant_id)

    async def texts(self) -> dict[str, str]:
        return {row[5]: row[20] for row in (await self.dump())["interactions"]}

    async def threads(self) -> dict[str, str]:
        return {row[5]: row[1] for row in (await self.dump())["interactions"]}

    async def fetch(self, query: str) -> list[Any]:
        async with self.database.uow(self.tenant_id) as uow:
            return list(await uow.db.fetch(query, self.tenant_id))


@pytest.fixture
def make_store(database: Database, tmp_path: Path) -> Callable[[], Awaitable[Store]]:
    async def make() -> Store:
        tenant = await do_found_tenant(database, f"t{secrets.token_hex(8)}", "Test")
        return Store(database, await access_reader(database, tenant.tenant_id, Role.OWNER), tmp_path)

    return make


@pytest.fixture
async def store(make_store: Callable[[], Awaitable[Store]]) -> Store:
    return await make_store()


async def test_every_message_is_stored_once_with_all_it_carries(store: Store) -> None:
    report = await store.put(GROUP)
    raws = json.loads(GROUP.read_bytes())["messages"]
    assert (report.chats, report.messages, report.inserted, report.skipped) == (1, len(raws), len(raws), [])
    found = await store.dump()
    assert found["orphans"] == 0
    assert {row[5] for row in found["interactions"]} == {str(raw["id"]) for raw in raws}
    assert found["conversations"][0][8] == len(raws)
    assert found["cursors"][0][4] == max(raw["id"] for raw in raws)


async def test_a_second_import_changes_nothing(store: Store) -> None:
    await store.put(GROUP)
    before = await store.dump()
    report = await store.put(GROUP)
    assert (report.inserted, report.updated, report.unchanged) == (0, 0, len(before["interactions"]))
    assert await store.dump() == before
    events = await store.fetch("SELECT count(*) FROM outbox WHERE tenant_id = $1")
    assert events[0]["count"] == 1


OLD = [
    message(1, "первое", at=NOON),
    message(2, "с ошибкай", at=NOON + 10),
    message(3, "удалят", at=NOON + 20),
    message(4, "нравится", at=NOON + 30, reactions=[{"type": "emoji", "count": 1, "emoji": "👍"}]),
]
NEW = [
    message(1, "первое", at=NOON),
    message(2, "с ошибкой", at=NOON + 10, edited="2025-01-01T12:30:00", edited_unixtime=str(NOON + 1800)),
    message(4, "нравится", at=NOON + 30, reactions=[{"type": "emoji", "count": 3, "emoji": "👍"}]),
    message(5, "новое", at=NOON + 4000),
]


@pytest.mark.parametrize("kind", ["private_supergroup", "private_group", "public_channel", "personal_chat"])
async def test_two_exports_of_different_ages_end_the_same_in_either_order(
    make_store: Callable[[], Awaitable[Store]], kind: str
) -> None:
    old, new = exports.chat(OLD, kind=kind), exports.chat(NEW, kind=kind)
    forwards, backwards = await make_store(), await make_store()
    first = await forwards.put(old)
    second = await forwards.put(new)
    assert (first.inserted, second.inserted, second.updated) == (4, 1, 2)
    await backwards.put(new)
    late = await backwards.put(old)
    assert (late.inserted, late.updated, late.unchanged) == (1, 0, 3)
    mine, theirs = await forwards.dump(), await backwards.dump()
    # Only message 3, which the newer export no longer has, was observed by the older one alone: in both orders.
    assert mine == theirs
    assert (await forwards.texts()) == {"1": "первое", "2": "с ошибкой", "3": "удалят", "4": "нравится", "5": "новое"}
    assert [row[3] for row in mine["revisions"]] == ["с ошибкай"]
    likes = {row[5]: row[23] for row in mine["interactions"]}["4"]
    assert likes["reactions"][0]["count"] == 3


async def test_reversed_messages_give_the_same_rows(make_store: Callable[[], Awaitable[Store]]) -> None:
    forwards, backwards = await make_store(), await make_store()
    await forwards.put(exports.chat(OLD))
    await backwards.put(exports.chat(OLD[::-1]))
    assert await forwards.dump() == await backwards.dump()


async def test_the_same_message_twice_in_one_file_is_one_row(store: Store) -> None:
    report = await store.put(exports.chat([OLD[1], NEW[1], OLD[1]]))
    assert (report.inserted, report.updated, report.unchanged) == (1, 1, 1)
    assert await store.texts() == {"2": "с ошибкой"}


async def test_imports_at_the_same_time_do_not_disturb_each_other(make_store: Callable[[], Awaitable[Store]]) -> None:
    alone, crowded = await make_store(), await make_store()
    many = exports.chat([message(n, f"слово {n}", at=NOON + n) for n in range(1, 1300)])
    await alone.put(many)
    reports = await asyncio.gather(*(crowded.put(many) for _ in range(3)))
    assert sum(report.inserted for report in reports) == 1299
    assert await crowded.dump() == await alone.dump()


FORUM = [
    service(1, "create_channel", title="Склад"),
    service(2, "topic_created", title="Возвраты"),
    service(3, "topic_created", title="Реклама"),
    message(4, "в общей"),
    message(5, "вопрос", reply_to_message_id=2),
    message(6, "реклама", reply_to_message_id=3),
    message(7, "ответ", reply_to_message_id=5),
    message(8, "глубже", reply_to_message_id=7),
    message(9, "на потерянное", reply_to_message_id=99),
]
TOPICS = {"4": "", "5": "/2", "7": "/2", "8": "/2", "6": "/3", "2": "/2", "9": ""}


async def test_topics_of_a_forum_are_conversations(store: Store) -> None:
    await store.put(exports.chat(FORUM))
    threads = await store.threads()
    assert {number: threads[number] for number in TOPICS} == {
        n: f"tg:-1001234567890{topic}" for n, topic in TOPICS.items()
    }
    titles = {row[3]: row[4] for row in (await store.dump())["conversations"]}
    assert titles == {"tg:-1001234567890": "Склад", "tg:-1001234567890/2": "Возвраты", "tg:-1001234567890/3": "Реклама"}


async def test_a_newer_part_of_a_forum_finds_its_topics_in_the_store(store: Store) -> None:
    await store.put(exports.chat(FORUM))
    part = [
        message(10, "к восьмому", at=NOON + 60, reply_to_message_id=8),
        message(11, "прямо в тему", at=NOON + 61, reply_to_message_id=3),
        message(12, "к десятому", at=NOON + 62, reply_to_message_id=10),
        message(13, "в общую", at=NOON + 63, reply_to_message_id=4),
    ]
    await store.put(exports.chat(part))
    threads = await store.threads()
    assert [threads[n].partition("/")[2] for n in ("10", "11", "12", "13")] == ["2", "3", "2", ""]
    assert {row[3]: row[4] for row in (await store.dump())["conversations"]}["tg:-1001234567890/3"] == "Реклама"


async def test_a_topic_that_was_unknown_is_found_by_a_fuller_export(make_store: Callable[[], Awaitable[Store]]) -> None:
    part, whole = await make_store(), await make_store()
    await part.put(exports.chat([FORUM[2], *FORUM[6:8]]))
    assert (await part.threads())["8"] == "tg:-1001234567890"
    await part.put(exports.chat(FORUM))
    await whole.put(exports.chat(FORUM))
    assert await part.threads() == await whole.threads()
    counts = {row[3]: row[8] for row in (await part.dump())["conversations"]}
    assert counts == {row[3]: row[8] for row in (await whole.dump())["conversations"]}


@pytest.mark.parametrize("account_first", [True, False])
async def test_one_account_s_single_chat_and_full_export_are_one_numbering(store: Store, account_first: bool) -> None:
    one = exports.chat(OLD, kind="private_group", number=55)
    files = [exports.account([one]), one]
    for file in files if account_first else files[::-1]:
        await store.put(file)
    assert len((await store.dump())["interactions"]) == len(OLD)


async def test_another_account_s_numbers_are_refused_and_taken_under_its_name(store: Store) -> None:
    mine = exports.chat([message(7, "моё", at=NOON)], kind="personal_chat", number=55)
    theirs = exports.chat([message(7, "чужое", at=NOON + 400_000)], kind="personal_chat", number=55)
    await store.put(mine)
    report = await store.put(theirs)
    assert report.inserted == 0
    assert "--account" in report.skipped[0].why
    assert (await store.put(theirs, account="second")).inserted == 1
    assert sorted(row[20] for row in (await store.dump())["interactions"]) == ["моё", "чужое"]


async def test_a_file_that_was_cut_off_gives_what_is_whole_and_says_so(store: Store) -> None:
    data = exports.dump(exports.chat(OLD))
    report = await store.put(data[: data.rindex(b'"id": 4') + 40])
    assert report.inserted == 3
    assert len(report.skipped) == 1
    await store.put(data)
    assert len((await store.dump())["interactions"]) == 4


@pytest.mark.parametrize(
    "content", [b"", b"hello", b"{}", b"[1, 2]", b'{"messages": 5}', b"\x00" * 100, b'{"name": "x"}']
)
async def test_what_is_no_export_is_refused_and_leaves_nothing(store: Store, content: bytes) -> None:
    with pytest.raises(BadInput) as caught:
        await store.put(content)
    assert str(caught.value).count("\n") == 0
    assert await store.fetch("SELECT 1 FROM sources WHERE tenant_id = $1") == []
    assert await store.fetch("SELECT 1 FROM conversations WHERE tenant_id = $1") == []


async def test_a_folder_is_refused_with_the_file_inside(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is a folder"):
        await store.put(tmp_path)
    (tmp_path / "result.json").write_bytes(exports.dump(exports.chat(OLD)))
    with pytest.raises(BadInput, match=r"result\.json"):
        await store.put(tmp_path)


async def test_a_missing_file_is_told(store: Store, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There is no file"):
        await store.put(tmp_path / "none.json")


async def test_hostile_text_is_stored_as_it_is(store: Store) -> None:
    hostile = [
        "'; DROP TABLE interactions; --",
        "\u202eоборот",
        "a" * 100_000,
        "🏳️‍🌈" * 50,
        "\\x41 \\u0000",
        "<b>жирный</b>",
    ]
    await store.put(exports.chat(message(n, text) for n, text in enumerate(hostile, 1)))
    assert list((await store.texts()).values()) == hostile


async def test_old_local_times_are_read_in_the_given_zone(store: Store) -> None:
    export: Iterable[Raw] = [exports.message_of_2019(1)]
    await store.put(exports.chat(export))
    assert (await store.dump())["interactions"][0][6].isoformat() == "2019-03-01T12:00:00+00:00"
