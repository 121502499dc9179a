"""The store's one write path for batches: whatever came before, in whatever order, the rows end up the same."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from core.interactions.batch import Key, Row, preview_of, resolve, split_repeats
from core.interactions.conversation_repo import ConversationRepo
from core.interactions.model import ConversationId, Incoming, InteractionId, Thread
from core.interactions.repo import InteractionRepo
from core.interactions.versions import Decision, Revision, Stored, decide
from core.platform.db import UnitOfWork
from core.platform.ids import ProjectId
from core.platform.outbox import Event, OutboxRepo

INGESTED = {"group": "group.message.ingested"}
OTHER_INGESTED = "interaction.ingested"


@dataclass
class Touched:
    """What a batch does to one conversation; `moved`: interactions that came from, or went to, another one."""

    channel: str
    conversation_id: ConversationId
    inserted: list[InteractionId] = field(default_factory=list)
    updated: list[InteractionId] = field(default_factory=list)
    moved: int = 0


class BatchResult(NamedTuple):
    inserted: int
    updated: int
    unchanged: int
    revised: int
    conversations: dict[Thread, ConversationId]


async def store_batch(
    uow: UnitOfWork, project_id: ProjectId, batch: Sequence[Incoming], observed_at: datetime, now: datetime
) -> BatchResult:
    """Writes a batch observed at `observed_at`, and the events that tell of it, in the caller's transaction."""
    threads = list(dict.fromkeys(told.thread for told in batch))
    conversations = await _hold(uow, project_id, threads, observed_at)
    touched: dict[ConversationId, Touched] = {}
    unchanged = revised = 0
    for rows in split_repeats(resolve(batch, conversations)):
        known = await _insert(uow, rows, observed_at, touched)
        if known:
            same, revisions = await _merge(uow, known, observed_at, touched)
            unchanged += same
            revised += revisions
    await _announce(uow, list(touched.values()), now)
    return BatchResult(
        inserted=sum(len(t.inserted) for t in touched.values()),
        updated=sum(len(t.updated) for t in touched.values()),
        unchanged=unchanged,
        revised=revised,
        conversations=conversations,
    )


async def _hold(
    uow: UnitOfWork, project_id: ProjectId, threads: Sequence[Thread], observed_at: datetime
) -> dict[Thread, ConversationId]:
    """Ids of the threads' conversations, made where missing, locked until the transaction ends."""
    repo = ConversationRepo(uow.db)
    held = await repo.lock(uow.tenant_id, threads)
    missing = [t for t in threads if (str(t.channel), t.key) not in held]
    if missing:
        await repo.add_missing(uow.tenant_id, project_id, missing, observed_at)
        held = await repo.lock(uow.tenant_id, threads)
    ids = {thread: held[str(thread.channel), thread.key] for thread in threads}
    newest = {ids[thread]: thread for thread in threads}  # a thread renamed within the batch: the last name counts
    await repo.rename(uow.tenant_id, list(newest.values()), list(newest), observed_at)
    return ids


async def _insert(
    uow: UnitOfWork, rows: Sequence[Row], observed_at: datetime, touched: dict[ConversationId, Touched]
) -> list[Row]:
    """Stores what is new; returns the rows that were there before."""
    ids = await InteractionRepo(uow.db).add_all(uow.tenant_id, rows, observed_at)
    known = []
    for row in rows:
        interaction_id = ids.get(row.key)
        if interaction_id is None:
            known.append(row)
        else:
            _touch(touched, str(row.told.thread.channel), row.conversation_id).inserted.append(interaction_id)
    return known


async def _merge(
    uow: UnitOfWork, rows: Sequence[Row], observed_at: datetime, touched: dict[ConversationId, Touched]
) -> tuple[int, int]:
    """Returns how many rows no reader would see changed, and how many new revisions there are."""
    stored = await _list_stored(uow, rows)
    decided = [(row, old := stored[row.key], decide(old, row.told, row.conversation_id, observed_at)) for row in rows]
    revised = 0
    for channel in dict.fromkeys(row.key[0] for row in rows):
        mine = [(row, old, decision) for row, old, decision in decided if row.key[0] == channel]
        revised += await _write_decisions(uow, channel, mine)
    for row, old, decision in decided:
        if decision.row:
            _note_change(touched, row.key[0], old, decision.row, changed=decision.changed)
    return sum(not decision.changed for _, _, decision in decided), revised


