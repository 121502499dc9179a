"""SQL of conversations and of the sources that feed them."""

from collections.abc import Sequence
from datetime import datetime

from core.interactions.model import Conversation, ConversationId, Thread
from core.platform.db import Repo
from core.platform.ids import ProjectId, TenantId


class ConversationRepo(Repo):
    async def add_missing(
        self, tenant_id: TenantId, project_id: ProjectId, threads: Sequence[Thread], observed_at: datetime
    ) -> None:
        """New threads get a row; the name of a known one follows the newest observation."""
        await self._db.execute(
            ADD_CONVERSATIONS,
            tenant_id,
            project_id,
            [str(t.channel) for t in threads],
            [str(t.kind) for t in threads],
            [t.service for t in threads],
            [t.key for t in threads],
            [t.title for t in threads],
            [t.username for t in threads],
            observed_at,
        )

    async def lock(self, tenant_id: TenantId, threads: Sequence[Thread]) -> dict[tuple[str, str], ConversationId]:
        """(channel, thread key) → id; batches of the same conversations queue up here and cannot deadlock later."""
        rows = await self._db.fetch(LOCK, tenant_id, [str(t.channel) for t in threads], [t.key for t in threads])
        return {(row["channel"], row["thread_key"]): ConversationId(row["id"]) for row in rows}

    async def rename(
        self, tenant_id: TenantId, threads: Sequence[Thread], ids: Sequence[int], observed_at: datetime
    ) -> None:
        await self._db.execute(
            RENAME, tenant_id, ids, [t.title for t in threads], [t.username for t in threads], observed_at
        )

    async def refresh(self, tenant_id: TenantId, channel: str, ids: Sequence[int], added: Sequence[int]) -> None:
        """Counts `added` new interactions and shows the newest message of each conversation of one channel."""
        await self._db.execute(REFRESH, tenant_id, channel, ids, added)

    async def recount(self, tenant_id: TenantId) -> int:
        """Counts every conversation again from its interactions; returns how many counters were wrong."""
        return int((await self._db.execute(RECOUNT, tenant_id)).split()[-1])

    async def find(self, tenant_id: TenantId, wanted: str) -> list[Conversation]:
        """By id, thread key (with or without `tg:`), public name or title, the busiest first."""
        return [
            Conversation.model_validate(dict(r))
            for r in await self._db.fetch(FIND, tenant_id, wanted.strip().lstrip("@"))
        ]

    async def find_busiest(self, tenant_id: TenantId, keys: Sequence[str]) -> str | None:
        """The thread key of the group with the most interactions among those named."""
        key: str | None = await self._db.fetchval(FIND_BUSIEST, tenant_id, keys)
        return key

    async def list_topics(self, tenant_id: TenantId, conversation: Conversation) -> list[Conversation]:
        """The topics of a forum that the conversation is the chat of."""
        rows = await self._db.fetch(LIST_TOPICS, tenant_id, conversation.channel, conversation.thread_key)
        return [Conversation.model_validate(dict(row)) for row in rows]

    async def count_by_channel(self, tenant_id: TenantId) -> dict[str, tuple[int, int]]:
        """Channel → (conversations, interactions), from the counters of the conversations."""
        rows = await self._db.fetch(COUNT_BY_CHANNEL, tenant_id)
        return {row["channel"]: (row["conversations"], row["interactions"]) for row in rows}

    async def get(self, tenant_id: TenantId, conversation_id: int) -> Conversation | None:
        row = await self._db.fetchrow(GET, tenant_id, conversation_id)
        return Conversation.model_validate(dict(row)) if row else None

    async def list_groups(self, tenant_id: TenantId, limit: int) -> list[Conversation]:
        """Groups and topics, the latest talk first."""
        return [Conversation.model_validate(dict(r)) for r in await self._db.fetch(LIST_GROUPS, tenant_id, limit)]

    async def list_recent(
        self, tenant_id: TenantId, limit: int, before: tuple[datetime, int] | None = None
    ) -> list[Conversation]:
        """The inbox: a page of conversations, the latest talk first."""
        query, bounds = (LIST_RECENT, ()) if before is None else (LIST_RECENT_BEFORE, before)
        rows = await self._db.fetch(query, tenant_id, limit, *bounds)
        return [Conversation.model_validate(dict(row)) for row in rows]


class SourceRepo(Repo):
    async def add(self, tenant_id: TenantId, project_id: ProjectId, service: str, account: str, mode: str) -> int:
        """The source's id, whether it was there or not."""
        return int(await self._db.fetchval(ADD_SOURCE, tenant_id, project_id, service, account, mode))

    async def list_id_spaces(self, tenant_id: TenantId, channel: str, thread_key: str) -> list[str]:
        """The id spaces in which messages of a conversation are known."""
        return [r["id_space"] for r in await self._db.fetch(LIST_ID_SPACES, tenant_id, channel, thread_key)]

    async def refresh_statistics(self) -> None:
        """Lets the planner see tables that doubled since it last looked; cheap when none did."""
        await self._db.execute("SELECT refresh_statistics()")

    async def advance(
        self, tenant_id: TenantId, source_id: int, ids: Sequence[int], id_spaces: Sequence[str],
        newest: Sequence[int | None], as_of: datetime,
    ) -> None:  # fmt: skip
        """Moves the cursors of a source forward, never back."""
        await self._db.execute(ADVANCE, tenant_id, source_id, ids, id_spaces, newest, as_of)


