"""`parley digest`: what happened in a chat."""

import re
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated

import typer

from cli.console import TenantOption, command, print_json, print_text, with_reader
from config.policies import DigestPolicy, digest_options
from config.runtime import Runtime
from core.access.model import Reader, Role
from core.access.service import access_reader
from core.digests.model import Digest, Skipped
from core.digests.service import Chat, access_chat, choose_window, make_digest
from core.digests.terminal import as_text
from core.interactions.model import number_of
from core.platform.errors import BadInput
from core.platform.ids import MemberId

SPAN = re.compile(r"(\d{1,4})\s*(h|d)")
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
REASONS = {
    "empty_window": "nobody wrote anything in this window",
    "too_few_messages": "there are too few messages in this window",
}


class Format(StrEnum):
    JSON = "json"
    HTML = "html"
    TEXT = "text"


@command
async def digest(
    chat: Annotated[str, typer.Option("--chat", help="Chat id, public name or title.")],
    window: Annotated[str | None, typer.Option(help="How far back: 4h, 24h, 3d …")] = None,
    end: Annotated[str | None, typer.Option(help="Where the window ends, ISO time (default: now).")] = None,
    since_last: Annotated[bool, typer.Option("--since-last", help="Since the last digest of this chat.")] = False,
    format_: Annotated[Format, typer.Option("--format")] = Format.TEXT,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    as_: Annotated[str, typer.Option("--as", help="ROLE[:ID]: on whose behalf.")] = "owner",
    tenant: TenantOption = None,
) -> None:
    """Make a digest of a chat: topics, decisions, open questions, who was active, each with its messages."""
    if window and since_last:
        raise BadInput("Give either --window or --since-last, not both.")
    span = None if since_last else parse_span(window or "24h")
    end_at = parse_time(end) if end else None
    role, member = parse_as(as_)

    async def work(runtime: Runtime, reader: Reader) -> tuple[Chat, Digest | Skipped]:
        reader = await access_reader(runtime.database, reader.tenant_id, role, member)
        found = await access_chat(runtime.database, reader, chat)
        chosen = await choose_window(runtime.database, reader, found, span, end_at, runtime.clock())
        policy = await runtime.policies.get(reader.tenant_id, DigestPolicy)
        return found, await make_digest(runtime.database, reader, found, chosen, digest_options(policy))

    found, made = await with_reader(tenant, work)
    show(found, made, Format.JSON if as_json else format_)


def show(chat: Chat, made: Digest | Skipped, format_: Format) -> None:
    if format_ is Format.JSON:
        print_json(made)
    elif isinstance(made, Skipped):
        print_text(f"No digest of «{chat.conversation.title}»: {REASONS[made.reason]}.")
    elif format_ is Format.HTML:
        print_text("\n\n".join(made.html))
    else:
        print_text(as_text(made.html))


def parse_span(text: str) -> timedelta:
    match = SPAN.fullmatch(text.strip().lower())
    span = int(match[1]) * UNITS[match[2]] if match else timedelta(0)
    if not timedelta(0) < span <= timedelta(days=366):
        raise BadInput(f"«{text}» is no length of time: use hours or days, such as 24h or 3d (up to 366d).")
    return span


def parse_time(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"«{text}» is no ISO time: use a form such as 2026-10-14T18:00:00+03:00.") from error
    if not EARLIEST_YEAR < moment.year < LATEST_YEAR:
        raise BadInput(f"«{text}» is too far away: use a year between {EARLIEST_YEAR} and {LATEST_YEAR}.")
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def parse_as(text: str) -> tuple[Role, MemberId | None]:
    name, colon, number = text.partition(":")
    if name not in set(Role) or (colon and number_of(number) is None):
        raise BadInput(
            f"«{text}» is no role: use {', '.join(Role)}, optionally with a member's id, such as operator:7."
        )
    return Role(name), MemberId(int(number)) if number else None
