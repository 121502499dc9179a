"""`parley import`: a file into the store."""

import sys
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from cli.console import JsonOption, TenantOption, command, err, out, print_json, with_reader
from config.runtime import Runtime
from core.access.model import Permission, Reader
from core.access.permissions import check_permission
from core.access.service import access_project
from core.platform.errors import BadInput
from ingest.imports.record_import import import_records
from ingest.imports.report import ImportReport, OnProgress
from ingest.imports.report import Progress as FileProgress
from ingest.imports.telegram_import import TelegramImport

SKIPPED_SHOWN = 10


@command
async def import_(
    path: Annotated[Path, typer.Argument(help="result.json of Telegram Desktop, or a .jsonl of interactions.")],
    project: Annotated[str | None, typer.Option(help="Which project gets it (default: the first).")] = None,
    timezone: Annotated[str, typer.Option(help="Time zone of exports made before June 2022.")] = "UTC",
    account: Annotated[
        str | None, typer.Option(help="Whose export it is, when two accounts exported one chat.")
    ] = None,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Import a Telegram Desktop export or a file of marketplace interactions; a second time changes nothing."""
    zone = parse_zone(timezone)

    async def work(runtime: Runtime, reader: Reader) -> ImportReport:
        with progress_bar(f"Importing {path.name}", hidden=as_json) as on_progress:
            return await run_import(runtime, reader, path, project, zone, account, on_progress)

    report = await with_reader(tenant, work)
    print_json(report) if as_json else print_report(report)


async def run_import(
    runtime: Runtime,
    reader: Reader,
    path: Path,
    project: str | None,
    zone: ZoneInfo,
    account: str | None,
    on_progress: OnProgress,
) -> ImportReport:
    check_permission(reader, Permission.IMPORT)
    found = await access_project(runtime.database, reader, project)
    if path.suffix == ".jsonl":
        return await import_records(runtime.database, reader.tenant_id, found.id, path, runtime.clock, on_progress)
    run = TelegramImport(
        runtime.database, reader.tenant_id, found.id, runtime.clock, zone=zone, account=account, on_progress=on_progress
    )
    return await run.run(path)


def parse_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadInput(f"«{name}» is no time zone: use a name such as Europe/Moscow.") from error


class progress_bar:  # noqa: N801 - reads as a function at its one use
    """A bar on a terminal, nothing elsewhere."""

    def __init__(self, title: str, *, hidden: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[messages]} messages"),
            TimeRemainingColumn(),
            console=err,
            disable=hidden or not sys.stderr.isatty(),
        )
        self._title = title
        self._task: TaskID | None = None

    def __enter__(self) -> OnProgress:
        self._progress.start()
        self._task = self._progress.add_task(self._title, total=None, messages=0)
        return self._show

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _show(self, progress: FileProgress) -> None:
        assert self._task is not None  # noqa: S101 - shown between __enter__ and __exit__
        self._progress.update(
            self._task,
            completed=progress.done,
            total=progress.total,
            messages=f"{progress.messages:,}".replace(",", " "),
        )


def print_report(report: ImportReport) -> None:
    out.print(
        f"{report.messages} messages in {report.chats} chats: {report.inserted} new, {report.updated} updated, "
        f"{report.unchanged} unchanged, {len(report.skipped)} skipped ({report.seconds:.1f} s).",
        markup=False,
    )
    for item in report.skipped[:SKIPPED_SHOWN]:
        out.print(f"  skipped {item.where}: {item.why}", markup=False)
    if len(report.skipped) > SKIPPED_SHOWN:
        out.print(f"  … and {len(report.skipped) - SKIPPED_SHOWN} more (--json lists them).")
