"""When an export saw its chats: the newest moment that the file itself speaks of.

The file's own times of change say nothing (it may have been copied), and what carries no time in it (reactions,
names) must follow the newest export, not the latest import.
"""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import BinaryIO

# A quote inside a message's text is escaped in JSON, so a text cannot pretend to be one of these members.
MOMENT = re.compile(rb'"(?:date|edited)(?:_unixtime)?"\s*:\s*"?(?:(\d{9,11})\b|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d))')
CHUNK = 1 << 20
OVERLAP = 64
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def newest_moment(file: BinaryIO, zone: tzinfo, now: datetime) -> datetime:
    """At most `now`; the epoch when the file holds no date. Leaves the file at its beginning."""
    seconds, local = 0, b""
    tail = b""
    file.seek(0)
    while chunk := file.read(CHUNK):
        for number, text in MOMENT.findall(tail + chunk):
            if number:
                seconds = max(seconds, int(number))
            else:
                local = max(local, text)
        tail = chunk[-OVERLAP:]
    file.seek(0)
    return min(now, EPOCH + timedelta(seconds=seconds) if seconds else _local(local, zone))


def _local(text: bytes, zone: tzinfo) -> datetime:
    """Exports older than 2022 give times of the exporting computer only."""
    try:
        return datetime.fromisoformat(text.decode()).replace(tzinfo=zone).astimezone(UTC) if text else EPOCH
    except ValueError:
        return EPOCH
