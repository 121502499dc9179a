"""What a tenant's store holds, without ids and times of insertion: two stores are the same when their dumps are."""

from typing import Any

from core.platform.db import Database
from core.platform.ids import TenantId

CONVERSATIONS = """
SELECT channel, kind, service, thread_key, title, username, titled_at, status, interaction_count, last_at, preview
FROM conversations WHERE tenant_id = $1 ORDER BY channel, thread_key
"""
INTERACTIONS = """
SELECT i.channel, c.thread_key, i.kind, i.direction, i.id_space, i.external_id, i.occurred_at, i.edited_at,
    i.deleted_at, i.observed_at, i.author_id, i.author_name, i.reply_to, i.customer_id, i.order_id, i.nm_id,
    i.product_article, i.rating,
    i.thread_known, i.preview, t.text, t.entities, t.media, t.extra
FROM interactions i JOIN conversations c ON c.tenant_id = i.tenant_id AND c.id = i.conversation_id
LEFT JOIN interaction_content t ON t.tenant_id = i.tenant_id AND t.channel = i.channel AND t.interaction_id = i.id
WHERE i.tenant_id = $1 ORDER BY i.channel, i.id_space, i.external_id
"""
REVISIONS = """
SELECT i.id_space, i.external_id, r.version_at, r.text, r.entities FROM interaction_revisions r
JOIN interactions i ON i.tenant_id = r.tenant_id AND i.channel = r.channel AND i.id = r.interaction_id
WHERE r.tenant_id = $1 ORDER BY 1, 2, 3, 4
"""
CURSORS = """
SELECT c.thread_key, s.service, s.account, o.id_space, o.newest_id, o.as_of, o.cursor FROM conversation_sources o
JOIN conversations c ON c.tenant_id = o.tenant_id AND c.id = o.conversation_id
JOIN sources s ON s.tenant_id = o.tenant_id AND s.id = o.source_id WHERE o.tenant_id = $1 ORDER BY 1, 2, 3
"""
ORPHANS = """
SELECT count(*) FROM interaction_content t WHERE t.tenant_id = $1 AND NOT EXISTS (
    SELECT FROM interactions i WHERE i.tenant_id = $1 AND i.channel = t.channel AND i.id = t.interaction_id)
"""


async def dump(database: Database, tenant_id: TenantId) -> dict[str, Any]:
    async with database.uow(tenant_id) as uow:
        tables = {
            "conversations": CONVERSATIONS,
            "interactions": INTERACTIONS,
            "revisions": REVISIONS,
            "cursors": CURSORS,
        }
        found: dict[str, Any] = {
            name: [tuple(row) for row in await uow.db.fetch(query, tenant_id)] for name, query in tables.items()
        }
        found["orphans"] = await uow.db.fetchval(ORPHANS, tenant_id)
    return found
