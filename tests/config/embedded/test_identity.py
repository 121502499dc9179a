"""As whom PostgreSQL runs."""

import os
import pwd
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import EmbeddedError, start
from config.embedded import postgres as postgres_module
from config.embedded.binaries import postgres_programs
from config.embedded.deadline import Deadline
from config.embedded.identity import Identity, Way, can_run, namespaced, own, unprivileged
from config.embedded.layout import Layout, Service
from config.embedded.leftovers import recorded_pid
from config.embedded.locks import FileLock
from config.embedded.postgres import postgres
from config.embedded.share import CHECKOUT
from tests.config.embedded.conftest import SECONDS, Home, check_answers, kill
from tests.config.embedded.processes import parent_of

ACCOUNT = unprivileged().uid
# A supervisor on a machine that forbids user namespaces, whose place for other accounts' data is argv[1].
WITHOUT_NAMESPACES = """
import sys
from pathlib import Path
from config.embedded import identity, postgres, supervisor
postgres.ACCOUNT_DATA = Path(sys.argv[1])
postgres.can_run = lambda who, program: who.way is not identity.Way.NAMESPACE and identity.can_run(who, program)
supervisor.main(sys.argv[2:])
"""


class Machine:
    """Which ways of running a program it allows."""

    def __init__(self, *ways: Way) -> None:
        self._ways = ways

    def can_run(self, identity: Identity, _program: Path) -> bool:
        return identity.way in self._ways


@pytest.fixture
def as_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(postgres_module, "own", lambda: Identity(Way.PLAIN, 0, 0))
    monkeypatch.setattr(postgres_module, "ACCOUNT_DATA", tmp_path / "accounts")
    monkeypatch.setattr(postgres_module, "make_private", lambda path, _owner: path.mkdir())
    return monkeypatch


def chosen(as_root: pytest.MonkeyPatch, home: Path, *ways: Way) -> tuple[Way, Path]:
    as_root.setattr(postgres_module, "can_run", Machine(*ways).can_run)
    server = postgres(Layout(home, Service.POSTGRES), Path("/programs"), durable=True)
    return server.identity.way, server.folder


def test_root_gets_a_namespace_where_it_may(as_root: pytest.MonkeyPatch, tmp_path: Path) -> None:
    data = tmp_path / "postgres" / "data"
    assert chosen(as_root, tmp_path, Way.NAMESPACE, Way.ACCOUNT) == (Way.NAMESPACE, data)


def test_root_gets_an_account_elsewhere_and_its_data_stay_there(as_root: pytest.MonkeyPatch, tmp_path: Path) -> None:
    way, data = chosen(as_root, tmp_path, Way.ACCOUNT)
    assert (way, data.parent.parent) == (Way.ACCOUNT, tmp_path / "accounts")
    data.mkdir()
    as_root.setattr(postgres_module, "make_private", lambda _path, _owner: None)
    assert chosen(as_root, tmp_path, Way.NAMESPACE, Way.ACCOUNT) == (Way.ACCOUNT, data)


def test_data_made_in_a_namespace_are_not_forgotten(as_root: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "postgres" / "data").mkdir(parents=True)
    with pytest.raises(EmbeddedError, match=r"user namespaces, which this machine forbids: .* DATABASE_URL"):
        chosen(as_root, tmp_path, Way.ACCOUNT)


def test_programs_out_of_reach_are_an_error(as_root: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(EmbeddedError, match="run as an ordinary user or set DATABASE_URL"):
        chosen(as_root, tmp_path)


def test_ordinary_account_runs_it_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgres_module, "own", lambda: Identity(Way.PLAIN, 1000, 1000))
    server = postgres(Layout(tmp_path, Service.POSTGRES), Path("/programs"), durable=True)
    assert (server.identity.way, server.folder) == (Way.PLAIN, tmp_path / "postgres" / "data")


def test_program_that_is_missing_or_fails_cannot_be_run(tmp_path: Path) -> None:
    assert can_run(own(), Path(sys.executable))
    assert not can_run(own(), tmp_path / "missing")
    (tmp_path / "failing").write_text("#!/bin/sh\nexit 3\n")
    (tmp_path / "failing").chmod(0o755)
    assert not can_run(own(), tmp_path / "failing")


def test_no_account_to_run_as_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", unknown)
    with pytest.raises(EmbeddedError, match="no account `nobody`: run as an ordinary user or set DATABASE_URL"):
        namespaced()


if os.geteuid() == 0:  # nobody else can become another account

    @pytest.fixture
    def account_data() -> Iterator[Path]:
        """A place that the account can reach, unlike pytest's own."""
        path = Path(f"/var/tmp/parley-test-{os.getpid()}")  # noqa: S108
        path.mkdir(mode=0o755)
        yield path
        subprocess.run(["rm", "-r", path], check=True)

    @pytest.fixture
    def supervisor_without_namespaces(home: Home, account_data: Path) -> Iterator[None]:
        home.postgres.root.mkdir(mode=0o700, parents=True)
        (home.path / "secrets").mkdir(mode=0o700)
        with FileLock(home.postgres.users_lock) as users:
            assert users.try_shared()
            command = (account_data, Service.POSTGRES, home.path, postgres_programs(), "--fast")
            places = {"TMPDIR": str(account_data), "XDG_RUNTIME_DIR": str(account_data)}
            subprocess.run(
                [sys.executable, "-c", WITHOUT_NAMESPACES, *command], cwd=CHECKOUT, env=os.environ | places, check=True
            )
            yield
        home.wait_stopped()

    @pytest.mark.usefixtures("supervisor_without_namespaces")
    async def test_without_namespaces_the_account_nobody_serves(home: Home, account_data: Path) -> None:
        with start(home.path, durable=False) as embedded:
            await check_answers(embedded.servers)
            assert not home.postgres.data.exists()
        data = next(account_data.glob("*/data"))
        assert data.stat().st_uid == ACCOUNT
        assert data.parent.stat().st_mode & 0o777 == 0o700

    def test_account_cannot_run_what_it_cannot_reach(tmp_path: Path) -> None:
        program = tmp_path / "program"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        tmp_path.chmod(0o700)
        assert can_run(own(), program)
        assert not can_run(unprivileged(), program)

    @pytest.mark.usefixtures("supervisor_without_namespaces")
    async def test_server_of_the_account_dies_with_its_supervisor(home: Home, account_data: Path) -> None:
        with start(home.path, want_redis=False, durable=False):
            pid = recorded_pid(next(account_data.glob("*/data/postmaster.pid")))
            assert pid is not None
            kill(parent_of(pid))
            assert Deadline(SECONDS).wait_for(home.is_stopped)
