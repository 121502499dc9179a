"""Imports interactions from JSON lines: marketplace reviews, questions and chats, one interaction a line."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic
from typing import Annotated, BinaryIO

from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from core.interactions.conversation_repo import SourceRepo
from core.interactions.model import Channel, ConversationKind, Direction, Incoming, InteractionKind, SourceId, Thread
from core.platform.clock import Clock
from core.platform.db import Database
from core.platform.errors import BadInput
from core.platform.ids import ProjectId, TenantId
from ingest.imports.files import open_import
from ingest.imports.report import ImportReport, OnProgress, Progress, Tally
from ingest.sink import BATCH, Origin, Sink

LINE_BYTES = 1_000_000
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def without_nul(value: object) -> object:
    """PostgreSQL stores no NUL character."""
    return value.replace("\x00", "") if isinstance(value, str) else value


def plausible(moment: datetime) -> datetime:
    if not EARLIEST <= moment <= LATEST:
        raise ValueError(f"must lie between {EARLIEST.year} and {LATEST.year}")
    return moment


Text = Annotated[str, BeforeValidator(without_nul)]
Moment = Annotated[AwareDatetime, AfterValidator(plausible)]


class Record(BaseModel):
    """A line of the file. `thread` names the conversation, `service` the marketplace; times carry their zone."""

    model_config = ConfigDict(frozen=True)

    channel: Channel
    service: str = Field(pattern="^[a-z][a-z0-9_-]{0,31}$")
    thread: Text = Field(min_length=1, max_length=200)
    external_id: Text = Field(min_length=1, max_length=200)
    kind: InteractionKind
    direction: Direction
    occurred_at: Moment
    text: Text
    title: Text = ""
    author_id: Text | None = None
    author_name: Text | None = None
    rating: int | None = Field(default=None, ge=1, le=5)
    customer_id: Text | None = None
    order_id: Text | None = None
    nm_id: int | None = Field(default=None, ge=0, lt=2**63)
    product_article: Text | None = None
    reply_to: Text | None = None

    def to_incoming(self) -> Incoming:
        key = f"{self.service}:{self.thread}"
        return Incoming(
            thread=Thread(self.channel, ConversationKind.DESK, key, self.title or self.thread, self.service),
            id_space=f"{self.service}:{self.channel}",
            external_id=self.external_id,
            kind=self.kind,
            direction=self.direction,
            occurred_at=self.occurred_at,
            author_id=self.author_id,
            author_name=self.author_name,
            reply_to=self.reply_to,
            text=self.text,
            customer_id=self.customer_id,
            order_id=self.order_id,
            nm_id=self.nm_id,
            product_article=self.product_article,
            rating=self.rating,
        )


async def import_records(
    database: Database,
    tenant_id: TenantId,
    project_id: ProjectId,
    path: Path,
    clock: Clock,
    on_progress: OnProgress = lambda _: None,
) -> ImportReport:
    """Bad lines are skipped and listed; a file without one good line is refused and writes nothing."""
    started, tally = monotonic(), Tally()
    sink: Sink | None = None
    with open_import(path) as file:
        size = path.expanduser().stat().st_size
        for batch in _batches(_read(file, tally)):
            sink = sink or await _open_sink(database, tenant_id, project_id, clock)
            result = await sink.write(batch, _observed_at(batch))
            tally.inserted += result.inserted
            tally.updated += result.updated
            tally.unchanged += result.unchanged
            tally.chats.update(told.thread.key for told in batch)
            on_progress(Progress(file.tell(), size, tally.messages))
    if sink is None:
        first = tally.skipped[0].why if tally.skipped else "it has no lines"
        raise BadInput(f"{path} holds no interaction ({first}): see config/sample/marketplace.jsonl for the format.")
    return tally.report(monotonic() - started)


def _read(file: BinaryIO, tally: Tally) -> Iterator[Incoming]:
    number = 0
    while line := file.readline(LINE_BYTES):
        number += 1
        if line.isspace():
            continue
        try:
            yield Record.model_validate_json(line).to_incoming()
        except ValidationError as error:
            first = error.errors()[0]
            tally.skip(f"line {number}", f"{'.'.join(map(str, first['loc'])) or 'the line'}: {first['msg']}.")


def _batches(records: Iterator[Incoming]) -> Iterator[list[Incoming]]:
    batch: list[Incoming] = []
    for record in records:
        batch.append(record)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _observed_at(batch: list[Incoming]) -> datetime:
    return max(told.occurred_at for told in batch)


async def _open_sink(database: Database, tenant_id: TenantId, project_id: ProjectId, clock: Clock) -> Sink:
    async with database.uow(tenant_id) as uow:
        source_id = await SourceRepo(uow.db).add(tenant_id, project_id, "records", "file", "import")
    return Sink(database, Origin(tenant_id, project_id, SourceId(source_id)), clock)
