"""What an import did, for the person or program that started it."""

from collections.abc import Callable
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, Field

SKIPPED_LISTED = 10_000


class SkippedItem(BaseModel):
    model_config = ConfigDict(frozen=True)

    where: str
    why: str


class ImportReport(BaseModel):
    """`messages` = inserted + updated + unchanged; `seconds` of wall time; `chat_keys` stays out of the JSON."""

    model_config = ConfigDict(frozen=True)

    chats: int
    messages: int
    inserted: int
    updated: int
    unchanged: int
    skipped: list[SkippedItem]
    seconds: float
    chat_keys: list[str] = Field(default=[], exclude=True)


class Progress(NamedTuple):
    """`done` and `total` are bytes of the file."""

    done: int
    total: int
    messages: int


OnProgress = Callable[[Progress], None]


class Tally:
    """Adds up what the batches of one import did."""

    def __init__(self) -> None:
        self.chats: set[str] = set()
        self.inserted = self.updated = self.unchanged = 0
        self.skipped: list[SkippedItem] = []

    @property
    def messages(self) -> int:
        return self.inserted + self.updated + self.unchanged

    def skip(self, where: str, why: str) -> None:
        if len(self.skipped) < SKIPPED_LISTED:
            self.skipped.append(SkippedItem(where=where, why=why))

    def report(self, seconds: float) -> ImportReport:
        return ImportReport(
            chats=len(self.chats),
            messages=self.messages,
            inserted=self.inserted,
            updated=self.updated,
            unchanged=self.unchanged,
            skipped=self.skipped,
            seconds=round(seconds, 3),
            chat_keys=sorted(self.chats),
        )
