"""Logs: JSON lines on stderr for machines, short lines for a terminal. Only listed fields get out.

Texts of customers never reach a log, because nothing that is not in FIELDS does.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.contextvars import bind_contextvars, merge_contextvars

FIELDS = frozenset(
    {
        "event", "level", "timestamp", "logger", "app", "correlation_id", "tenant_id", "project_id", "source_id",
        "conversation_id", "interaction_id", "event_id", "job_id", "digest_id", "kind", "consumer", "loop", "attempt",
        "version", "name", "error", "reason", "count", "seconds", "port", "exc_type",
    }
)  # fmt: skip


def setup_logging(level: str, style: str, app: str) -> None:
    """`style`: json, text, or auto (text on a terminal). Called once, by the process."""
    text = style == "text" or (style == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if text else structlog.processors.JSONRenderer(ensure_ascii=False)
    stamp: list[Any] = [
        merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    listed: list[Any] = [_exception_type, keep_listed_fields, renderer]
    structlog.configure(
        processors=[*stamp, *listed],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _route_standard_logging(level, stamp, listed)
    bind_contextvars(app=app)


def keep_listed_fields(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drops every field that is not listed, and says how many it dropped."""
    hidden = [name for name in fields if name not in FIELDS]
    for name in hidden:
        del fields[name]
    if hidden:
        fields["hidden_fields"] = len(hidden)
    return fields


def _exception_type(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception's text may quote a customer; its type may not."""
    error = fields.pop("exc_info", None)
    if error is True:
        error = sys.exc_info()
    if isinstance(error, BaseException):
        fields["exc_type"] = type(error).__name__
    elif isinstance(error, tuple) and error[0] is not None:
        fields["exc_type"] = error[0].__name__
    return fields


def _route_standard_logging(level: str, stamp: list[Any], listed: list[Any]) -> None:
    """Libraries log through the standard module: the same shape, warnings and worse only."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[_template, *listed], foreign_pre_chain=stamp))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level)))


def _template(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A library's message before its arguments are put in: they may quote a customer."""
    record: logging.LogRecord = fields.pop("_record")
    fields.pop("_from_structlog", None)
    fields["event"] = str(record.msg)
    fields["logger"] = record.name
    return fields
