"""How commands talk: results on stdout, everything else on stderr, errors as one sentence and an exit code."""

import asyncio
import errno
import json
import sys
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Annotated, Any, NoReturn, ParamSpec, TypeVar

import asyncpg
import redis.exceptions
import typer
from pydantic import BaseModel
from rich.console import Console

from config.logging import setup_logging
from config.runtime import Runtime, open_runtime
from config.settings import load_settings
from core.access.model import Reader, Role
from core.access.service import access_reader, access_tenant
from core.platform.correlation import correlated
from core.platform.errors import AppError

P = ParamSpec("P")
T = TypeVar("T")

TenantOption = Annotated[str | None, typer.Option("--tenant", help="Which tenant (default: the only one).")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object and nothing else.")]

err = Console(stderr=True, highlight=False, soft_wrap=True)
out = Console(highlight=False, soft_wrap=True)

INTERRUPTED = 130


def print_json(value: BaseModel | dict[str, Any]) -> None:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_text(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def command(function: Callable[P, Coroutine[Any, Any, T]]) -> Callable[P, T]:
    """An async command as typer wants it: sets up logging, runs, turns errors into a sentence and an exit code."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return guarded(lambda: asyncio.run(function(*args, **kwargs)))

    return run


def guarded(action: Callable[[], T]) -> T:
    try:
        settings = load_settings()
        # A command that a person waits for speaks for itself; its log shows only what went wrong.
        level = settings.log_level if "log_level" in settings.model_fields_set else "WARNING"
        setup_logging(level, settings.log_format, "cli")
        with correlated():
            result = action()
        sys.stdout.flush()
    except KeyboardInterrupt:
        fail("Interrupted; what was stored so far stays, a re-run completes it.", INTERRUPTED)
    except AppError as error:
        fail(str(error), error.exit_code)
    except (asyncpg.PostgresConnectionError, asyncpg.InternalClientError, asyncpg.CannotConnectNowError) as error:
        fail(
            f"The database has gone ({first_line(error)}): what was stored so far stays; start it and run this again.",
            1,
        )
    except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        fail(f"The database refused ({first_line(error)}): see its log and `parley doctor`.", 1)
    except redis.exceptions.RedisError as error:
        fail(f"Redis cannot be used ({first_line(error)}): check REDIS_URL and that the server runs.", 1)
    except UnicodeError:
        fail("An argument is not readable text (UTF-8): check what was typed or pasted.", 2)
    except OSError as error:
        fail(explain_os(error), 1)
    else:
        return result


def fail(message: str, code: int) -> NoReturn:
    err.print(f"parley: {message}", style="red", markup=False)
    if sys.stdout is not None:
        _drop_stdout()
    raise typer.Exit(code)


def _drop_stdout() -> None:
    """Python flushes stdout once more at exit: a full disk would be reported a second time, with a traceback."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        sys.stdout = None


def first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def explain_os(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "There is no space left on the disk: free some and run this again."
    if error.errno == errno.EPIPE:
        return "The program that reads the output has gone."
    where = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or type(error).__name__}{where}: check the path, rights and network, then run this again."


async def with_reader(
    tenant: str | None, work: Callable[[Runtime, Reader], Awaitable[T]], *, redis: bool = False, role: Role = Role.OWNER
) -> T:
    """Opens the runtime and runs `work` for the tenant, with the command line's own rights."""
    async with open_runtime(load_settings(), "cli", redis=redis, pool=4) as runtime:
        found = await access_tenant(runtime.database, tenant)
        return await work(runtime, await access_reader(runtime.database, found.tenant_id, role))
