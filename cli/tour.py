"""`parley tour`, what `make demo` shows: the servers start, a group is imported, its digest is made."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cli.console import command, err, out, print_text
from cli.digest import REASONS
from cli.imports import print_report, progress_bar, run_import
from cli.up import run_apps
from config.policies import DigestPolicy, digest_options
from config.runtime import Runtime, open_runtime
from config.sample import GROUP, MARKETPLACE
from config.settings import Settings, load_settings
from core.access.model import Reader, Role
from core.access.service import access_reader, access_tenant
from core.digests.model import Digest, Skipped
from core.digests.service import Chat, access_chat, choose_window, make_digest
from core.digests.terminal import as_text
from core.interactions.conversation_repo import ConversationRepo
from core.platform.errors import BadInput
from ingest.imports.report import ImportReport

SPANS = (timedelta(days=1), timedelta(days=3), timedelta(days=7), timedelta(days=30))


@command
async def tour(
    export: Annotated[Path | None, typer.Argument(help="A result.json of your own instead of the sample.")] = None,
    once: Annotated[bool, typer.Option("--once", help="End after the tour instead of going on running.")] = False,
) -> None:
    """Import a group, show its digest, then run until Ctrl-C."""
    settings = load_settings()
    async with _started(settings) as (runtime, reader):
        key = await _import(runtime, reader, export)
        made = await _make(runtime, reader, await access_chat(runtime.database, reader, key), sample=export is None)
    _show(made)
    out.print(
        f"\nMore: .venv/bin/parley digest --chat {key} --window 24h · parley status · parley --help", markup=False
    )
    if not once:
        await run_apps(settings)


@asynccontextmanager
async def _started(settings: Settings) -> AsyncIterator[tuple[Runtime, Reader]]:
    began = monotonic()
    err.print("Starting PostgreSQL and Redis …")
    async with open_runtime(settings, "tour", pool=4) as runtime:
        tenant = await access_tenant(runtime.database, None)
        err.print(f"Both run, the schema is ready ({monotonic() - began:.1f} s). Data: {settings.home}", markup=False)
        yield runtime, await access_reader(runtime.database, tenant.tenant_id, Role.OWNER)


async def _import(runtime: Runtime, reader: Reader, export: Path | None) -> str:
    """Imports the person's file, or the samples; returns the key of the busiest group of it."""
    report = await _import_one(runtime, reader, export or GROUP)
    if export is None:
        await _import_one(runtime, reader, MARKETPLACE)
    async with runtime.database.uow(reader.tenant_id) as uow:
        key = await ConversationRepo(uow.db).find_busiest(reader.tenant_id, report.chat_keys)
    if key is None:
        raise BadInput(f"{export} holds no group: export a group's history to see a digest of it.")
    return key


async def _import_one(runtime: Runtime, reader: Reader, path: Path) -> ImportReport:
    with progress_bar(f"Importing {path.name}", hidden=False) as on_progress:
        report = await run_import(runtime, reader, path, None, ZoneInfo("UTC"), None, on_progress)
    out.print(f"{path.name}: ", end="", markup=False)
    print_report(report)
    return report


async def _make(runtime: Runtime, reader: Reader, chat: Chat, *, sample: bool) -> Digest | Skipped:
    """Of the shortest time in which enough was said, back from the newest message; the sample is three days long."""
    policy = await runtime.policies.get(reader.tenant_id, DigestPolicy)
    options = digest_options(policy)
    for span in SPANS[1:] if sample else SPANS:
        window = await choose_window(runtime.database, reader, chat, span, None, runtime.clock())
        made = await make_digest(runtime.database, reader, chat, window, options)
        if isinstance(made, Digest):
            break
    return made


def _show(made: Digest | Skipped) -> None:
    if isinstance(made, Skipped):
        print_text(f"\nNo digest: {REASONS[made.reason]}.")
    else:
        print_text("\n" + as_text(made.html))
