"""The ledger's rules one by one, against a scripted service."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis.asyncio import Redis

from core.access.model import Reader, Role
from core.access.service import access_reader, do_found_tenant
from core.delivery.adapter import Capabilities, Echo, FindResult, Limits
from core.delivery.budget import Budget
from core.delivery.model import Body, Delivery, Found, Outcome, Outgoing, Part, State, Verdict
from core.delivery.repo import LedgerRepo
from core.delivery.rules import LEASE_MARGIN, back_off, conclude, lease_of
from core.delivery.sender import Sender
from core.delivery.service import cancel, decide, list_waiting, order
from core.interactions.model import Direction
from core.platform.clock import utc_now
from core.platform.db import Database
from core.platform.errors import BadInput, Forbidden, NotFound
from core.platform.ids import Holder, ProjectId, TenantId
from tests.conftest import Clock
from tests.delivery.mail_adapter import UNLIMITED
from tests.interactions.test_versions import told

OK = Outcome(state=State.SENT)
Script = Callable[[Delivery], Outcome]


class Service:
    """Does what the test's script says and remembers what it was asked."""

    def __init__(self, script: Script, **capabilities: Any) -> None:
        self.capabilities = Capabilities(**{"account_limit": UNLIMITED, "chat_limit": UNLIMITED, **capabilities})
        self.script = script
        self.sent: list[tuple[str, str]] = []
        self.history: list[tuple[str, str]] = []  # (remote id, text)
        self.project_id: ProjectId | None = None

    def owns(self, account: str) -> bool:
        return account == "mail:1"

    def is_group(self, destination: str) -> bool:
        return destination.startswith("-")

    async def send(self, delivery: Delivery) -> Outcome:
        self.sent.append((delivery.destination, delivery.body.text))
        outcome = self.script(delivery)
        return outcome.model_copy(update={"remote_id": str(len(self.sent))}) if outcome == OK else outcome

    async def find(self, delivery: Delivery, taken: frozenset[str]) -> FindResult:
        for remote_id, text in self.history:
            if text == delivery.body.text and remote_id not in taken:
                return FindResult(Found.YES, remote_id)
        return FindResult(Found.NO)

    def echo(self, delivery: Delivery, remote_id: str, at: datetime) -> Echo | None:
        if self.project_id is None:
            return None
        return Echo(
            self.project_id, told(delivery.body.text, external_id=remote_id, direction=Direction.OUT, occurred_at=at)
        )


class Ledger:
    def __init__(self, database: Database, redis: "Redis", tenant_id: TenantId, clock: Clock) -> None:
        self.database = database
        self.redis = redis
        self.tenant_id = tenant_id
        self.clock = clock

    async def order(self, *texts: str, origin: str = "test:1", to: str = "7", **options: Any) -> None:
        parts = [part(text) for text in texts]
        due_at = options.get("due_at", self.clock())
        async with self.database.uow(self.tenant_id) as uow:
            await order(uow, Outgoing(origin=origin, account="mail:1", destination=to, parts=parts, due_at=due_at))

    async def send(self, service: Service) -> None:
        """Until nothing is due at this moment of the test's clock."""
        sender = Sender(self.database, self.redis, [service], Holder("me"), self.clock)
        while await sender.run_once() or sender.is_busy:
            await asyncio.sleep(0.005)

    async def rows(self) -> list[tuple[str, str]]:
        async with self.database.uow(self.tenant_id) as uow:
            rows = await uow.db.fetch("SELECT body->>'text' AS text, state FROM deliveries ORDER BY id")
        return [(row["text"], row["state"]) for row in rows]

    async def fetchval(self, query: str) -> Any:
        async with self.database.uow(self.tenant_id) as uow:
            return await uow.db.fetchval(query)


def part(text: str, *, passed: bool = True, other: str | None = None) -> Part:
    body = Body(text=text)
    return Part(body=body, verdict=Verdict.of(Body(text=other or text), "fixed", "1", passed=passed))


@pytest.fixture
async def ledger(fresh: Database, redis: "Redis", clock: Clock) -> Ledger:
    tenant = await do_found_tenant(fresh, "one", "One")
    return Ledger(fresh, redis, tenant.tenant_id, clock)


@pytest.fixture
async def reader(ledger: Ledger) -> Reader:
    return await access_reader(ledger.database, ledger.tenant_id, Role.OWNER)


def always(outcome: Outcome) -> Script:
    return lambda _: outcome


