"""Imports a Telegram Desktop export: streamed, in batches, as often as one likes."""

from collections.abc import Iterator
from datetime import datetime, timedelta, tzinfo
from itertools import islice
from pathlib import Path
from time import monotonic
from typing import Any

from core.interactions.conversation_repo import ConversationRepo, SourceRepo
from core.interactions.model import Incoming, SourceId
from core.interactions.repo import InteractionRepo
from core.platform.clock import Clock
from core.platform.db import Database
from core.platform.errors import BadInput
from core.platform.ids import ProjectId, TenantId
from ingest.imports.files import open_import
from ingest.imports.observed import newest_moment
from ingest.imports.report import ImportReport, OnProgress, Progress, Tally
from ingest.imports.telegram_export import ChatHeader, ChatNormalizer, ExportChat, ExportReader, NotAnExport, Skipped
from ingest.sink import BATCH, Origin, Sink

SERVICE = "telegram-export"
# Two messages with the same number but further apart than any time zone belong to two accounts' numberings.
SAME_NUMBERING = timedelta(hours=26)


class TelegramImport:
    """One run over one file. `account` names whose export it is, where the file does not say."""

    def __init__(
        self,
        database: Database,
        tenant_id: TenantId,
        project_id: ProjectId,
        clock: Clock,
        *,
        zone: tzinfo,
        account: str | None = None,
        on_progress: OnProgress = lambda _: None,
    ) -> None:
        self._database = database
        self._tenant_id = tenant_id
        self._project_id = project_id
        self._clock = clock
        self._zone = zone
        self._account = account
        self._on_progress = on_progress
        self._tally = Tally()
        self._sink: Sink | None = None

    async def run(self, path: Path) -> ImportReport:
        """Raises BadInput for a file of no use. What was stored before an error stays; a re-run completes it."""
        started = monotonic()
        with open_import(path) as file:
            size = path.expanduser().stat().st_size
            self._observed_at = newest_moment(file, self._zone, self._clock())
            reader = ExportReader(file)
            try:
                for chat in reader.chats():
                    await self._import_chat(reader, chat, size)
            except NotAnExport as error:
                raise BadInput(f"{path}: {error}") from error
        for skipped in reader.skipped:
            self._tally.skip(*skipped)
        return self._tally.report(monotonic() - started)

    async def _import_chat(self, reader: ExportReader, chat: ExportChat, size: int) -> None:
        account = self._account or (str(reader.account_id) if reader.account_id is not None else None)
        id_space, is_known = await self._id_space(chat.header, account)
        normalizer = ChatNormalizer(chat.header, id_space=id_space, zone=self._zone, account_id=reader.account_id)
        if is_known:
            await self._recall_topics(chat.header, normalizer)
        for raws in batched(chat.messages(), BATCH):
            if is_known and normalizer.forum:
                await self._recall_parents(chat.header, id_space, normalizer, raws)
            batch = self._normalize(normalizer, raws)
            if is_known and chat.header.numbered_by_account:
                batch = await self._refuse_strangers(chat.header, id_space, batch)
            if batch:
                await self._write(account, batch)
                self._tally.chats.add(chat.header.thread().key)
            self._on_progress(Progress(reader.position, size, self._tally.messages))

    def _normalize(self, normalizer: ChatNormalizer, raws: list[dict[str, Any]]) -> list[Incoming]:
        batch = []
        for raw in raws:
            told = normalizer.normalize(raw)
            if isinstance(told, Skipped):
                self._tally.skip(*told)
            else:
                batch.append(told)
        return batch

    async def _write(self, account: str | None, batch: list[Incoming]) -> None:
        result = await (await self._open_sink(account)).write(batch, self._observed_at)
        self._tally.inserted += result.inserted
        self._tally.updated += result.updated
        self._tally.unchanged += result.unchanged

    async def _open_sink(self, account: str | None) -> Sink:
        """The source is written with the first batch, not before: a file without messages leaves nothing behind."""
        if self._sink is None:
            async with self._database.uow(self._tenant_id) as uow:
                source_id = await SourceRepo(uow.db).add(
                    self._tenant_id, self._project_id, SERVICE, account or "unknown", "import"
                )
            origin = Origin(self._tenant_id, self._project_id, SourceId(source_id))
            self._sink = Sink(self._database, origin, self._clock)
        return self._sink

    async def _id_space(self, header: ChatHeader, account: str | None) -> tuple[str, bool]:
        """What numbers the chat's messages, and whether the chat has been seen before.

        A supergroup or channel numbers its own. Elsewhere each account does, and a single-chat export does not say
        whose it is: then it joins the numbering that the chat is known by.
        """
        thread = header.thread()
        async with self._database.uow(self._tenant_id) as uow:
            known = await SourceRepo(uow.db).list_id_spaces(self._tenant_id, thread.channel, thread.key)
        if not header.numbered_by_account:
            return f"tg:{header.marked_id}", bool(known)
        own = f"tg:{header.marked_id}@{account or 'export'}"
        if self._account is None and known and own not in known:
            own = known[0]
        return own, own in known

    async def _recall_topics(self, header: ChatHeader, normalizer: ChatNormalizer) -> None:
        """A newer export of a part of the history lacks the messages that created its topics."""
        key = header.thread().key
        async with self._database.uow(self._tenant_id) as uow:
            repo = ConversationRepo(uow.db)
            for chat in await repo.find(self._tenant_id, key):
                for topic in await repo.list_topics(self._tenant_id, chat):
                    topic_id = int(topic.thread_key.rpartition("/")[2])
                    normalizer.learn_topic(topic_id, topic_id, topic.title)

    async def _recall_parents(
        self, header: ChatHeader, id_space: str, normalizer: ChatNormalizer, raws: list[dict[str, Any]]
    ) -> None:
        missing = normalizer.missing_parents(raws)
        if not missing:
            return
        async with self._database.uow(self._tenant_id) as uow:
            threads = await InteractionRepo(uow.db).find_threads(
                self._tenant_id, header.thread().channel, id_space, [str(number) for number in missing]
            )
        for external_id, key in threads.items():
            _, slash, topic = key.partition("/")
            normalizer.learn_topic(int(external_id), int(topic) if slash else None)

    async def _refuse_strangers(self, header: ChatHeader, id_space: str, batch: list[Incoming]) -> list[Incoming]:
        """Leaves out messages whose numbers are taken by others: the file counts like another account."""
        async with self._database.uow(self._tenant_id) as uow:
            dates = await InteractionRepo(uow.db).list_dates(
                self._tenant_id, header.thread().channel, id_space, [told.external_id for told in batch]
            )
        ours = [told for told in batch if _agrees(told, dates.get(told.external_id))]
        if len(ours) < len(batch):
            self._tally.skip(
                f"chat {header.title}",
                f"{len(batch) - len(ours)} messages have numbers that other messages of this chat have here: the file "
                "comes from another account, import it with --account NAME.",
            )
        return ours


def _agrees(told: Incoming, known_at: datetime | None) -> bool:
    if known_at is None or (told.extra and told.extra.get("date_inferred")):
        return True
    return abs(told.occurred_at - known_at) < SAME_NUMBERING


def batched(messages: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    while batch := list(islice(messages, size)):
        yield batch
