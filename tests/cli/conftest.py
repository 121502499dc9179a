import json
import logging
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import structlog

from cli.entry import main
from config.embedded import Servers
from tests.databases import Cluster, Copy


class Ended(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object that --json prints."""
        assert self.out.count("\n") == 1, self.out
        return json.loads(self.out)


Cli = Callable[..., Ended]


@pytest.fixture
async def copy(cluster: Cluster) -> AsyncIterator[Copy]:
    async with cluster.clone() as copy:
        yield copy


@pytest.fixture
def logs_restored() -> Iterator[None]:
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level
    yield
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def cli(
    copy: Copy,
    servers: Servers,
    redis_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    logs_restored: None,
) -> Cli:
    """Runs `parley ARGS` against a database of its own."""
    monkeypatch.setenv("DATABASE_URL", copy.database_dsn)
    monkeypatch.setenv("DATABASE_ADMIN_URL", copy.admin_dsn)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("PARLEY_HOME", str(tmp_path / "home"))

    def run(*args: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["parley", *args])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        out, err = capsys.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0 if code is None else 1, out, err)

    return run