def after(*outcomes: Outcome) -> Script:
    """Each outcome once, then success."""
    rest = list(outcomes)
    return lambda _: rest.pop(0) if rest else OK


FLOOD = Outcome(state=State.QUEUED, retry_after=30)
REFUSED = Outcome(state=State.FAILED, error_code="blocked")
LOST = Outcome(state=State.UNKNOWN)


async def test_parts_go_out_once_and_in_order(ledger: Ledger) -> None:
    service = Service(always(OK))
    await ledger.order("one", "two", "three")
    await ledger.order("one", "two", "three")
    await ledger.send(service)
    await ledger.send(service)
    assert service.sent == [("7", "one"), ("7", "two"), ("7", "three")]
    assert {state for _, state in await ledger.rows()} == {"sent"}


async def test_nothing_leaves_before_its_time(ledger: Ledger, clock: Clock) -> None:
    service = Service(always(OK))
    await ledger.order("later", due_at=clock() + timedelta(hours=1))
    await ledger.order("now", origin="test:2")
    await ledger.send(service)
    clock.forward(hours=1)
    await ledger.send(service)
    assert [text for _, text in service.sent] == ["now", "later"]


@pytest.mark.parametrize("bad", [part("x", passed=False), part("x", other="y")], ids=["not passed", "of other bytes"])
async def test_nothing_is_ordered_unchecked(ledger: Ledger, bad: Part, clock: Clock) -> None:
    for parts in ([bad], [part("ok"), bad], []):
        with pytest.raises(BadInput):
            async with ledger.database.uow(ledger.tenant_id) as uow:
                outgoing = Outgoing(origin="t:1", account="mail:1", destination="7", parts=parts, due_at=clock())
                await order(uow, outgoing)
    assert await ledger.rows() == []


async def test_bytes_that_were_changed_after_the_check_do_not_leave(ledger: Ledger) -> None:
    service = Service(always(OK))
    await ledger.order("checked")
    await ledger.fetchval("UPDATE deliveries SET body = jsonb_set(body, '{text}', '\"tampered\"') RETURNING id")
    await ledger.send(service)
    assert service.sent == []
    assert await ledger.rows() == [("tampered", "failed")]


async def test_a_flood_holds_its_chat_and_no_other(ledger: Ledger, clock: Clock) -> None:
    service = Service(lambda d: FLOOD if d.body.text == "a1" and d.attempts == 1 else OK)
    await ledger.order("a1", origin="a1", to="A")
    await ledger.order("a2", origin="a2", to="A")
    await ledger.order("b1", origin="b1", to="B")
    await ledger.send(service)
    assert sorted(text for _, text in service.sent) == ["a1", "b1"]
    clock.forward(seconds=29)
    await ledger.send(service)
    assert len(service.sent) == 2
    clock.forward(seconds=1)
    await ledger.send(service)
    assert [text for _, text in service.sent if text.startswith("a")] == ["a1", "a1", "a2"]


async def test_an_unknown_part_holds_back_the_rest_of_its_message_only(
    ledger: Ledger, reader: Reader, clock: Clock
) -> None:
    service = Service(after(OK, LOST))
    await ledger.order("one", "two", "three")
    await ledger.order("another", origin="test:2")
    await ledger.send(service)
    assert await ledger.rows() == [("one", "sent"), ("two", "unknown"), ("three", "queued"), ("another", "sent")]
    [waiting] = await list_waiting(ledger.database, reader)
    await decide(ledger.database, reader, waiting.id, "sent", clock())
    await ledger.send(service)
    assert (await ledger.rows())[2] == ("three", "sent")


@pytest.mark.parametrize(
    ("decision", "state", "sent"), [("resend", "sent", 2), ("sent", "sent", 1), ("drop", "cancelled", 1)]
)
async def test_a_person_settles_what_nobody_can_know(
    ledger: Ledger, reader: Reader, clock: Clock, decision: str, state: str, sent: int
) -> None:
    service = Service(after(LOST))
    await ledger.order("one")
    await ledger.send(service)
    [waiting] = await list_waiting(ledger.database, reader)
    await decide(ledger.database, reader, waiting.id, decision, clock())
    await ledger.send(service)
    assert (await ledger.rows(), len(service.sent)) == ([("one", state)], sent)
    with pytest.raises(NotFound):
        await decide(ledger.database, reader, waiting.id, decision, clock())


