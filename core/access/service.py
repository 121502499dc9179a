"""Use cases of the team: find or found a tenant, add projects and people, know a reader."""

import re

import asyncpg

from core.access.model import Permission, Project, Reader, Role, TeamMember, Tenant
from core.access.permissions import check_permission
from core.access.repo import AccessRepo, DirectoryRepo
from core.platform.audit import AuditRepo
from core.platform.db import Database, UnitOfWork
from core.platform.errors import BadInput, Conflict, NotFound
from core.platform.ids import MemberId, ProjectId, TenantId

DEFAULT_TENANT = "default"
DEFAULT_PROJECT = "main"
SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
MAX_NAME = 200


def check_slug(slug: str) -> str:
    if not SLUG.fullmatch(slug):
        raise BadInput(
            f"«{slug}» cannot be a short name: use 1–63 of a–z, 0–9 and -, beginning with a letter or digit."
        )
    return slug


def check_name(name: str) -> str:
    name = " ".join(name.split())
    if not 0 < len(name) <= MAX_NAME:
        raise BadInput(f"A name must have 1–{MAX_NAME} characters.")
    return name


async def access_tenant(database: Database, slug: str | None) -> Tenant:
    """The tenant named, else the only one; the first start founds `default` with one project."""
    async with database.anyone() as db:
        tenants = await DirectoryRepo(db).list_tenants()
    if slug is not None:
        if slug not in tenants:
            raise NotFound(f"There is no tenant «{slug}»: known are {', '.join(tenants) or 'none yet'}.")
        return Tenant(tenant_id=tenants[slug], slug=slug, name=slug)
    if not tenants:
        return await do_found_tenant(database, DEFAULT_TENANT, "Default")
    if len(tenants) > 1:
        raise BadInput(f"There are several tenants: choose one with --tenant ({', '.join(tenants)}).")
    only, tenant_id = next(iter(tenants.items()))
    return Tenant(tenant_id=tenant_id, slug=only, name=only)


async def do_found_tenant(database: Database, slug: str, name: str) -> Tenant:
    """A tenant with its first project. Two at once: one founds, the other gets the founded one."""
    check_slug(slug)
    async with database.anyone() as db:
        tenant_id = await DirectoryRepo(db).next_tenant_id()
    tenant = Tenant(tenant_id=tenant_id, slug=slug, name=check_name(name))
    try:
        async with database.uow(tenant_id) as uow:
            repo = AccessRepo(uow.db)
            await repo.add_tenant(tenant)
            await repo.add_project(tenant_id, DEFAULT_PROJECT, "Main")
            await AuditRepo(uow.db).add(tenant_id, "cli", "tenant.found", f"tenant:{tenant_id}")
    except asyncpg.UniqueViolationError:
        return await access_tenant(database, slug)
    return tenant


async def access_project(database: Database, reader: Reader, slug: str | None) -> Project:
    """The project named, else the only one the reader may use, else the first one."""
    async with database.uow(reader.tenant_id) as uow:
        projects = await AccessRepo(uow.db).list_projects(reader.tenant_id)
    allowed = [p for p in projects if reader.projects is None or p.id in reader.projects]
    found = next((p for p in allowed if slug is None or p.slug == slug), None)
    if found is None:
        known = ", ".join(p.slug for p in allowed) or "none"
        raise NotFound(f"There is no project «{slug}» that you may use: known are {known}.")
    return found


async def do_add_project(database: Database, reader: Reader, slug: str, name: str) -> Project:
    check_permission(reader, Permission.MANAGE_TENANT)
    async with database.uow(reader.tenant_id) as uow:
        project = await AccessRepo(uow.db).add_project(reader.tenant_id, check_slug(slug), check_name(name))
        if project is None:
            raise Conflict(f"There is a project «{slug}» already: choose another short name.")
        await AuditRepo(uow.db).add(reader.tenant_id, actor_of(reader), "project.add", f"project:{project.id}")
    return project


async def list_projects(database: Database, reader: Reader) -> list[Project]:
    async with database.uow(reader.tenant_id) as uow:
        projects = await AccessRepo(uow.db).list_projects(reader.tenant_id)
    return [p for p in projects if reader.projects is None or p.id in reader.projects]


async def do_add_member(
    database: Database, reader: Reader, name: str, role: Role, *, telegram_user_id: int | None, project: str | None
) -> MemberId:
    """A new person, or one more role for a known one; `project` None gives the role in all projects."""
    check_permission(reader, Permission.MANAGE_TEAM)
    name = check_name(name)
    project_id = (await access_project(database, reader, project)).id if project else None
    async with database.uow(reader.tenant_id) as uow:
        repo = AccessRepo(uow.db)
        member_id = await repo.add_member(reader.tenant_id, name, telegram_user_id)
        member_id = member_id or await repo.get_member_id(reader.tenant_id, name)
        if member_id is None:
            raise Conflict(f"Telegram user {telegram_user_id} belongs to another member already: use that name.")
        await repo.set_role(reader.tenant_id, member_id, project_id, role)
        await AuditRepo(uow.db).add(
            reader.tenant_id,
            actor_of(reader),
            "member.set_role",
            f"member:{member_id}",
            {"role": role, "project_id": project_id},
        )
    return member_id


async def list_members(database: Database, reader: Reader) -> list[TeamMember]:
    async with database.uow(reader.tenant_id) as uow:
        return await AccessRepo(uow.db).list_members(reader.tenant_id)


async def access_reader(
    database: Database, tenant_id: TenantId, role: Role, member_id: MemberId | None = None
) -> Reader:
    """A reader in a role; with a member, only in the projects where he or she has it."""
    if member_id is None:
        return Reader(tenant_id=tenant_id, member_id=None, role=role)
    async with database.uow(tenant_id) as uow:
        roles = await AccessRepo(uow.db).list_roles(tenant_id, member_id)
    held: list[ProjectId | None] = [project_id for project_id, its_role in roles if its_role is role]
    if not held:
        raise NotFound(f"Member {member_id} does not have the role «{role}» here: see `parley team list`.")
    projects = None if None in held else frozenset(p for p in held if p is not None)
    return Reader(tenant_id=tenant_id, member_id=member_id, role=role, projects=projects)


RANKS = (Role.OWNER, Role.MANAGER, Role.OPERATOR, Role.MEMBER)


async def reader_of_telegram_user(uow: UnitOfWork, telegram_user_id: int) -> Reader | None:
    """A member of the team in the highest of his or her roles; None for a stranger.

    A plain member reads no group by default: who is in a group is Telegram's to say.
    """
    held_roles = await AccessRepo(uow.db).list_roles_of_telegram(uow.tenant_id, telegram_user_id)
    if not held_roles:
        return None
    member_id = held_roles[0][0]
    highest = min((role for _, _, role in held_roles), key=RANKS.index)
    held = [project_id for _, project_id, role in held_roles if role is highest]
    projects = None if None in held else frozenset(p for p in held if p is not None)
    groups = frozenset[int]() if highest is Role.MEMBER else None
    return Reader(tenant_id=uow.tenant_id, member_id=member_id, role=highest, projects=projects, groups=groups)


def actor_of(reader: Reader) -> str:
    """How the audit log names a reader."""
    return "cli" if reader.member_id is None else f"member:{reader.member_id}"
