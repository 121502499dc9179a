import asyncio
import secrets
from itertools import pairwise

import pytest

from core.access import service
from core.access.model import Permission, Reader, Role
from core.access.permissions import GRANTS, check_group, check_permission, check_project, may
from core.platform.db import Database
from core.platform.errors import BadInput, Conflict, Forbidden, NotFound
from core.platform.ids import ProjectId, TenantId

TABLE = [
    (Role.MEMBER, {Permission.READ_GROUPS}),
    (Role.OPERATOR, {Permission.READ_GROUPS, Permission.READ_DESK, Permission.REPLY}),
    (
        Role.MANAGER,
        set(Permission) - {Permission.MANAGE_TEAM, Permission.MANAGE_TENANT},
    ),
    (Role.OWNER, set(Permission)),
]


def reader_as(role: Role, **fields: object) -> Reader:
    return Reader.model_validate({"tenant_id": 1, "member_id": None, "role": role, **fields})


@pytest.mark.parametrize(("role", "permissions"), TABLE)
def test_the_table_of_permissions(role: Role, permissions: set[Permission]) -> None:
    assert {p for p in Permission if may(reader_as(role), p)} == permissions


def test_every_role_may_all_that_the_next_lower_may() -> None:
    ranks = [GRANTS[role] for role in (Role.MEMBER, Role.OPERATOR, Role.MANAGER, Role.OWNER)]
    assert all(lower < higher for lower, higher in pairwise(ranks))


def test_checks_refuse_in_a_sentence() -> None:
    with pytest.raises(Forbidden, match="may not"):
        check_permission(reader_as(Role.OPERATOR), Permission.MANAGE_TEAM)
    with pytest.raises(Forbidden, match="project"):
        check_project(reader_as(Role.OPERATOR, projects=frozenset({2})), ProjectId(3))
    with pytest.raises(Forbidden, match="member of this group"):
        check_group(reader_as(Role.MEMBER, groups=frozenset({7})), 8)
    check_group(reader_as(Role.MEMBER, groups=frozenset({7})), 7)


async def test_the_first_start_founds_one_default_tenant_however_many_come_at_once(fresh: Database) -> None:
    found = await asyncio.gather(*(service.access_tenant(fresh, None) for _ in range(6)))
    assert {tenant.slug for tenant in found} == {"default"}
    assert len({tenant.tenant_id for tenant in found}) == 1
    reader = await service.access_reader(fresh, found[0].tenant_id, Role.OWNER)
    assert [project.slug for project in await service.list_projects(fresh, reader)] == ["main"]


async def test_with_several_tenants_one_must_be_named(fresh: Database) -> None:
    for slug in ("one", "two"):
        await service.do_found_tenant(fresh, slug, slug)
    with pytest.raises(BadInput, match="one, two"):
        await service.access_tenant(fresh, None)
    assert (await service.access_tenant(fresh, "two")).slug == "two"
    with pytest.raises(NotFound):
        await service.access_tenant(fresh, "three")


async def test_members_have_roles_in_projects(database: Database, reader: Reader) -> None:
    await service.do_add_project(database, reader, "shop", "Shop")
    member_id = await service.do_add_member(database, reader, "Anna", Role.OPERATOR, telegram_user_id=5, project="shop")
    again = await service.do_add_member(database, reader, "Anna", Role.MANAGER, telegram_user_id=None, project=None)
    assert again == member_id
    [member] = await service.list_members(database, reader)
    assert member.roles == {"shop": Role.OPERATOR, "*": Role.MANAGER}
    operator = await service.access_reader(database, reader.tenant_id, Role.OPERATOR, member_id)
    assert [p.slug for p in await service.list_projects(database, operator)] == ["shop"]
    with pytest.raises(NotFound):
        await service.access_project(database, operator, "main")
    assert (await service.access_reader(database, reader.tenant_id, Role.MANAGER, member_id)).projects is None
    with pytest.raises(NotFound):
        await service.access_reader(database, reader.tenant_id, Role.OWNER, member_id)


async def test_doubles_and_bad_names_are_refused(database: Database, reader: Reader) -> None:
    with pytest.raises(Conflict):
        await service.do_add_project(database, reader, "main", "Again")
    with pytest.raises(BadInput):
        await service.do_add_project(database, reader, "Bad Slug", "x")
    with pytest.raises(BadInput):
        await service.do_add_member(database, reader, "  ", Role.MEMBER, telegram_user_id=None, project=None)
    await service.do_add_member(database, reader, "Anna", Role.MEMBER, telegram_user_id=9, project=None)
    with pytest.raises(Conflict):
        await service.do_add_member(database, reader, "Boris", Role.MEMBER, telegram_user_id=9, project=None)


async def test_only_owners_change_the_team(database: Database, tenant_id: TenantId) -> None:
    manager = await service.access_reader(database, tenant_id, Role.MANAGER)
    with pytest.raises(Forbidden):
        await service.do_add_member(database, manager, "Eve", Role.OWNER, telegram_user_id=None, project=None)
    with pytest.raises(Forbidden):
        await service.do_add_project(database, manager, "evil", "Evil")


async def test_another_tenant_s_team_is_not_seen(database: Database, reader: Reader) -> None:
    await service.do_add_member(database, reader, "Anna", Role.OWNER, telegram_user_id=5, project=None)
    other = await service.do_found_tenant(database, f"t{secrets.token_hex(8)}", "Other")
    stranger = await service.access_reader(database, other.tenant_id, Role.OWNER)
    assert await service.list_members(database, stranger) == []
    await service.do_add_member(database, stranger, "Anna", Role.MEMBER, telegram_user_id=5, project=None)
