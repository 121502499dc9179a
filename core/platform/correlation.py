"""One id for all that follows from one cause: a command, its events, their jobs. It stands in every log line."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bound_contextvars, get_contextvars

FIELD = "correlation_id"


def current() -> str | None:
    found: str | None = get_contextvars().get(FIELD)
    return found


@contextmanager
def correlated(correlation_id: str | None = None) -> Iterator[str]:
    """Log lines inside carry the id; without one a new chain begins."""
    chosen = correlation_id or secrets.token_hex(8)
    with bound_contextvars(**{FIELD: chosen}):
        yield chosen
