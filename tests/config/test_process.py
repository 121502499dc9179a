"""`parley up` as a process: serves health, does its work, stops at a signal and leaves nothing running."""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.databases import Cluster, Copy
from tests.redis_server import RedisServer

UP = [sys.executable, "-c", "from cli.entry import main; main()", "up"]


class Up:
    """A running `parley up`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.port = self.log("health.serving")["port"]
        self.log("process.started")

    def log(self, event: str) -> dict[str, Any]:
        """The next log line of that event."""
        assert self.process.stderr
        for line in self.process.stderr:
            if line.startswith("{") and (fields := json.loads(line))["event"] == event:
                return dict(fields)
        raise AssertionError(f"the process ended before {event}")

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode


@contextmanager
def running(copy: Copy, redis_url: str) -> Iterator[Up]:
    environment = {
        **os.environ, "DATABASE_URL": copy.database_dsn, "DATABASE_ADMIN_URL": copy.admin_dsn, "REDIS_URL": redis_url,
        "METRICS_PORT": "0", "LOG_FORMAT": "json",
    }  # fmt: skip
    process = subprocess.Popen(UP, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield Up(process)
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
async def copy(cluster: Cluster) -> AsyncIterator[Copy]:
    async with cluster.clone() as copy:
        yield copy


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_serves_health_and_metrics_and_stops_at_a_signal(
    copy: Copy, redis_url: str, number: signal.Signals
) -> None:
    with running(copy, redis_url) as up:
        status, body = up.get("/healthz")
        assert (status, json.loads(body)) == (200, {"status": "ok", "postgres": "ok", "redis": "ok"})
        assert "parley_events_published_total" in up.get("/metrics")[1]
        assert up.stop(number) == 0


async def test_health_tells_that_redis_is_away_and_the_process_lives_on(copy: Copy, short_dir: Path) -> None:
    with RedisServer(short_dir) as server, running(copy, server.url) as up:
        server.kill()
        status, body = up.get("/healthz")
        assert status == 503
        assert json.loads(body)["postgres"] == "ok"
        assert up.log("loop.failed")["loop"]
        server.start()
        assert up.get("/healthz")[0] == 200
        assert up.stop() == 0
