"""What the embedded servers tell a person when they cannot serve."""


class EmbeddedError(Exception):
    """One sentence: what failed, why, and what to do about it."""


def explain(error: OSError) -> str:
    """What the system said, without its number: `No space left on device (/some/file)`."""
    place = f" ({error.filename})" if error.filename else ""
    return f"{error.strerror or error}{place}"
