"""Real PostgreSQL and Redis for every test, from the embedded wheels; a tenant of its own for each."""

import hashlib
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from config.embedded import Servers, start
from config.runtime import MIGRATIONS
from config.settings import Settings
from core.access.model import Reader, Role
from core.access.service import access_project, access_reader, do_found_tenant
from core.platform.db import Database
from core.platform.ids import ProjectId, TenantId
from core.platform.migrate import load_migrations
from tests.databases import Cluster

CHECKOUT = Path(__file__).parent.parent
PRODUCT_SETTINGS = [name.upper() for name in Settings.model_fields]


@pytest.fixture(scope="session", autouse=True)
def _scrubbed_environment() -> None:
    """What the person has set for the product must not reach its tests."""
    for name in PRODUCT_SETTINGS:
        os.environ.pop(name, None)


@pytest.fixture(scope="session")
def servers(_scrubbed_environment: None) -> Iterator[Servers]:
    """One PostgreSQL and one Redis for all workers of a run, without fsync."""
    with start(CHECKOUT / ".run" / "tests", durable=False) as embedded:
        yield embedded.servers


@pytest.fixture(scope="session")
async def cluster(servers: Servers) -> Cluster:
    """The template database of this run's migrations, made once by whichever worker comes first."""
    cluster = Cluster(servers.admin_dsn, servers.database_dsn)
    migrations = load_migrations(MIGRATIONS)
    key = hashlib.sha256("".join(m.checksum for m in migrations).encode()).hexdigest()[:12]
    await cluster.make_template(f"parley_template_{key}", migrations)
    return cluster


@pytest.fixture(scope="session")
async def database(cluster: Cluster) -> AsyncIterator[Database]:
    """The worker's database; tests share it and keep apart by their tenants."""
    async with cluster.clone() as copy:
        database = await Database.open(copy.database_dsn, name="tests")
        yield database
        await database.close()


@pytest.fixture
async def fresh(cluster: Cluster) -> AsyncIterator[Database]:
    """A database of the test's own, for what looks at all tenants at once."""
    async with cluster.clone() as copy:
        database = await Database.open(copy.database_dsn, name="tests")
        yield database
        await database.close()


@pytest.fixture
async def tenant_id(database: Database) -> TenantId:
    return (await do_found_tenant(database, f"t{secrets.token_hex(8)}", "Test")).tenant_id


@pytest.fixture
async def reader(database: Database, tenant_id: TenantId) -> Reader:
    return await access_reader(database, tenant_id, Role.OWNER)


@pytest.fixture
async def project_id(database: Database, reader: Reader) -> ProjectId:
    return (await access_project(database, reader, None)).id


@pytest.fixture
async def redis_url(servers: Servers) -> AsyncIterator[str]:
    """An empty logical database of this worker's own."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    url = f"{servers.redis_url}?db={int(worker) % 16}"
    client = Redis.from_url(url)
    await client.flushdb()
    await client.aclose()
    yield url


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator["Redis"]:
    client = Redis.from_url(redis_url)
    yield client
    await client.aclose()


class Clock:
    """Time that stands still until the test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 10, 14, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """A folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(prefix="p", dir="/tmp") as folder:
        yield Path(folder)
