"""What an import could not take, in words for the person who started it."""

from typing import NamedTuple

LISTED = 10_000


class Skipped(NamedTuple):
    """`where` is "chat Name, message 15" or "byte 123456"; `why` is one sentence."""

    where: str
    why: str


class SkippedLog:
    """Collects what was skipped; a file that ends too early is told once, a ruined one not a million times."""

    def __init__(self) -> None:
        self.entries: list[Skipped] = []
        self._ended = False

    def add(self, where: str, why: str) -> None:
        if len(self.entries) < LISTED:
            self.entries.append(Skipped(where, why))
        elif len(self.entries) == LISTED:
            self.entries.append(Skipped(where, "More was skipped from here on and is not listed."))

    def add_cut(self, where: str, why: str) -> None:
        """Tell that the file ends here, unless its end is explained already."""
        if not self._ended:
            self._ended = True
            self.add(where, why)

    def explain_end(self) -> None:
        """The rest of the file fell to damage that is listed: its missing end is no second loss."""
        self._ended = True

    def mark(self) -> tuple[int, bool]:
        return len(self.entries), self._ended

    def rewind(self, mark: tuple[int, bool]) -> None:
        """Forget what was added since the mark."""
        count, self._ended = mark
        del self.entries[count:]