async def test_only_who_may_operate_decides(ledger: Ledger, clock: Clock) -> None:
    member = await access_reader(ledger.database, ledger.tenant_id, Role.OPERATOR)
    with pytest.raises(Forbidden):
        await decide(ledger.database, member, 1, "resend", clock())  # type: ignore[arg-type]


async def test_a_refusal_fails_and_cancels_the_rest(ledger: Ledger) -> None:
    service = Service(after(REFUSED))
    await ledger.order("one", "two")
    await ledger.send(service)
    assert await ledger.rows() == [("one", "failed"), ("two", "cancelled")]


async def test_what_has_not_begun_can_be_cancelled(ledger: Ledger, clock: Clock) -> None:
    await ledger.order("one", due_at=clock() + timedelta(minutes=5))
    async with ledger.database.uow(ledger.tenant_id) as uow:
        assert await cancel(uow, "test:1", clock()) == 1
        assert await cancel(uow, "test:1", clock()) == 0
    clock.forward(minutes=5)
    service = Service(always(OK))
    await ledger.send(service)
    assert service.sent == []


async def test_a_service_may_take_back_what_it_had_accepted(ledger: Ledger, clock: Clock) -> None:
    await ledger.order("one")
    await ledger.send(Service(always(OK)))
    async with ledger.database.uow(ledger.tenant_id) as uow:
        [lane] = await LedgerRepo(uow.db).list_lanes(
            ledger.tenant_id, [await uow.db.fetchval("SELECT id FROM delivery_lanes")]
        )
        assert not await LedgerRepo(uow.db).mark_rejected(lane, "no such message", "moderated", clock())
        assert await LedgerRepo(uow.db).mark_rejected(lane, "1", "moderated", clock())
    assert await ledger.rows() == [("one", "rejected")]


async def test_a_migrated_chat_is_followed_in_order(ledger: Ledger) -> None:
    moved = Outcome(state=State.QUEUED, moved_to="-1007")
    service = Service(lambda d: moved if d.destination == "-7" else OK)
    await ledger.order("one", "two", to="-7")
    await ledger.order("three", origin="test:2", to="-7")
    await ledger.send(service)
    assert service.sent == [("-7", "one"), ("-1007", "one"), ("-1007", "two"), ("-1007", "three")]


async def test_history_settles_what_was_lost(ledger: Ledger, clock: Clock) -> None:
    service = Service(after(LOST, LOST), history=True)
    service.history = [("9", "one")]
    await ledger.order("one", origin="a")
    await ledger.order("two", origin="b")
    await ledger.send(service)
    assert {state for _, state in await ledger.rows()} == {"unknown"}
    clock.forward(seconds=lease_of(service.capabilities).total_seconds() - 1)
    await ledger.send(service)
    assert {state for _, state in await ledger.rows()} == {"unknown"}, "asked before the request's own deadline"
    for _ in range(3):
        clock.forward(seconds=5)
        await ledger.send(service)
    assert await ledger.rows() == [("one", "sent"), ("two", "sent")]
    assert [text for _, text in service.sent] == ["one", "two", "two"]


async def test_one_message_at_the_service_settles_one_row(ledger: Ledger, clock: Clock) -> None:
    service = Service(after(LOST, LOST), history=True)
    service.history = [("9", "same")]
    await ledger.order("same", origin="a")
    await ledger.order("same", origin="b")
    await ledger.send(service)
    for _ in range(3):
        clock.forward(minutes=1)
        await ledger.send(service)
    assert [text for _, text in service.sent] == ["same", "same", "same"]
    assert await ledger.fetchval("SELECT count(DISTINCT remote_id) FROM deliveries") == 2


async def test_a_repeatable_send_is_repeated_with_its_random_id(ledger: Ledger, clock: Clock) -> None:
    ids: list[int] = []

    def script(delivery: Delivery) -> Outcome:
        ids.append(delivery.random_id)
        return LOST if len(ids) == 1 else OK

    await ledger.order("one")
    service = Service(script, repeatable=True)
    await ledger.send(service)
    clock.forward(seconds=2)
    await ledger.send(service)
    assert len(ids) == 2
    assert len(set(ids)) == 1


