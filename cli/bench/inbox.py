"""A page of the inbox among a million interactions beside the same page among ten thousand."""

from collections.abc import Awaitable, Callable
from time import perf_counter

from cli.bench.measure import Bench, Result, middle
from core.interactions.conversation_repo import ConversationRepo
from core.interactions.repo import InteractionRepo
from core.platform.db import UnitOfWork

SMALL = 10_000
PAGE = 50
PAGES = 20
RUNS = 30
PER_CONVERSATION = 5

Pages = Callable[[UnitOfWork], Awaitable[None]]


async def bench_inbox(bench: Bench, n: int) -> list[Result]:
    """Seconds of a page of 50 rows, over 20 pages from the top, keyset."""
    small = min(SMALL, n)
    await _fill(bench, 0, small)
    floors = [await _measure(bench, pages) for pages in (_conversations, _interactions)]
    await _fill(bench, small, n)
    ours = [await _measure(bench, pages) for pages in (_conversations, _interactions)]
    names = ("inbox page, conversations", "inbox page, interactions")
    return [Result(name, mine, floor, "s", n) for name, mine, floor in zip(names, ours, floors, strict=True)]


async def _measure(bench: Bench, pages: Pages) -> float:
    times = []
    for run in range(RUNS + 3):
        async with bench.database.uow(bench.tenant.tenant_id) as uow:
            started = perf_counter()
            await pages(uow)
            if run >= 3:
                times.append((perf_counter() - started) / PAGES)
    return middle(times)


async def _conversations(uow: UnitOfWork) -> None:
    before = None
    for _ in range(PAGES):
        page = await ConversationRepo(uow.db).list_recent(uow.tenant_id, PAGE, before)
        last = page[-1]
        assert last.last_at is not None  # noqa: S101 - the page holds only conversations with a last message
        before = (last.last_at, int(last.id))


async def _interactions(uow: UnitOfWork) -> None:
    before = None
    for _ in range(PAGES):
        page = await InteractionRepo(uow.db).list_inbox(uow.tenant_id, PAGE, before)
        before = (page[-1]["occurred_at"], page[-1]["id"])


async def _fill(bench: Bench, first: int, last: int) -> None:
    """Interactions first … last − 1, over three channels, five to a conversation."""
    await bench.admin.execute("SET ROLE parley_owner")
    project_id = await bench.admin.fetchval("SELECT id FROM projects LIMIT 1")
    await bench.admin.execute(FILL_CONVERSATIONS, bench.tenant.tenant_id, project_id, first, last, PER_CONVERSATION)
    await bench.admin.execute(FILL_INTERACTIONS, bench.tenant.tenant_id, first, last, PER_CONVERSATION)
    await bench.admin.execute("RESET ROLE")
    await bench.admin.execute("VACUUM ANALYZE interactions, conversations")


CHANNELS = "(ARRAY['review', 'chat', 'question'])[1 + c % 3]"
FILL_CONVERSATIONS = f"""
INSERT INTO conversations (tenant_id, project_id, channel, kind, service, thread_key, title, titled_at, status,
    interaction_count, last_at, preview)
SELECT $1, $2, {CHANNELS}, 'desk', 'bench', 'bench:' || c, 'Conversation ' || c, now(), 'new', $5::int,
    timestamptz '2026-01-01' + c * interval '30 seconds', 'The newest words of conversation ' || c
FROM generate_series($3::int / $5, ($4::int - 1) / $5) AS c
ON CONFLICT DO NOTHING
"""
FILL_INTERACTIONS = f"""
INSERT INTO interactions (tenant_id, channel, conversation_id, kind, direction, id_space, external_id, occurred_at,
    observed_at, author_id, author_name, thread_known, preview)
SELECT $1, {CHANNELS}, k.id, 'message', 'in', 'bench', i::text,
    timestamptz '2026-01-01' + i * interval '2 seconds', now(), 'user' || i % 1000, 'Person ' || i % 1000, true,
    'The first words of message ' || i
FROM (SELECT i, i / $4::int AS c FROM generate_series($2::int, $3::int - 1) AS i) AS numbers
JOIN conversations k ON k.tenant_id = $1 AND k.thread_key = 'bench:' || c AND k.channel = {CHANNELS}
"""
