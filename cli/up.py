"""`parley up`: all apps in one process."""

from bot.app import run as run_bot
from cli.console import command, err
from config.process import run_process
from config.settings import load_settings
from ingest.app import run as run_ingest
from worker.app import run as run_worker

APPS = {"worker": run_worker, "ingest": run_ingest, "bot": run_bot}


@command
async def up() -> None:
    """Run ingest, worker and bot in one process until Ctrl-C."""
    err.print("Parley is running; Ctrl-C stops it.")
    await run_process(load_settings(), "up", APPS)
    err.print("Stopped.")
