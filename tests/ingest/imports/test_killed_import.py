"""kill -9 of the importer at any moment, then a re-run: the store is the same as after one clean import."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.access.model import Role
from core.access.service import access_reader, access_tenant
from core.platform.db import Database
from tests.databases import Cluster, Copy
from tests.dumps import dump
from tests.ingest.imports.telegram_export import exports
from tests.ingest.imports.telegram_export.exports import NOON, message, service

STRESS = int(os.environ.get("STRESS_N", "1"))


def write_export(path: Path, count: int) -> None:
    """A forum with edits, replies across topics and a renamed topic, long enough to be killed in."""
    messages = [service(1, "topic_created", title="Возвраты"), service(2, "topic_created", title="Реклама")]
    for n in range(3, count):
        keys: dict[str, object] = {"reply_to_message_id": max(1, n - 7)} if n % 3 else {}
        if n % 11 == 0:
            keys |= {"edited": "2025-01-01T12:30:00", "edited_unixtime": str(NOON + n + 60)}
        messages.append(message(n, f"сообщение {n} " + "слово " * (n % 30), at=NOON + n, **keys))
    path.write_bytes(exports.dump(exports.chat(messages)))


def importer(copy: Copy, path: Path) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "DATABASE_URL": copy.database_dsn, "DATABASE_ADMIN_URL": copy.admin_dsn}
    command = [sys.executable, "-c", "from cli.entry import main; main()", "import", str(path), "--json"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def run_to_the_end(copy: Copy, path: Path) -> float:
    started = time.monotonic()
    process = importer(copy, path)
    process.communicate()
    assert process.returncode == 0
    return time.monotonic() - started


async def the_dump(copy: Copy) -> object:
    database = await Database.open(copy.database_dsn, name="tests", size=2)
    tenant = await access_tenant(database, None)
    await access_reader(database, tenant.tenant_id, Role.OWNER)
    found = await dump(database, tenant.tenant_id)
    await database.close()
    return found


async def kill_and_rerun(cluster: Cluster, folder: Path, kills: int, messages: int) -> None:
    path = folder / "result.json"
    write_export(path, messages)
    dice = random.Random(3)
    async with cluster.clone() as clean:
        whole = run_to_the_end(clean, path)
        expected = await the_dump(clean)
    async with cluster.clone() as killed:
        for _ in range(kills):
            process = importer(killed, path)
            try:
                process.wait(timeout=dice.uniform(0.5, 1) * whole)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            process.communicate()
        run_to_the_end(killed, path)
        assert await the_dump(killed) == expected


async def test_a_killed_import_is_completed_by_a_rerun(cluster: Cluster, tmp_path: Path) -> None:
    await kill_and_rerun(cluster, tmp_path, kills=2, messages=6_000)


@pytest.mark.stress
@pytest.mark.timeout(1800)
async def test_thirty_kills(cluster: Cluster, tmp_path: Path) -> None:
    await kill_and_rerun(cluster, tmp_path, kills=30 * STRESS, messages=40_000)
