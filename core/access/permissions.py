"""The one table of permissions, and the checks that everything else calls."""

from core.access.model import Permission, Reader, Role
from core.platform.errors import Forbidden
from core.platform.ids import ProjectId

_MEMBER = frozenset({Permission.READ_GROUPS})
_OPERATOR = _MEMBER | {Permission.READ_DESK, Permission.REPLY}
_MANAGER = _OPERATOR | {Permission.IMPORT, Permission.MANAGE_SOURCES, Permission.MANAGE_POLICIES, Permission.OPERATE}
_OWNER = _MANAGER | {Permission.MANAGE_TEAM, Permission.MANAGE_TENANT}

GRANTS: dict[Role, frozenset[Permission]] = {
    Role.MEMBER: _MEMBER,
    Role.OPERATOR: _OPERATOR,
    Role.MANAGER: _MANAGER,
    Role.OWNER: _OWNER,
}


def may(reader: Reader, permission: Permission) -> bool:
    return permission in GRANTS[reader.role]


def check_permission(reader: Reader, permission: Permission) -> None:
    if not may(reader, permission):
        raise Forbidden(
            f"The role «{reader.role}» may not do this (it needs «{permission}»): ask an owner of the team."
        )


def check_project(reader: Reader, project_id: ProjectId) -> None:
    if reader.projects is not None and project_id not in reader.projects:
        raise Forbidden("This belongs to a project that you are not a member of: ask an owner of the team.")


def check_group(reader: Reader, conversation_id: int) -> None:
    """A plain member reads only the groups that he or she belongs to."""
    check_permission(reader, Permission.READ_GROUPS)
    if reader.groups is not None and conversation_id not in reader.groups:
        raise Forbidden("You are not a member of this group, so its messages stay closed to you.")
