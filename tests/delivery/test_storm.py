"""Invariant 4 by storm: acknowledgements get lost, senders are killed; what leaves, leaves once or is unknown."""

import asyncio
import itertools
import os
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.access.service import do_found_tenant
from core.delivery.model import Body, Outgoing, Part, State, Verdict
from core.delivery.repo import LedgerRepo
from core.delivery.service import order
from core.platform.clock import utc_now
from core.platform.db import Database
from core.platform.ids import TenantId
from tests.databases import Cluster, Copy

STRESS = int(os.environ.get("STRESS_N", "1"))
SENDERS = 3


class Storm:
    def __init__(self, copy: Copy, database: Database, redis_url: str, mail_url: str, tenant_id: TenantId) -> None:
        self.database = database
        self.tenant_id = tenant_id
        self._copy = copy
        self._redis_url = redis_url
        self._mail_url = mail_url
        self._seeds = itertools.count(1)

    async def order(self, count: int, chats: int) -> None:
        for n in range(count):
            body = Body(text=f"message {n}")
            part = Part(body=body, verdict=Verdict.of(body, "fixed", "1", passed=True))
            async with self.database.uow(self.tenant_id) as uow:
                await order(
                    uow,
                    Outgoing(
                        origin=f"test:{n}", account="mail:1", destination=str(n % chats), parts=[part], due_at=utc_now()
                    ),
                )

    async def switch(self, **switches: float) -> None:
        async with aiohttp.ClientSession() as session:
            await session.post(f"{self._mail_url}/switch", json=switches)

    async def journal(self) -> list[dict[str, Any]]:
        async with aiohttp.ClientSession() as session, session.get(f"{self._mail_url}/journal") as answer:
            return list(await answer.json())

    async def states(self) -> dict[str, int]:
        async with self.database.uow(self.tenant_id) as uow:
            return await LedgerRepo(uow.db).count_by_state(self.tenant_id)

    async def is_settled(self) -> bool:
        async with self.database.uow(self.tenant_id) as uow:
            return not await uow.db.fetchval(
                "SELECT count(*) FROM due WHERE tenant_id = $1 AND kind = 'lane'", self.tenant_id
            )

    async def run(self, *, history: bool, share: float) -> None:
        """Three senders, each replaced when it dies, until the ledger is settled."""
        senders: list[subprocess.Popen[bytes]] = []
        try:
            while not await self.is_settled():
                senders = [s for s in senders if s.poll() is None]
                senders += [self._start(history, share) for _ in range(SENDERS - len(senders))]
                await asyncio.sleep(0.05)
        finally:
            for sender in senders:
                sender.kill()
                sender.wait()

    def _start(self, history: bool, share: float) -> "subprocess.Popen[bytes]":
        arguments = [
            self._copy.database_dsn, self._redis_url, self._mail_url, "yes" if history else "no", str(share),
            str(next(self._seeds)),
        ]  # fmt: skip
        return subprocess.Popen([sys.executable, "-m", "tests.delivery.sender_process", *arguments])


@contextmanager
def mailbox(folder: Path) -> Iterator[str]:
    port_file = folder / "port"
    process = subprocess.Popen([sys.executable, "-m", "tests.delivery.mailbox", str(port_file)])
    try:
        while not port_file.exists():
            assert process.poll() is None
        yield f"http://127.0.0.1:{port_file.read_text()}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
async def storm(cluster: Cluster, redis_url: str, tmp_path: Path) -> AsyncIterator[Storm]:
    async with cluster.clone() as copy:
        database = await Database.open(copy.database_dsn, name="tests")
        tenant = await do_found_tenant(database, "one", "One")
        with mailbox(tmp_path) as url:
            yield Storm(copy, database, redis_url, url, tenant.tenant_id)
        await database.close()


async def with_history(storm: Storm, count: int, share: float) -> None:
    await storm.switch(lose=0.1, kill=share)
    await storm.order(count, chats=20)
    await storm.run(history=True, share=share / 8)
    assert await storm.states() == {State.SENT: count}
    assert Counter(e["text"] for e in await storm.journal()) == Counter(f"message {n}" for n in range(count))


async def without_history(storm: Storm, count: int, share: float) -> None:
    await storm.switch(lose=0.1, kill=share)
    await storm.order(count, chats=20)
    await storm.run(history=False, share=share / 8)
    states, journal = await storm.states(), await storm.journal()
    assert set(states) <= {State.SENT, State.UNKNOWN}
    assert sum(states.values()) == count
    texts = Counter(e["text"] for e in journal)
    assert max(texts.values()) == 1, "something was sent twice"
    async with storm.database.uow(storm.tenant_id) as uow:
        rows = await uow.db.fetch(
            "SELECT body->>'text' AS text, state FROM deliveries WHERE tenant_id = $1", storm.tenant_id
        )
    sent = {row["text"] for row in rows if row["state"] == "sent"}
    assert sent <= set(texts), "something counts as sent that never arrived"
    lost = {e["text"] for e in journal if not e["acknowledged"]}
    assert lost.isdisjoint(sent)
    waiting = {row["text"] for row in rows if row["state"] == "unknown"}
    assert lost <= waiting, "a lost acknowledgement is not listed"


async def test_with_a_history_each_is_delivered_exactly_once(storm: Storm) -> None:
    await with_history(storm, 120, 0.04)


async def test_without_a_history_none_twice_none_lost_and_the_rest_is_listed(storm: Storm) -> None:
    await without_history(storm, 120, 0.04)


async def test_a_flood_keeps_the_order_of_each_chat(storm: Storm) -> None:
    await storm.switch(flood=3)
    await storm.order(150, chats=5)
    await storm.run(history=False, share=0)
    assert await storm.states() == {State.SENT: 150}
    for chat in range(5):
        arrived = [e["text"] for e in await storm.journal() if e["to"] == str(chat)]
        assert arrived == [f"message {n}" for n in range(150) if n % 5 == chat]


@pytest.mark.stress
@pytest.mark.timeout(3000)
async def test_five_thousand_with_a_history(storm: Storm) -> None:
    await with_history(storm, 5000 * STRESS, 0.02)


@pytest.mark.stress
@pytest.mark.timeout(3000)
async def test_five_thousand_without_a_history(storm: Storm) -> None:
    await without_history(storm, 5000 * STRESS, 0.02)
