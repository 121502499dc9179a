"""Numbers and truth values as exports spell them: some tools write all of them as strings."""

import re

DIGITS = re.compile(r"[+-]?[0-9]{1,19}")
INT64 = 1 << 63


def whole(value: object) -> int | None:
    """An integer that fits 64 bits: 5, "5" or 5.0; None for anything else."""
    if isinstance(value, str):
        value = int(value) if DIGITS.fullmatch(value) else None
    elif isinstance(value, float):
        value = int(value) if value.is_integer() else None
    return value if isinstance(value, int) and not isinstance(value, bool) and -INT64 <= value < INT64 else None


def truth(value: object) -> bool:
    """A boolean, or its spelling as a string."""
    if isinstance(value, str):
        return value.strip().lower() not in {"", "0", "false", "no"}
    return bool(value)
