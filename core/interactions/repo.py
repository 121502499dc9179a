"""SQL of interactions. Bulk writes are INSERT … SELECT unnest: COPY is refused under row level security."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from core.interactions.batch import Key, Row, content_columns, interaction_columns, json_or_none
from core.interactions.model import ConversationId, Interaction, InteractionId
from core.interactions.versions import Revision, Stored
from core.platform.db import Repo
from core.platform.ids import TenantId


class InteractionRepo(Repo):
    async def add_all(
        self, tenant_id: TenantId, rows: Sequence[Row], observed_at: datetime
    ) -> dict[Key, InteractionId]:
        """Inserts what is new and returns only that. The caller holds the rows' conversations and repeats no key."""
        inserted = await self._db.fetch(INSERT_INTERACTIONS, tenant_id, observed_at, *interaction_columns(rows))
        ids = {(r["channel"], r["id_space"], r["external_id"]): InteractionId(r["id"]) for r in inserted}
        new = rows if len(ids) == len(rows) else [row for row in rows if row.key in ids]
        if new:
            await self._db.execute(INSERT_CONTENT, tenant_id, [ids[row.key] for row in new], *content_columns(new))
        return ids

    async def list_stored(
        self, tenant_id: TenantId, channel: str, id_space: str, external_ids: Sequence[str]
    ) -> dict[str, Stored]:
        """External id → what is stored. Two plain look-ups: a join's plan goes wrong while its tables grow."""
        rows = await self._db.fetch(LIST_STORED, tenant_id, channel, id_space, external_ids)
        texts = await self._db.fetch(LIST_CONTENT, tenant_id, channel, [row["id"] for row in rows])
        content = {text["interaction_id"]: text for text in texts}
        return {row["external_id"]: _stored(row, content[row["id"]]) for row in rows}

    async def set_all(self, tenant_id: TenantId, channel: str, rows: Sequence[Stored], previews: Sequence[str]) -> None:
        """Writes the new state of rows that exist; texts are written where they differ."""
        await self._db.execute(UPDATE_INTERACTIONS, tenant_id, channel, *_state_columns(rows), list(previews))
        await self._db.execute(
            UPDATE_CONTENT,
            tenant_id,
            channel,
            [r.id for r in rows],
            [r.text for r in rows],
            [json_or_none(r.entities) for r in rows],
            [json_or_none(r.media) for r in rows],
            [json_or_none(r.extra) for r in rows],
        )

    async def add_revisions(
        self, tenant_id: TenantId, channel: str, revisions: Sequence[tuple[InteractionId, Revision]]
    ) -> int:
        """Versions that are known already stay as they are; returns how many were new."""
        status = await self._db.execute(
            INSERT_REVISIONS,
            tenant_id,
            channel,
            [interaction_id for interaction_id, _ in revisions],
            [r.version_at for _, r in revisions],
            [r.text_hash for _, r in revisions],
            [r.text for _, r in revisions],
            [json_or_none(r.entities) for _, r in revisions],
        )
        return int(status.split()[-1])

    async def mark_deleted(
        self, tenant_id: TenantId, channel: str, id_space: str, external_ids: Sequence[str], at: datetime
    ) -> list[tuple[InteractionId, ConversationId]]:
        """Hides messages at once; a message that comes after its deletion is stored as deleted."""
        await self._db.execute(ADD_TOMBSTONES, tenant_id, channel, id_space, external_ids, at)
        rows = await self._db.fetch(MARK_DELETED, tenant_id, channel, id_space, external_ids, at)
        return [(InteractionId(r["id"]), ConversationId(r["conversation_id"])) for r in rows]

    async def find_threads(
        self, tenant_id: TenantId, channel: str, id_space: str, external_ids: Sequence[str]
    ) -> dict[str, str]:
        """External id → key of its thread, of messages whose thread is known."""
        rows = await self._db.fetch(FIND_THREADS, tenant_id, channel, id_space, external_ids)
        return {row["external_id"]: row["thread_key"] for row in rows}

    async def list_dates(
        self, tenant_id: TenantId, channel: str, id_space: str, external_ids: Sequence[str]
    ) -> dict[str, datetime]:
        rows = await self._db.fetch(LIST_DATES, tenant_id, channel, id_space, external_ids)
        return {row["external_id"]: row["occurred_at"] for row in rows}

    async def list_window(
        self,
        tenant_id: TenantId,
        channel: str,
        conversation_ids: Sequence[int],
        start: datetime,
        end: datetime,
        limit: int,
    ) -> list[Interaction]:
        """What was said in [start, end), deleted messages left out, oldest first."""
        rows = await self._db.fetch(LIST_WINDOW, tenant_id, channel, conversation_ids, start, end, limit)
        return [Interaction.model_validate(dict(row)) for row in rows]

    async def list_inbox(
        self, tenant_id: TenantId, limit: int, before: tuple[datetime, int] | None = None
    ) -> list[asyncpg.Record]:
        """A page of the newest interactions of all channels, previews only; `before`: the page above's last row."""
        if before is None:
            return list(await self._db.fetch(LIST_INBOX, tenant_id, limit))
        return list(await self._db.fetch(LIST_INBOX_BEFORE, tenant_id, limit, *before))

    async def purge_deleted(self, tenant_id: TenantId, before: datetime) -> int:
        """Empties texts and revisions of messages deleted before `before`; their rows stay as tombstones."""
        status = await self._db.execute(PURGE_TEXTS, tenant_id, before)
        await self._db.execute(PURGE_REVISIONS, tenant_id, before)
        return int(status.split()[-1])

    async def count_orphans(self, tenant_id: TenantId) -> tuple[int, int]:
        """Interactions without content, content without interaction: both must be 0."""
        row = await self._db.fetchrow(COUNT_ORPHANS, tenant_id)
        return (row["bare"], row["orphans"]) if row else (0, 0)


