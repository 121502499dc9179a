"""Use cases of digests: find the chat, choose the window, build, store."""

import asyncio
from datetime import datetime, timedelta, tzinfo
from typing import NamedTuple

from core.access.model import Permission, Reader
from core.access.permissions import check_group, check_permission, check_project
from core.digests.model import Digest, Skipped, Window
from core.digests.pipeline import TextsOf, build_digest
from core.digests.reading import chat_of, to_messages, topic_of_key
from core.digests.repo import DigestRepo, WindowId, WindowRepo
from core.interactions.conversation_repo import ConversationRepo
from core.interactions.model import Conversation, Interaction
from core.interactions.repo import InteractionRepo
from core.platform.db import Database
from core.platform.errors import BadInput, NotFound
from core.platform.ids import ProjectId

DEFAULT_SPAN = timedelta(hours=24)
PROVIDER = "local"


class Chat(NamedTuple):
    """A group with the topics of its forum, if it is one."""

    conversation: Conversation
    topics: list[Conversation]

    @property
    def all(self) -> list[Conversation]:
        return [self.conversation, *self.topics]


class DigestOptions(NamedTuple):
    """`zone`: in which times are shown; `max_messages`: how many of a window are read at most."""

    texts_of: TextsOf
    zone: tzinfo
    min_messages: int
    max_messages: int


async def access_chat(database: Database, reader: Reader, wanted: str) -> Chat:
    """By conversation id, Telegram id, public name or title; raises NotFound, or BadInput where several fit."""
    async with database.uow(reader.tenant_id) as uow:
        repo = ConversationRepo(uow.db)
        found = await repo.find(reader.tenant_id, wanted)
        if not found:
            raise NotFound(
                f"There is no chat «{wanted}» here: `parley status` lists the chats, `parley import` adds one."
            )
        if len(found) > 1:
            raise BadInput(f"Several chats are called «{wanted}»: use an id ({', '.join(str(c.id) for c in found)}).")
        chat = Chat(found[0], await repo.list_topics(reader.tenant_id, found[0]))
    check_project(reader, ProjectId(chat.conversation.project_id))
    check_group(reader, chat.conversation.id)
    return chat


async def list_chats(database: Database, reader: Reader, limit: int) -> list[Conversation]:
    """The groups that a reader may see, topics left to their chats, the latest talk first."""
    check_permission(reader, Permission.READ_GROUPS)
    async with database.uow(reader.tenant_id) as uow:
        groups = await ConversationRepo(uow.db).list_groups(reader.tenant_id, 10 * limit)
    return [group for group in groups if _is_open(reader, group)][:limit]


def _is_open(reader: Reader, group: Conversation) -> bool:
    in_projects = reader.projects is None or group.project_id in reader.projects
    in_groups = reader.groups is None or group.id in reader.groups
    return in_projects and in_groups and topic_of_key(group.thread_key) is None


async def choose_window(
    database: Database, reader: Reader, chat: Chat, span: timedelta | None, end: datetime | None, now: datetime
) -> Window:
    """`span` None: since the last digest. `end` None: now, or the newest message of a chat silent for longer."""
    async with database.uow(reader.tenant_id) as uow:
        repo = DigestRepo(uow.db)
        newest = await repo.get_newest_message_at(
            reader.tenant_id, chat.conversation.channel, [c.id for c in chat.all], now + DEFAULT_SPAN
        )
        last_end = await repo.get_last_end(reader.tenant_id, chat.conversation.id) if span is None else None
    return window_of(span, end, newest, last_end, now)


def window_of(
    span: timedelta | None, end: datetime | None, newest: datetime | None, last_end: datetime | None, now: datetime
) -> Window:
    if span is None and last_end is not None:
        end = end or max(now, last_end)
        return Window(start=min(last_end, end), end=end)
    span = span or DEFAULT_SPAN
    if end is None:
        is_silent = newest is not None and newest < now - span
        # The end is outside the window: a second more takes the newest message in.
        end = newest + timedelta(seconds=1) if newest is not None and is_silent else now
    return Window(start=end - span, end=end)


async def make_digest(
    database: Database,
    reader: Reader,
    chat: Chat,
    window: Window,
    options: DigestOptions,
    *,
    trigger: str = "manual",
    window_id: WindowId | None = None,
) -> Digest | Skipped:
    """Builds the digest outside any transaction and stores it; a window with nothing to say is stored as skipped.

    `window_id`: a formed window that is marked as done in the transaction that stores the digest.
    """
    interactions = await _read(database, reader, chat, window, options.max_messages)
    topics = {conversation.id: topic_of_key(conversation.thread_key) for conversation in chat.all}
    built = await asyncio.to_thread(  # a second of pure CPU must not hold up everybody else on this loop
        build_digest,
        chat_of(chat.conversation, chat.topics),
        to_messages(interactions, topics),
        window,
        options.texts_of,
        min_messages=options.min_messages,
        zone=options.zone,
    )
    return await _store(database, reader, chat, window, built, trigger, window_id)


async def _read(database: Database, reader: Reader, chat: Chat, window: Window, limit: int) -> list[Interaction]:
    async with database.uow(reader.tenant_id) as uow:
        return await InteractionRepo(uow.db).list_window(
            reader.tenant_id, chat.conversation.channel, [c.id for c in chat.all], window.start, window.end, limit
        )


async def _store(
    database: Database,
    reader: Reader,
    chat: Chat,
    window: Window,
    built: Digest | Skipped,
    trigger: str,
    window_id: WindowId | None,
) -> Digest | Skipped:
    if window.start == window.end:  # asked for again at the very end of the last one: nothing to keep
        return built
    mode = str(built.mode) if isinstance(built, Digest) else None
    async with database.uow(reader.tenant_id) as uow:
        digest_id = await DigestRepo(uow.db).add(
            reader.tenant_id,
            chat.conversation.id,
            trigger,
            (window.start, window.end),
            (built.status, built.reason, mode, PROVIDER),
            built.model_dump(mode="json"),
        )
        if window_id is not None:
            status = "completed" if isinstance(built, Digest) else "skipped"
            await WindowRepo(uow.db).set_status(reader.tenant_id, window_id, status, built.reason)
    return built.model_copy(update={"digest_id": digest_id}) if isinstance(built, Digest) else built
