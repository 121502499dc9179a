"""The command line of the benches."""

from collections.abc import Awaitable, Callable
from enum import StrEnum
from typing import Annotated

import typer

from cli.bench.inbox import bench_inbox
from cli.bench.ingest import bench_ingest
from cli.bench.jobs import bench_jobs
from cli.bench.measure import Bench, Result, open_bench
from cli.bench.updates import bench_updates
from cli.console import JsonOption, command, err, out, print_json
from config.settings import load_settings


class Subject(StrEnum):
    INGEST = "ingest"
    INBOX = "inbox"
    JOBS = "jobs"
    UPDATES = "updates"


RUNS: dict[Subject, tuple[Callable[[Bench, int], Awaitable[list[Result]]], int]] = {
    Subject.INGEST: (bench_ingest, 20_000),
    Subject.INBOX: (bench_inbox, 1_000_000),
    Subject.JOBS: (bench_jobs, 2_000),
    Subject.UPDATES: (bench_updates, 2_000),
}


@command
async def bench(
    subject: Annotated[Subject | None, typer.Argument(help="What to measure (default: everything).")] = None,
    n: Annotated[int | None, typer.Option("--n", min=100, help="How many rows; smaller is quicker.")] = None,
    as_json: JsonOption = False,
    _tenant: Annotated[str | None, typer.Option("--tenant", hidden=True)] = None,  # has a database of its own
) -> None:
    """Measure beside a floor, in a database of its own that is dropped afterwards."""
    results: list[Result] = []
    for one in [subject] if subject else list(Subject):
        run, usual = RUNS[one]
        err.print(f"{one}: {n or usual} rows …") if not as_json else None
        async with open_bench(load_settings(), redis=one in (Subject.JOBS, Subject.UPDATES)) as opened:
            results += await run(opened, n or usual)
    if as_json:
        print_json({"results": [result.as_json() for result in results]})
        return
    for result in results:
        out.print(
            f"{result.name:28} {result.ours:>12.4f}  floor {result.floor:>12.4f} {result.unit:7} "
            f"ratio {result.ratio:.2f}  n {result.n}"
        )
