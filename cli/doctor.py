"""`parley doctor`: is this installation sound? Each check says what it saw and, if it is not well, what to do."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from enum import StrEnum
from typing import NamedTuple

import asyncpg
from redis.exceptions import RedisError

from cli.console import JsonOption, TenantOption, command, out, print_json
from config.health import CHECK_SECONDS
from config.runtime import MIGRATIONS, Runtime, open_runtime
from config.settings import Settings, load_settings
from core.access.service import access_tenant
from core.interactions.repo import InteractionRepo
from core.platform.errors import AppError, Misconfigured
from core.platform.guards import GuardRepo
from core.platform.migrate import load_migrations
from core.platform.secretbox import SecretRepo

OLDEST_POSTGRES = 160_000
LOW_DISK = 1 << 30  # bytes
MARKS = {"ok": "✓", "warning": "!", "failed": "✗"}


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


class Finding(NamedTuple):
    name: str
    state: State
    text: str


@command
async def doctor(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Check settings, servers, schema, isolation and stored data; exit 1 when something is broken."""
    findings = [finding async for finding in examine(load_settings(), tenant)]
    if as_json:
        print_json({"checks": [finding._asdict() for finding in findings]})
    else:
        for finding in findings:
            out.print(f"{MARKS[finding.state]} {finding.name:12} {finding.text}", markup=False)
    if any(finding.state is State.FAILED for finding in findings):
        raise AppError("Something is broken: see the lines marked ✗ above.")


async def examine(settings: Settings, tenant: str | None) -> AsyncIterator[Finding]:
    """From the outside in; stops where the next check would stand on a broken one."""
    yield _python()
    yield _disk(settings)
    try:
        async with open_runtime(settings, "doctor", redis=True, pool=2) as runtime:
            for check in (_postgres, _locale, _schema, _isolation, _vector, _redis):
                yield await check(runtime)
            yield await _guarded("secrets", _secrets, runtime, tenant)
            yield await _guarded("content", _content, runtime, tenant)
    except AppError as error:
        yield Finding("servers", State.FAILED, str(error))


async def _guarded(
    name: str, check: Callable[[Runtime, str | None], Awaitable[Finding]], runtime: Runtime, tenant: str | None
) -> Finding:
    try:
        return await check(runtime, tenant)
    except AppError as error:
        return Finding(name, State.FAILED, str(error))


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", State.OK, f"{version} on {sys.platform}")


def _disk(settings: Settings) -> Finding:
    place = next(folder for folder in [settings.home, *settings.home.parents] if folder.exists())
    free = shutil.disk_usage(place).free
    state = State.OK if free > LOW_DISK else State.WARNING
    return Finding("disk", state, f"{free / (1 << 30):.1f} GiB free for {settings.home}")


async def _postgres(runtime: Runtime) -> Finding:
    async with runtime.database.anyone() as db:
        number, version = await GuardRepo(db).get_server_version()
    where = "embedded" if runtime.settings.database_url is None else "DATABASE_URL"
    if number < OLDEST_POSTGRES:
        return Finding("postgres", State.FAILED, f"{version} is too old: use PostgreSQL 16 or newer, best 18.")
    return Finding("postgres", State.OK, f"{version}, {where}")


async def _locale(runtime: Runtime) -> Finding:
    async with runtime.database.anyone() as db:
        folds = await GuardRepo(db).folds_russian()
    if folds:
        return Finding("locale", State.OK, "Russian capitals fold and stem")
    return Finding(
        "locale",
        State.FAILED,
        "lower('Ё') is not 'ё': create the database with the builtin locale provider, PG_UNICODE_FAST.",
    )


async def _schema(runtime: Runtime) -> Finding:
    migrations = load_migrations(MIGRATIONS)
    return Finding("schema", State.OK, f"{len(migrations):04}, as this version expects")


async def _isolation(runtime: Runtime) -> Finding:
    async with runtime.database.anyone() as db:
        guards = GuardRepo(db)
        open_tables = await guards.list_open_tables()
        is_bound = await guards.is_bound_by_policies()
    if not is_bound:
        return Finding(
            "isolation",
            State.FAILED,
            "The application role is a superuser or bypasses row security: create parley_app anew.",
        )
    if open_tables:
        return Finding(
            "isolation",
            State.FAILED,
            f"Without forced row security: {', '.join(open_tables)}; restore the migrations' policies.",
        )
    return Finding("isolation", State.OK, "row level security is forced on every table, and binds this login")


async def _vector(runtime: Runtime) -> Finding:
    async with runtime.database.anyone() as db:
        version = await GuardRepo(db).get_vector_version()
    if version is None:
        return Finding("pgvector", State.WARNING, "not available on this server: retrieval will need it.")
    return Finding("pgvector", State.OK, version)


async def _redis(runtime: Runtime) -> Finding:
    try:
        async with asyncio.timeout(CHECK_SECONDS):
            info = await runtime.need_redis().info("server")
    except (RedisError, OSError, TimeoutError) as error:
        return Finding(
            "redis", State.FAILED, f"does not answer ({type(error).__name__}): check REDIS_URL and the server."
        )
    where = "embedded" if runtime.settings.redis_url is None else "REDIS_URL"
    return Finding("redis", State.OK, f"Redis {info['redis_version']}, {where}")


async def _secrets(runtime: Runtime, tenant: str | None) -> Finding:
    found = await access_tenant(runtime.database, tenant)
    try:
        box = runtime.secret_box()
    except Misconfigured as error:
        return Finding("secrets", State.WARNING, str(error))
    async with runtime.database.uow(found.tenant_id) as uow:
        readable = await SecretRepo(uow.db, box).check_all(found.tenant_id)
    return Finding("secrets", State.OK, f"{readable} stored, all readable with the current keys")


async def _content(runtime: Runtime, tenant: str | None) -> Finding:
    found = await access_tenant(runtime.database, tenant)
    try:
        async with runtime.database.uow(found.tenant_id) as uow:
            bare, orphans = await InteractionRepo(uow.db).count_orphans(found.tenant_id)
    except asyncpg.QueryCanceledError:
        return Finding("content", State.WARNING, "the comparison of interactions and texts took too long")
    if bare or orphans:
        return Finding(
            "content", State.FAILED, f"{bare} interactions without text row, {orphans} text rows without interaction."
        )
    return Finding("content", State.OK, "every interaction has its text row, and the other way round")
