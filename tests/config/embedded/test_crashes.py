"""kill -9 of anything: whoever remains goes on, whoever comes next starts."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from config.embedded import EmbeddedError, start
from config.embedded.deadline import Deadline
from tests.config.embedded.conftest import SECONDS, Home, NewUser, check_answers, kill
from tests.config.embedded.processes import is_alive, processes

# What has appeared in the home when everything is killed, in the order of a first start.
MOMENTS = (
    "postgres/supervisor.lock",
    "postgres/data*",
    "postgres/data*/PG_VERSION",
    "postgres/data*/base/5",
    "postgres/data*/base/?????",  # the database made after initdb
    "secrets/postgres.json",
    "postgres/data",
    "postgres/data/postmaster.pid",
)


async def test_only_user_killed_stops_the_servers_and_the_next_one_starts(home: Home, user: NewUser) -> None:
    first = user()
    first.servers()
    first.kill()
    home.wait_stopped()
    await check_answers(user().servers())


async def test_starter_killed_leaves_the_servers_to_the_others(home: Home, user: NewUser) -> None:
    starter = user()
    starter.servers()
    other = user()
    servers = other.servers()
    starter.kill()
    await check_answers(servers)
    other.leave()
    home.wait_stopped()


async def test_postmaster_killed_is_started_again_for_its_users(home: Home) -> None:
    with start(home.path, want_redis=False) as embedded:
        admin = await asyncpg.connect(embedded.servers.admin_dsn)
        await admin.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await kill_postmaster(home, admin)
        with start(home.path, want_redis=False) as again:
            assert again.servers == embedded.servers
            admin = await asyncpg.connect(embedded.servers.admin_dsn)
            assert await admin.fetchval("SELECT n FROM kept") == 7
            await admin.close()


async def test_redis_killed_is_started_again_for_its_users(home: Home) -> None:
    with start(home.path, want_postgres=False) as embedded:
        async with Redis.from_url(embedded.servers.redis_url) as redis:
            await redis.set("kept", 7)
        kill(home.pid(home.redis))
        with start(home.path, want_postgres=False) as again:
            assert again.servers == embedded.servers
            async with Redis.from_url(again.servers.redis_url) as redis:
                assert await redis.get("kept") == b"7"


async def test_sockets_taken_away_come_back(home: Home) -> None:
    with start(home.path, durable=False) as embedded:
        for layout in (home.postgres, home.redis):
            shutil.rmtree(Path(layout.ready.read_text()).parent)
        with start(home.path, durable=False) as again:
            assert again.servers == embedded.servers
            await check_answers(again.servers)


async def test_supervisors_killed_take_their_servers_along(home: Home) -> None:
    with start(home.path, durable=False) as embedded:
        servers = [home.pid(home.postgres), home.pid(home.redis)]
        for layout in (home.postgres, home.redis):
            kill(home.supervisor(layout))
        if sys.platform == "linux":  # elsewhere the next start ends them
            home.wait_stopped()
        with start(home.path, durable=False) as again:
            assert not any(map(is_alive, servers))
            assert again.servers == embedded.servers
            await check_answers(again.servers)


async def test_next_start_waits_for_an_orphan_to_end(home: Home) -> None:
    """The old server is held up, so that the new supervisor meets it alive."""
    with start(home.path, durable=False):
        old = home.pid(home.redis)
        os.kill(old, signal.SIGSTOP)
        kill(home.supervisor(home.redis))
        with pytest.raises(EmbeddedError, match="Redis did not answer in time"):
            start(home.path, durable=False, timeout=0.5)
        os.kill(old, signal.SIGCONT)
        with start(home.path, durable=False) as again:
            await check_answers(again.servers)
            assert not is_alive(old)


async def test_everything_killed_at_once_starts_again(home: Home, user: NewUser) -> None:
    user().servers()
    kill_all(home)
    await check_answers(user().servers())


@pytest.mark.parametrize("moment", MOMENTS)
async def test_first_start_killed_half_way_is_made_good(home: Home, user: NewUser, moment: str) -> None:
    user()
    wait_for_file(home, moment)
    kill_all(home)
    await check_answers(user().servers())


async def test_supervisor_killed_during_initdb_is_replaced_for_the_waiting_user(home: Home, user: NewUser) -> None:
    waiting = user()
    wait_for_file(home, "postgres/data*/PG_VERSION")
    kill_all(home, spare=waiting.process.pid)
    await check_answers(waiting.servers())


async def test_stale_pid_file_of_a_reused_pid_does_not_block(home: Home, user: NewUser, another_process: int) -> None:
    first = user()
    first.servers()
    pid_file = home.postgres.data / "postmaster.pid"
    text = pid_file.read_text()
    first.leave()
    home.wait_stopped()
    pid_file.write_text(text.replace(text.split("\n")[0], str(another_process), 1))
    await check_answers(user().servers())
    assert is_alive(another_process)


def test_server_started_by_others_in_the_folder_is_not_disturbed(home: Home, user: NewUser) -> None:
    first = user()
    first.servers()
    first.leave()
    home.wait_stopped()
    code = "import sys; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, cwd=home.postgres.data) as stranger:
        (home.postgres.data / "postmaster.pid").write_text(f"{stranger.pid}\n")
        with pytest.raises(EmbeddedError, match=f"Process {stranger.pid}, not started by Parley"):
            start(home.path, want_redis=False, durable=False)
        assert stranger.poll() is None


async def kill_postmaster(home: Home, session: "asyncpg.Connection[asyncpg.Record]") -> None:
    """And wait until this session has noticed."""
    lost = asyncio.Event()
    session.add_termination_listener(lambda _: lost.set())
    kill(home.pid(home.postgres))
    await asyncio.wait_for(lost.wait(), SECONDS)


def wait_for_file(home: Home, pattern: str) -> None:
    assert Deadline(SECONDS).wait_for(lambda: any(home.path.glob(pattern)), pause=0.001)


def kill_all(home: Home, spare: int = 0) -> None:
    """Users, supervisors and PostgreSQL name the home in their commands; Redis dies with its supervisor."""
    for process in processes():
        if str(home.path) in process.command and process.pid != spare:
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
