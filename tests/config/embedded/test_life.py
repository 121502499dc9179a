"""Started once, shared by many, gone with the last."""

import os
import signal
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from config.embedded import EmbeddedError, start
from config.embedded.deadline import Deadline
from tests.config.embedded.conftest import SECONDS, Home, NewUser, check_answers
from tests.config.embedded.processes import environment_of, is_alive


async def test_servers_answer_and_the_app_role_is_bound_by_row_security(home: Home) -> None:
    with start(home.path, durable=False) as embedded:
        app = await asyncpg.connect(embedded.servers.database_dsn)
        rows = await app.fetch(
            "SELECT current_database(), rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb"
            " FROM pg_roles WHERE rolname = current_user"
        )
        await app.close()
        async with Redis.from_url(embedded.servers.redis_url) as redis:
            assert await redis.ping()
    assert [tuple(row) for row in rows] == [("parley", False)]


async def test_admin_is_superuser_and_text_folds_whatever_the_locale(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    with start(home.path, want_redis=False, durable=False) as embedded:
        admin = await asyncpg.connect(embedded.servers.admin_dsn)
        rows = await admin.fetch(
            "SELECT rolsuper, lower('ПРИВЕТ Ё'), to_tsvector('russian', 'Ёлки')::text, current_setting('TimeZone'),"
            " current_setting('fsync'), current_setting('max_connections')"
            " FROM pg_roles WHERE rolname = current_user"
        )
        await admin.close()
    assert [tuple(row) for row in rows] == [(True, "привет ё", "'елк':1", "UTC", "off", "100")]


async def test_durable_server_syncs(home: Home) -> None:
    with start(home.path) as embedded:
        admin = await asyncpg.connect(embedded.servers.admin_dsn)
        assert await admin.fetchval("SHOW fsync") == "on"
        await admin.close()
        async with Redis.from_url(embedded.servers.redis_url) as redis:
            assert (await redis.config_get("appendonly"))["appendonly"] == "yes"


async def test_password_is_asked_of_everybody(home: Home) -> None:
    with start(home.path, want_redis=False, durable=False) as embedded:
        for role in ("parley_app", "parley_admin"):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(embedded.servers.database_dsn, user=role, password="guess")


async def test_data_survive_a_stop(home: Home) -> None:
    with start(home.path, durable=False) as embedded:
        admin = await asyncpg.connect(embedded.servers.admin_dsn)
        await admin.execute("CREATE TABLE kept AS SELECT 7 AS n")
        await admin.close()
    home.wait_stopped()
    with start(home.path, durable=False) as embedded:
        admin = await asyncpg.connect(embedded.servers.admin_dsn)
        assert await admin.fetchval("SELECT n FROM kept") == 7
        await admin.close()


def test_only_the_wanted_server_runs(home: Home) -> None:
    with start(home.path, want_postgres=False, durable=False) as embedded:
        assert (embedded.servers.admin_dsn, embedded.servers.database_dsn) == ("", "")
        assert embedded.servers.redis_url
        assert not home.postgres.root.exists()


def test_ten_starters_at_once_share_one_server(home: Home, user: NewUser) -> None:
    users = [user() for _ in range(10)]
    assert len({each.servers() for each in users}) == 1
    for each in users[:-1]:
        assert each.leave() == 0
    assert is_alive(home.pid(home.postgres))
    assert is_alive(home.pid(home.redis))
    users[-1].leave()
    home.wait_stopped()


def test_close_twice_and_start_again_in_one_process(home: Home) -> None:
    first = start(home.path, want_postgres=False, durable=False)
    second = start(home.path, want_postgres=False, durable=False)
    first.close()
    first.close()
    assert not home.is_stopped()
    second.close()
    third = start(home.path, want_postgres=False, durable=False)
    third.close()
    assert third.servers == second.servers


def test_start_leaves_neither_files_open_nor_children(home: Home) -> None:
    before, children = open_files(), children_of_this_process()
    embedded = start(home.path, durable=False)
    assert children_of_this_process() == children
    embedded.close()
    assert open_files() == before
    home.wait_stopped()


def test_two_homes_do_not_meet(home: Home, user: NewUser, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    users = user(), user(other.path)
    here, there = (each.servers() for each in users)
    assert not {here.admin_dsn, here.redis_url} & {there.admin_dsn, there.redis_url}
    users[0].leave()
    home.wait_stopped()
    assert is_alive(other.pid(other.postgres))
    users[1].leave()
    other.wait_stopped()


def test_nobody_else_can_look_in(home: Home) -> None:
    with start(home.path, durable=False) as embedded:
        sockets = Path(embedded.servers.redis_url.removeprefix("unix://")).parent
        private = (home.path, home.path / "secrets", home.postgres.root, home.redis.root, sockets)
        assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o700}
        files = (home.postgres.secrets, home.postgres.log, home.redis.log)
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    home.wait_stopped()
    assert not sockets.exists()


async def test_interrupt_of_the_terminal_ends_the_user_not_the_servers(home: Home, user: NewUser) -> None:
    leader = user(own_session=True, stderr=subprocess.DEVNULL)
    leader.servers()
    other = user()
    servers = other.servers()
    for layout in (home.postgres, home.redis):
        for pid in (home.pid(layout), home.supervisor(layout)):
            assert os.getsid(pid) != leader.process.pid
    os.killpg(leader.process.pid, signal.SIGINT)
    leader.process.wait(SECONDS)
    await check_answers(servers)


def test_termination_of_the_supervisor_stops_the_server(home: Home) -> None:
    with start(home.path, want_postgres=False, durable=False):
        os.kill(home.supervisor(home.redis), signal.SIGTERM)
        home.wait_stopped()


def test_pipe_of_the_starter_ends_with_it(home: Home, user: NewUser) -> None:
    starter = user(stderr=subprocess.STDOUT)
    starter.servers()
    user().servers()
    starter.process.kill()
    assert starter.stdout.read() == ""  # would wait for ever if a server had inherited it
    assert is_alive(home.pid(home.postgres))


def test_supervisor_is_not_told_the_secrets_of_its_starter(home: Home, user: NewUser) -> None:
    user(env=os.environ | {"PARLEY_BOT_TOKEN": "1:secret"}).servers()
    for layout in (home.postgres, home.redis):
        told = environment_of(home.supervisor(layout))
        assert "LC_ALL=C" in told
        assert "secret" not in told


async def test_lost_passwords_are_replaced(home: Home) -> None:
    first = start(home.path, want_redis=False, durable=False)
    first.close()
    home.wait_stopped()
    home.postgres.secrets.unlink()
    with start(home.path, durable=False) as second:
        assert second.servers.database_dsn != first.servers.database_dsn
        await check_answers(second.servers)


def test_timeout_is_an_error_that_names_the_log(home: Home) -> None:
    with pytest.raises(EmbeddedError, match=r"PostgreSQL did not answer in time: .*server\.log"):
        start(home.path, want_redis=False, durable=False, timeout=0)
    assert Deadline(SECONDS).wait_for(home.is_stopped)


def open_files() -> list[str]:
    return sorted(os.listdir("/dev/fd"))


def children_of_this_process() -> set[int]:
    """Other tests of this run may have some of their own, zombies count."""
    found: set[int] = set()
    for children in Path("/proc/self/task").glob("*/children"):
        with suppress(FileNotFoundError):  # a thread that has just ended
            found.update(map(int, children.read_text().split()))
    return found