ADD_CONVERSATIONS = """
INSERT INTO conversations (tenant_id, project_id, channel, kind, service, thread_key, title, username, titled_at,
    status)
SELECT $1, $2, u.channel, u.kind, u.service, u.key, coalesce(nullif(u.title, ''), u.key), u.username, $9,
    CASE u.kind WHEN 'desk' THEN 'new' END
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
    AS u (channel, kind, service, key, title, username)
ON CONFLICT (tenant_id, channel, thread_key) DO NOTHING
"""
LOCK = """
SELECT id, channel, thread_key FROM conversations
WHERE tenant_id = $1 AND (channel, thread_key) IN (SELECT * FROM unnest($2::text[], $3::text[]))
ORDER BY id FOR NO KEY UPDATE
"""
RENAME = """
UPDATE conversations c SET title = u.title, username = coalesce(u.username, c.username), titled_at = $5
FROM unnest($2::bigint[], $3::text[], $4::text[]) AS u (id, title, username)
WHERE c.tenant_id = $1 AND c.id = u.id AND c.titled_at <= $5 AND u.title <> ''
    AND (c.titled_at < $5 OR c.title <> u.title OR c.username IS DISTINCT FROM coalesce(u.username, c.username))
"""
REFRESH = """
UPDATE conversations c
SET interaction_count = c.interaction_count + u.added, last_at = newest.occurred_at, last_interaction_id = newest.id,
    preview = coalesce(newest.preview, '')
FROM unnest($3::bigint[], $4::bigint[]) AS u (id, added)
LEFT JOIN LATERAL (
    SELECT i.occurred_at, i.id, i.preview FROM interactions i
    WHERE i.tenant_id = $1 AND i.channel = $2 AND i.conversation_id = u.id
        AND i.deleted_at IS NULL AND i.kind NOT IN ('service', 'unsupported')
    ORDER BY i.occurred_at DESC, i.id DESC LIMIT 1) newest ON true
WHERE c.tenant_id = $1 AND c.id = u.id
"""
RECOUNT = """
UPDATE conversations c SET interaction_count = n.number
FROM (SELECT conversation_id, count(*) AS number FROM interactions WHERE tenant_id = $1 GROUP BY conversation_id) n
WHERE c.tenant_id = $1 AND c.id = n.conversation_id AND c.interaction_count <> n.number
"""
COLUMNS = "id, project_id, channel, kind, service, thread_key, title, username, interaction_count, last_at, preview"
FIND = f"""
SELECT {COLUMNS} FROM conversations
WHERE tenant_id = $1 AND ($2 IN (id::text, thread_key, username)
    OR thread_key IN ('tg:' || $2, 'tg:-100' || $2, 'tg:-' || $2) OR lower(title) = lower($2))
ORDER BY interaction_count DESC, id LIMIT 20
"""
FIND_BUSIEST = """
SELECT thread_key FROM conversations WHERE tenant_id = $1 AND kind = 'group' AND thread_key = ANY($2::text[])
ORDER BY interaction_count DESC, id LIMIT 1
"""
LIST_TOPICS = f"""
SELECT {COLUMNS} FROM conversations
WHERE tenant_id = $1 AND channel = $2 AND starts_with(thread_key, $3 || '/') ORDER BY id
"""
GET = f"SELECT {COLUMNS} FROM conversations WHERE tenant_id = $1 AND id = $2"
COUNT_BY_CHANNEL = """
SELECT channel, count(*) AS conversations, sum(interaction_count)::bigint AS interactions
FROM conversations WHERE tenant_id = $1 GROUP BY channel ORDER BY channel
"""
LIST_GROUPS = f"""
SELECT {COLUMNS} FROM conversations WHERE tenant_id = $1 AND kind = 'group' AND last_at IS NOT NULL
ORDER BY last_at DESC, id DESC LIMIT $2
"""
LIST_RECENT = f"""
SELECT {COLUMNS} FROM conversations WHERE tenant_id = $1 AND last_at IS NOT NULL ORDER BY last_at DESC, id DESC LIMIT $2
"""
LIST_RECENT_BEFORE = f"""
SELECT {COLUMNS} FROM conversations WHERE tenant_id = $1 AND last_at IS NOT NULL AND (last_at, id) < ($3, $4)
ORDER BY last_at DESC, id DESC LIMIT $2
"""
ADD_SOURCE = """
INSERT INTO sources (tenant_id, project_id, service, account, mode) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (tenant_id, service, account) DO UPDATE SET mode = excluded.mode RETURNING id
"""
LIST_ID_SPACES = """
SELECT DISTINCT s.id_space FROM conversation_sources s
JOIN conversations c ON c.tenant_id = s.tenant_id AND c.id = s.conversation_id
WHERE s.tenant_id = $1 AND c.channel = $2 AND c.thread_key = $3 ORDER BY 1
"""
ADVANCE = """
INSERT INTO conversation_sources AS s (tenant_id, source_id, conversation_id, id_space, newest_id, as_of)
SELECT $1, $2, u.id, u.id_space, u.newest, $6
FROM unnest($3::bigint[], $4::text[], $5::bigint[]) AS u (id, id_space, newest)
ON CONFLICT (tenant_id, conversation_id, source_id) DO UPDATE
SET newest_id = greatest(s.newest_id, excluded.newest_id), as_of = greatest(s.as_of, excluded.as_of)
WHERE s.newest_id IS DISTINCT FROM greatest(s.newest_id, excluded.newest_id) OR s.as_of < excluded.as_of
"""