async def test_a_sender_that_died_in_between_leaves_an_unknown(ledger: Ledger, clock: Clock) -> None:
    service = Service(always(OK))
    await ledger.order("one")
    async with ledger.database.uow(ledger.tenant_id) as uow:
        [lane] = await LedgerRepo(uow.db).list_lanes(
            ledger.tenant_id, [await uow.db.fetchval("SELECT id FROM delivery_lanes")]
        )
        head = await LedgerRepo(uow.db).get_head(lane, clock())
        assert head
        assert await LedgerRepo(uow.db).begin(lane, head.id, Holder("dead"), clock(), clock() + LEASE_MARGIN)
        assert await LedgerRepo(uow.db).begin(lane, head.id, Holder("other"), clock(), clock() + LEASE_MARGIN) is None
    await ledger.send(service)
    assert await ledger.rows() == [("one", "sending")]
    clock.forward(seconds=LEASE_MARGIN.total_seconds())
    await ledger.send(service)
    assert (await ledger.rows(), service.sent) == ([("one", "unknown")], [])


async def test_acknowledgement_and_echo_are_one_interaction(ledger: Ledger) -> None:
    service = Service(always(OK))
    service.project_id = ProjectId(await ledger.fetchval("SELECT id FROM projects"))
    await ledger.order("one")
    await ledger.send(service)
    row = await ledger.fetchval("SELECT direction || ' ' || external_id FROM interactions")
    assert row == "out 1"


async def test_another_tenant_sees_no_delivery(ledger: Ledger) -> None:
    await ledger.order("one")
    other = await do_found_tenant(ledger.database, f"t{secrets.token_hex(4)}", "Other")
    stranger = await access_reader(ledger.database, other.tenant_id, Role.OWNER)
    assert await list_waiting(ledger.database, stranger) == []
    async with ledger.database.uow(other.tenant_id) as uow:
        assert await uow.db.fetchval("SELECT count(*) FROM deliveries") == 0


async def test_a_budget_is_shared_and_survives_flushall(ledger: Ledger) -> None:
    limits = Limits(3, 30.0)

    def budget() -> Budget:
        return Budget(ledger.redis, ledger.database, ledger.tenant_id, "mail:1", utc_now)

    windows = budget().windows("7", limits, UNLIMITED, None)
    while await budget().take("1:1", windows):
        pass
    assert await budget().take("2:1", windows) == 0
    assert await budget().take("3:1", windows) == 0
    assert 29 < await budget().take("4:1", windows) < 30.1
    await ledger.order("a", "b")
    await ledger.fetchval("UPDATE deliveries SET begun_at = now(), fence = 1 RETURNING id")
    await ledger.redis.flushdb()
    while (wait := await budget().take("5:1", windows)) and wait < 1:
        pass
    assert await budget().take("6:1", windows) > 25, "two that had begun and one granted: the budget is used up"


@pytest.mark.parametrize(
    ("outcome", "capabilities", "state", "again"),
    [
        (OK, {}, State.SENT, None),
        (REFUSED, {}, State.FAILED, None),
        (LOST, {}, State.UNKNOWN, None),
        (LOST, {"history": True}, State.UNKNOWN, 45.0),
        (LOST, {"repeatable": True}, State.QUEUED, 4.0),
        (FLOOD, {}, State.QUEUED, 30.0),
        (Outcome(state=State.QUEUED), {}, State.QUEUED, 4.0),
        (Outcome(state=State.QUEUED, moved_to="x"), {}, State.QUEUED, 0.0),
    ],
)
def test_what_follows_from_an_outcome(
    outcome: Outcome, capabilities: dict[str, Any], state: State, again: float | None
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    delivery = _delivery(now, attempts=3)
    concluded, due_at = conclude(delivery, outcome, Capabilities(**capabilities), now, 0)
    assert concluded.state is state
    assert (None if due_at is None else (due_at - now).total_seconds()) == again


def test_it_gives_up_in_the_end() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    concluded, due_at = conclude(_delivery(now, attempts=12), Outcome(state=State.QUEUED), Capabilities(), now, 0)
    assert (concluded.state, concluded.error_code, due_at) == (State.FAILED, "gave_up", None)
    assert back_off(40, 1) == timedelta(minutes=5) * 1.15


def _delivery(now: datetime, attempts: int) -> Delivery:
    body = Body(text="x")
    return Delivery(
        tenant_id=TenantId(1), id=1, lane_id=1, origin="o", part=0, account="a", destination="d", body=body,
        body_hash=body.digest(), state=State.SENDING, due_at=now, attempts=attempts, fence=1, random_id=1,
        remote_id=None,
        error_code=None, error=None, begun_at=now, correlation_id=None,
    )  # fmt: skip
