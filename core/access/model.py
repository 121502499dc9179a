"""Who works here, in what role, and what a reader may see."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from core.platform.ids import MemberId, ProjectId, TenantId


class Role(StrEnum):
    OWNER = "owner"
    MANAGER = "manager"
    OPERATOR = "operator"
    MEMBER = "member"


class Permission(StrEnum):
    READ_GROUPS = "read_groups"  # groups, their digests
    READ_DESK = "read_desk"  # customers' conversations, and their personal data
    REPLY = "reply"
    IMPORT = "import"
    MANAGE_SOURCES = "manage_sources"
    MANAGE_TEAM = "manage_team"
    MANAGE_POLICIES = "manage_policies"
    OPERATE = "operate"  # pause jobs, resolve dead letters, rebuild
    MANAGE_TENANT = "manage_tenant"


class Tenant(BaseModel):
    model_config = ConfigDict(frozen=True)

    tenant_id: TenantId
    slug: str
    name: str


class Project(BaseModel):
    """A seller account, a brand or a workstream."""

    model_config = ConfigDict(frozen=True)

    id: ProjectId
    slug: str
    name: str


class TeamMember(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: MemberId
    name: str
    telegram_user_id: int | None
    roles: dict[str, Role]  # project slug, or "*" for all of them → role


class Reader(BaseModel):
    """On whose behalf something is read or done. `projects` None means all; `groups` None means every group."""

    model_config = ConfigDict(frozen=True)

    tenant_id: TenantId
    member_id: MemberId | None  # None: the command line, which runs with the machine's own rights
    role: Role
    projects: frozenset[ProjectId] | None = None
    groups: frozenset[int] | None = None
