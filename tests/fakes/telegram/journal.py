"""What every call really did, and whether its answer got out: the truth that a ledger is compared with."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.fakes.telegram.errors import Refused


@dataclass(slots=True)
class Entry:
    """One call. `acted`: the world was changed or read; `acknowledged`: the answer left, whatever it said.

    An answer that left may still have died with its reader.
    """

    number: int
    bot_id: int
    method: str
    parameters: Mapping[str, Any]
    acted: bool = False
    acknowledged: bool = False
    message_ids: list[int] = field(default_factory=list)
    refusal: str | None = None
    fault: str | None = None

    def done(self, result: Any) -> None:
        self.acted = True
        messages = result if isinstance(result, list) else [result]
        self.message_ids = [m["message_id"] for m in messages if isinstance(m, dict) and "message_id" in m]

    def refused(self, refusal: Refused) -> None:
        self.refusal = f"{refusal.code} {refusal.description}"

    def view(self) -> dict[str, Any]:
        return asdict(self)


class Journal:
    """All calls but getUpdates, in the order in which they came."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def open(self, bot_id: int, method: str, parameters: Mapping[str, Any]) -> Entry:
        entry = Entry(len(self.entries) + 1, bot_id, method, parameters)
        self.entries.append(entry)
        return entry

    def of(self, method: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.method == method]

    def acted(self, method: str) -> list[Entry]:
        return [entry for entry in self.of(method) if entry.acted]

    def unacknowledged(self) -> list[Entry]:
        """Acted without the caller hearing of it."""
        return [entry for entry in self.entries if entry.acted and not entry.acknowledged]