def _stored(row: asyncpg.Record, content: asyncpg.Record) -> Stored:
    values = {**row, **content}
    return Stored(**{name: values[name] for name in Stored._fields})


def _state_columns(rows: Sequence[Stored]) -> list[list[Any]]:
    return [
        [r.id for r in rows],
        [r.conversation_id for r in rows],
        [r.kind for r in rows],
        [r.occurred_at for r in rows],
        [r.edited_at for r in rows],
        [r.observed_at for r in rows],
        [r.author_id for r in rows],
        [r.author_name for r in rows],
        [r.reply_to for r in rows],
        [r.thread_known for r in rows],
    ]


INSERT_INTERACTIONS = """
INSERT INTO interactions (tenant_id, observed_at, channel, conversation_id, kind, direction, id_space, external_id,
    occurred_at, edited_at, author_id, author_name, reply_to, customer_id, order_id, nm_id, product_article, rating,
    thread_known, preview, deleted_at)
SELECT $1, $2, u.*, (
    SELECT t.deleted_at FROM interaction_tombstones t
    WHERE t.tenant_id = $1 AND t.channel = u.channel AND t.id_space = u.id_space AND t.external_id = u.external_id)
FROM unnest($3::text[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[],
    $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::bigint[], $17::text[],
    $18::smallint[], $19::bool[], $20::text[])
    AS u (channel, conversation_id, kind, direction, id_space, external_id, occurred_at, edited_at, author_id,
        author_name, reply_to, customer_id, order_id, nm_id, product_article, rating, thread_known, preview)
ON CONFLICT (tenant_id, channel, id_space, external_id) DO NOTHING
RETURNING channel, id_space, external_id, id
"""
INSERT_CONTENT = """
INSERT INTO interaction_content (tenant_id, interaction_id, channel, text, entities, media, extra)
SELECT $1, u.id, u.channel, u.text, u.entities::jsonb, u.media::jsonb, u.extra::jsonb
FROM unnest($2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS u (id, channel, text, entities, media, extra)
"""
LIST_STORED = """
SELECT external_id, id, conversation_id, thread_known, kind, occurred_at, edited_at, observed_at, deleted_at, author_id,
    author_name, reply_to
FROM interactions WHERE tenant_id = $1 AND channel = $2 AND id_space = $3 AND external_id = ANY($4::text[])
"""
LIST_CONTENT = """
SELECT interaction_id, text, entities, media, extra FROM interaction_content
WHERE tenant_id = $1 AND channel = $2 AND interaction_id = ANY($3::bigint[])
"""
UPDATE_INTERACTIONS = """
UPDATE interactions i SET conversation_id = u.conversation_id, kind = u.kind, occurred_at = u.occurred_at,
    edited_at = u.edited_at, observed_at = u.observed_at, author_id = u.author_id, author_name = u.author_name,
    reply_to = u.reply_to, thread_known = u.thread_known, preview = u.preview
FROM unnest($3::bigint[], $4::bigint[], $5::text[], $6::timestamptz[], $7::timestamptz[], $8::timestamptz[],
    $9::text[], $10::text[], $11::text[], $12::bool[], $13::text[])
    AS u (id, conversation_id, kind, occurred_at, edited_at, observed_at, author_id, author_name, reply_to,
        thread_known, preview)
WHERE i.tenant_id = $1 AND i.channel = $2 AND i.id = u.id
"""
UPDATE_CONTENT = """
UPDATE interaction_content c
SET text = u.text, entities = u.entities::jsonb, media = u.media::jsonb, extra = u.extra::jsonb
FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[]) AS u (id, text, entities, media, extra)
WHERE c.tenant_id = $1 AND c.channel = $2 AND c.interaction_id = u.id
    AND (c.text, c.entities, c.media, c.extra)
        IS DISTINCT FROM (u.text, u.entities::jsonb, u.media::jsonb, u.extra::jsonb)
"""
INSERT_REVISIONS = """
INSERT INTO interaction_revisions (tenant_id, channel, interaction_id, version_at, text_hash, text, entities)
SELECT $1, $2, u.id, u.version_at, u.text_hash, u.text, u.entities::jsonb
FROM unnest($3::bigint[], $4::timestamptz[], $5::bytea[], $6::text[], $7::text[])
    AS u (id, version_at, text_hash, text, entities)
ON CONFLICT DO NOTHING
"""
ADD_TOMBSTONES = """
INSERT INTO interaction_tombstones (tenant_id, channel, id_space, external_id, deleted_at)
SELECT $1, $2, $3, unnest($4::text[]), $5 ON CONFLICT DO NOTHING
"""
MARK_DELETED = """
UPDATE interactions SET deleted_at = $5
WHERE tenant_id = $1 AND channel = $2 AND id_space = $3 AND external_id = ANY($4::text[]) AND deleted_at IS NULL
RETURNING id, conversation_id
"""
FIND_THREADS = """
SELECT i.external_id, c.thread_key FROM interactions i
JOIN conversations c ON c.tenant_id = i.tenant_id AND c.id = i.conversation_id
WHERE i.tenant_id = $1 AND i.channel = $2 AND i.id_space = $3 AND i.external_id = ANY($4::text[]) AND i.thread_known
"""
LIST_DATES = """
SELECT external_id, occurred_at FROM interactions
WHERE tenant_id = $1 AND channel = $2 AND id_space = $3 AND external_id = ANY($4::text[])
"""
LIST_WINDOW = """
SELECT i.id, i.channel, i.conversation_id, i.kind, i.direction, i.id_space, i.external_id, i.occurred_at, i.edited_at,
    i.author_id, i.author_name, i.reply_to, c.text, c.entities, c.media, c.extra
FROM interactions i
JOIN interaction_content c ON c.tenant_id = i.tenant_id AND c.channel = i.channel AND c.interaction_id = i.id
WHERE i.tenant_id = $1 AND i.channel = $2 AND i.conversation_id = ANY($3::bigint[])
    AND i.occurred_at >= $4 AND i.occurred_at < $5 AND i.deleted_at IS NULL
ORDER BY i.occurred_at, i.id LIMIT $6
"""
INBOX_COLUMNS = "id, channel, conversation_id, kind, direction, occurred_at, author_name, rating, preview"
LIST_INBOX = f"""
SELECT {INBOX_COLUMNS} FROM interactions WHERE tenant_id = $1 AND deleted_at IS NULL
ORDER BY occurred_at DESC, id DESC LIMIT $2
"""
LIST_INBOX_BEFORE = f"""
SELECT {INBOX_COLUMNS} FROM interactions WHERE tenant_id = $1 AND deleted_at IS NULL AND (occurred_at, id) < ($3, $4)
ORDER BY occurred_at DESC, id DESC LIMIT $2
"""
PURGE_TEXTS = """
WITH gone AS (
    UPDATE interactions SET preview = '', author_name = NULL
    WHERE tenant_id = $1 AND deleted_at < $2 AND (preview <> '' OR author_name IS NOT NULL)
)
UPDATE interaction_content c SET text = '', entities = NULL, media = NULL, extra = NULL
FROM interactions i
WHERE i.tenant_id = $1 AND i.deleted_at < $2 AND c.tenant_id = $1 AND c.channel = i.channel AND c.interaction_id = i.id
    AND (c.text <> '' OR c.media IS NOT NULL OR c.extra IS NOT NULL)
"""
PURGE_REVISIONS = """
DELETE FROM interaction_revisions r USING interactions i
WHERE i.tenant_id = $1 AND i.deleted_at < $2 AND r.tenant_id = $1 AND r.channel = i.channel AND r.interaction_id = i.id
"""
COUNT_ORPHANS = """
SELECT
    (SELECT count(*) FROM interactions i WHERE i.tenant_id = $1 AND NOT EXISTS (
        SELECT FROM interaction_content c
        WHERE c.tenant_id = $1 AND c.channel = i.channel AND c.interaction_id = i.id)) AS bare,
    (SELECT count(*) FROM interaction_content c WHERE c.tenant_id = $1 AND NOT EXISTS (
        SELECT FROM interactions i
        WHERE i.tenant_id = $1 AND i.channel = c.channel AND i.id = c.interaction_id)) AS orphans
"""
