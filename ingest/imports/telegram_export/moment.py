"""When a message was written or edited, in UTC."""

from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from ingest.imports.telegram_export.scalars import whole

EPOCH = datetime.fromtimestamp(0, UTC)
LATEST_YEAR = 2100


def read_moment(raw: Mapping[str, Any], key: str, zone: tzinfo) -> datetime | None:
    """`<key>_unixtime` if it is there, else `<key>`: local time in `zone`, ISO without a zone. None if unusable."""
    seconds = whole(raw.get(f"{key}_unixtime"))
    try:
        if seconds is not None:
            moment = datetime.fromtimestamp(seconds, UTC)
        else:
            local = datetime.fromisoformat(raw[key])
            moment = (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return None
    # Years at the ends of the calendar overflow in arithmetic and turn into infinity in a database.
    return moment if EPOCH.year <= moment.year < LATEST_YEAR else None


def read_edited(raw: Mapping[str, Any], zone: tzinfo) -> datetime | None:
    """Older exports give the epoch in local time to messages that were never edited."""
    moment = read_moment(raw, "edited", zone)
    return moment if moment is not None and moment.year > EPOCH.year else None
