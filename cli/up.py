"""`parley up`: all apps in one process."""

from bot.app import first_admin_links
from bot.app import run as run_bot
from cli.console import command, err
from config.logging import setup_logging
from config.process import run_process
from config.runtime import Runtime
from config.settings import Settings, load_settings
from ingest.app import run as run_ingest
from worker.app import run as run_worker

APPS = {"worker": run_worker, "ingest": run_ingest, "bot": run_bot}


@command
async def up() -> None:
    """Run ingest, worker and bot in one process until Ctrl-C."""
    await run_apps(load_settings())


async def run_apps(settings: Settings) -> None:
    setup_logging(settings.log_level, settings.log_format, "up")
    await run_process(settings, "up", APPS, _greet)
    err.print("Stopped.")


async def _greet(runtime: Runtime) -> None:
    err.print("Parley is running; Ctrl-C stops it.")
    for link in await first_admin_links(runtime):
        err.print(f"Nobody owns this bot yet. Who opens this link first, once, does: {link}", markup=False)
