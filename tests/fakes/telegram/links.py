"""Links as Telegram takes them: which are kept, and how they are written afterwards."""

import re
from urllib.parse import parse_qs, urlsplit

SCHEMES = ("http", "https", "tg", "ton", "tonsite")
HOST = re.compile(r"(?:[\w-]+\.)+[\w-]{2,}|\d{1,3}(?:\.\d{1,3}){3}")


def checked_url(url: str) -> str | None:
    """The link as Telegram stores it, None when it drops it: without a scheme it is http, an empty path is `/`."""
    written = url.strip()
    if not written or any(char.isspace() for char in written):
        return None
    parts = urlsplit(written if "://" in written else f"http://{written}")
    if parts.scheme.lower() not in SCHEMES:
        return None
    if parts.scheme.lower() not in ("http", "https"):
        return parts.geturl()
    if not parts.hostname or not HOST.fullmatch(parts.hostname):
        return None
    return parts._replace(scheme=parts.scheme.lower(), path=parts.path or "/").geturl()


def mentioned_user(url: str) -> int | None:
    """The user of `tg://user?id=N`."""
    parts = urlsplit(url)
    if (parts.scheme.lower(), parts.netloc) != ("tg", "user"):
        return None
    number = parse_qs(parts.query).get("id", [""])[0]
    return int(number) if number.isdecimal() and int(number) else None
