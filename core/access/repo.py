"""SQL of the team: tenants, projects, members, memberships, and the directory that finds a tenant."""

from core.access.model import Project, Role, TeamMember, Tenant
from core.platform.db import Repo
from core.platform.ids import MemberId, ProjectId, TenantId

TENANT = "tenant"  # the kind of a slug in the directory


class DirectoryRepo(Repo):
    """Works on a connection without a tenant."""

    async def find(self, kind: str, key: str) -> TenantId | None:
        found = await self._db.fetchval("SELECT directory_find($1, $2)", kind, key)
        return None if found is None else TenantId(found)

    async def list_tenants(self) -> dict[str, TenantId]:
        rows = await self._db.fetch("SELECT slug, tenant_id FROM directory_tenants()")
        return {row["slug"]: TenantId(row["tenant_id"]) for row in rows}

    async def next_tenant_id(self) -> TenantId:
        return TenantId(await self._db.fetchval("SELECT nextval('tenant_ids')"))


class AccessRepo(Repo):
    async def add_tenant(self, tenant: Tenant) -> None:
        """Raises UniqueViolationError when the slug is taken."""
        await self._db.execute(ADD_TENANT, tenant.tenant_id, tenant.slug, tenant.name)
        await self._db.execute(ADD_DIRECTORY, TENANT, tenant.slug, tenant.tenant_id)

    async def add_directory(self, tenant_id: TenantId, kind: str, key: str) -> None:
        """What finds the tenant before it is known; entered twice, it changes nothing."""
        await self._db.execute(ADD_DIRECTORY + " ON CONFLICT DO NOTHING", kind, key, tenant_id)

    async def add_project(self, tenant_id: TenantId, slug: str, name: str) -> Project | None:
        """None when the slug is taken."""
        row = await self._db.fetchrow(ADD_PROJECT, tenant_id, slug, name)
        return Project.model_validate(dict(row)) if row else None

    async def list_projects(self, tenant_id: TenantId) -> list[Project]:
        return [Project.model_validate(dict(row)) for row in await self._db.fetch(LIST_PROJECTS, tenant_id)]

    async def add_member(self, tenant_id: TenantId, name: str, telegram_user_id: int | None) -> MemberId | None:
        """None when the name or the Telegram user is taken."""
        found = await self._db.fetchval(ADD_MEMBER, tenant_id, name, telegram_user_id)
        return None if found is None else MemberId(found)

    async def get_member_id(self, tenant_id: TenantId, name: str) -> MemberId | None:
        found = await self._db.fetchval(GET_MEMBER, tenant_id, name)
        return None if found is None else MemberId(found)

    async def get_member_by_telegram(self, tenant_id: TenantId, telegram_user_id: int) -> MemberId | None:
        found = await self._db.fetchval(GET_MEMBER_BY_TELEGRAM, tenant_id, telegram_user_id)
        return None if found is None else MemberId(found)

    async def list_roles_of_telegram(
        self, tenant_id: TenantId, telegram_user_id: int
    ) -> list[tuple[MemberId, ProjectId | None, Role]]:
        """Empty for a stranger."""
        rows = await self._db.fetch(LIST_ROLES_OF_TELEGRAM, tenant_id, telegram_user_id)
        return [(MemberId(row["member_id"]), row["project_id"], Role(row["role"])) for row in rows]

    async def has_owner(self, tenant_id: TenantId) -> bool:
        """Whether somebody who is known to Telegram owns the tenant."""
        return bool(await self._db.fetchval(HAS_OWNER, tenant_id))

    async def set_role(
        self, tenant_id: TenantId, member_id: MemberId, project_id: ProjectId | None, role: Role
    ) -> None:
        await self._db.execute(SET_ROLE, tenant_id, member_id, project_id, role)

    async def list_members(self, tenant_id: TenantId) -> list[TeamMember]:
        return [TeamMember.model_validate(dict(row)) for row in await self._db.fetch(LIST_MEMBERS, tenant_id)]

    async def list_roles(self, tenant_id: TenantId, member_id: MemberId) -> list[tuple[ProjectId | None, Role]]:
        rows = await self._db.fetch(LIST_ROLES, tenant_id, member_id)
        return [(row["project_id"], Role(row["role"])) for row in rows]


ADD_TENANT = "INSERT INTO tenants (tenant_id, slug, name) VALUES ($1, $2, $3)"
ADD_DIRECTORY = "INSERT INTO directory (kind, key, tenant_id) VALUES ($1, $2, $3)"
ADD_PROJECT = """
INSERT INTO projects (tenant_id, slug, name) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id, slug, name
"""
LIST_PROJECTS = "SELECT id, slug, name FROM projects WHERE tenant_id = $1 ORDER BY id"
ADD_MEMBER = """
INSERT INTO team_members (tenant_id, name, telegram_user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING RETURNING id
"""
GET_MEMBER = "SELECT id FROM team_members WHERE tenant_id = $1 AND name = $2"
GET_MEMBER_BY_TELEGRAM = "SELECT id FROM team_members WHERE tenant_id = $1 AND telegram_user_id = $2"
LIST_ROLES_OF_TELEGRAM = """
SELECT m.member_id, m.project_id, m.role FROM team_members t
JOIN memberships m ON m.tenant_id = t.tenant_id AND m.member_id = t.id
WHERE t.tenant_id = $1 AND t.telegram_user_id = $2
"""
HAS_OWNER = """
SELECT EXISTS (SELECT FROM memberships m JOIN team_members t ON t.tenant_id = m.tenant_id AND t.id = m.member_id
    WHERE m.tenant_id = $1 AND m.role = 'owner' AND t.telegram_user_id IS NOT NULL)
"""
SET_ROLE = """
INSERT INTO memberships (tenant_id, member_id, project_id, role) VALUES ($1, $2, $3, $4)
ON CONFLICT (tenant_id, member_id, project_id) DO UPDATE SET role = excluded.role
"""
LIST_MEMBERS = """
SELECT t.id, t.name, t.telegram_user_id,
       coalesce(jsonb_object_agg(coalesce(p.slug, '*'), m.role) FILTER (WHERE m.role IS NOT NULL), '{}') AS roles
FROM team_members t
LEFT JOIN memberships m ON m.tenant_id = t.tenant_id AND m.member_id = t.id
LEFT JOIN projects p ON p.tenant_id = m.tenant_id AND p.id = m.project_id
WHERE t.tenant_id = $1 GROUP BY t.tenant_id, t.id ORDER BY t.id
"""
LIST_ROLES = "SELECT project_id, role FROM memberships WHERE tenant_id = $1 AND member_id = $2"