def _note_change(
    touched: dict[ConversationId, Touched], channel: str, old: Stored, new: Stored, *, changed: bool
) -> None:
    if changed:
        _touch(touched, channel, new.conversation_id).updated.append(old.id)
    if new.conversation_id != old.conversation_id:
        _touch(touched, channel, old.conversation_id).moved -= 1
        _touch(touched, channel, new.conversation_id).moved += 1


async def _list_stored(uow: UnitOfWork, rows: Sequence[Row]) -> dict[Key, Stored]:
    spaces: dict[tuple[str, str], list[str]] = {}
    for channel, id_space, external_id in (row.key for row in rows):
        spaces.setdefault((channel, id_space), []).append(external_id)
    found: dict[Key, Stored] = {}
    for (channel, id_space), external_ids in spaces.items():
        stored = await InteractionRepo(uow.db).list_stored(uow.tenant_id, channel, id_space, external_ids)
        found.update(((channel, id_space, external_id), old) for external_id, old in stored.items())
    return found


async def _write_decisions(uow: UnitOfWork, channel: str, decided: Sequence[tuple[Row, Stored, Decision]]) -> int:
    repo = InteractionRepo(uow.db)
    changed = [(row, d.row) for row, _, d in decided if d.row]
    if changed:
        previews = [_preview(row, new) for row, new in changed]
        await repo.set_all(uow.tenant_id, channel, [new for _, new in changed], previews)
    revisions: list[tuple[InteractionId, Revision]] = [(old.id, d.revision) for _, old, d in decided if d.revision]
    return await repo.add_revisions(uow.tenant_id, channel, revisions) if revisions else 0


def _preview(row: Row, new: Stored) -> str:
    return preview_of(row.told._replace(text=new.text, media=new.media))


def _touch(touched: dict[ConversationId, Touched], channel: str, conversation_id: ConversationId) -> Touched:
    return touched.setdefault(conversation_id, Touched(channel, conversation_id))


async def _announce(uow: UnitOfWork, touched: Sequence[Touched], now: datetime) -> None:
    """One event for each conversation that changed; it names rows, its consumers read them."""
    if not touched:
        return
    for channel in dict.fromkeys(t.channel for t in touched):
        mine = [t for t in touched if t.channel == channel]
        await ConversationRepo(uow.db).refresh(
            uow.tenant_id, channel, [t.conversation_id for t in mine], [len(t.inserted) + t.moved for t in mine]
        )
    await OutboxRepo(uow.db).add(uow.tenant_id, [_event(t) for t in touched], now)


def _event(touched: Touched) -> Event:
    return Event(
        kind=INGESTED.get(touched.channel, OTHER_INGESTED),
        subject_id=touched.conversation_id,
        payload={
            "channel": touched.channel,
            "inserted": len(touched.inserted),
            "first_id": min(touched.inserted, default=None),
            "last_id": max(touched.inserted, default=None),
            "updated_ids": touched.updated,
        },
    )


async def delete_messages(
    uow: UnitOfWork, channel: str, id_space: str, external_ids: Sequence[str], at: datetime, now: datetime
) -> int:
    """Hides messages that their service deleted; returns how many were there. A repeated deletion changes nothing."""
    hidden = await InteractionRepo(uow.db).mark_deleted(uow.tenant_id, channel, id_space, external_ids, at)
    touched: dict[ConversationId, Touched] = {}
    for interaction_id, conversation_id in hidden:
        _touch(touched, channel, conversation_id).updated.append(interaction_id)
    await _announce(uow, list(touched.values()), now)
    return len(hidden)
