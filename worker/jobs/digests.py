"""Windows of groups, formed as messages arrive, and the digest of each when it ends."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from config.policies import DigestPolicy, digest_options
from config.runtime import Runtime
from core.access.model import Reader, Role
from core.digests.model import Window
from core.digests.repo import WindowId, WindowRepo
from core.digests.service import access_chat, make_digest
from core.digests.windows import window_at
from core.interactions.conversation_repo import ConversationRepo
from core.interactions.model import ConversationKind
from core.platform.db import UnitOfWork
from core.platform.jobs import Job, JobKind, JobRepo
from core.platform.outbox import Event, OutboxRepo, StoredEvent
from core.platform.streams import Consumer

KIND = "digest.window"
INGESTED = "group.message.ingested"
WINDOW_READY = "group.window.ready"


def window_consumer(runtime: Runtime) -> Consumer:
    """Forms the window that a group's newest message falls into; history that ended long ago forms none."""

    async def handle(uow: UnitOfWork, event: StoredEvent) -> None:
        conversation = await ConversationRepo(uow.db).get(uow.tenant_id, event.subject_id)
        if conversation is None or conversation.kind is not ConversationKind.GROUP or conversation.last_at is None:
            return
        policy = await runtime.policies.get_within(uow, DigestPolicy)
        window = window_at(conversation.last_at, policy.window_hours, ZoneInfo(policy.time_zone))
        if window.end < runtime.clock() - timedelta(hours=policy.window_hours):
            return
        window_id = await WindowRepo(uow.db).add(
            uow.tenant_id, conversation.id, policy.window_hours, window.start, window.end
        )
        if window_id is not None:
            await JobRepo(uow.db).add(
                uow.tenant_id, KIND, window.end, key=str(window_id), args={"window_id": window_id}
            )

    return Consumer("digest-windows", INGESTED, handle)


def window_job(runtime: Runtime) -> JobKind:
    """Makes the digest of a window that has ended, marks it in the same transaction: a retry makes no second one."""

    async def run(job: Job) -> None:
        async with runtime.database.uow(job.tenant_id) as uow:
            window = await WindowRepo(uow.db).get(job.tenant_id, WindowId(job.args["window_id"]))
            if window is None or window.status not in ("pending", "processing"):
                return
            if window.status == "pending":
                await WindowRepo(uow.db).set_status(job.tenant_id, window.id, "processing", None)
                event = Event(
                    kind=WINDOW_READY, subject_id=window.id, payload={"conversation_id": window.conversation_id}
                )
                await OutboxRepo(uow.db).add(job.tenant_id, [event], runtime.clock())
        reader = Reader(tenant_id=job.tenant_id, member_id=None, role=Role.OWNER)
        chat = await access_chat(runtime.database, reader, str(window.conversation_id))
        policy = await runtime.policies.get(job.tenant_id, DigestPolicy)
        span = Window(start=window.starts_at, end=window.ends_at)
        await make_digest(
            runtime.database, reader, chat, span, digest_options(policy), trigger="scheduled", window_id=window.id
        )

    return JobKind(KIND, run, concurrency=2)
