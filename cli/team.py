"""`parley team` and `parley project`: who works here, on what."""

from typing import Annotated

import typer

from bot.app import invite_links
from cli.console import JsonOption, TenantOption, command, out, print_json, with_reader
from config.runtime import Runtime
from core.access import service
from core.access.model import Permission, Project, Reader, Role, TeamMember
from core.access.permissions import check_permission
from core.platform.errors import NotFound
from core.platform.ids import MemberId

team = typer.Typer(no_args_is_help=True, help="People and their roles.")
project = typer.Typer(no_args_is_help=True, help="Projects: seller accounts, brands, workstreams.")


@team.command("add")
@command
async def add_member(
    name: Annotated[str, typer.Argument(help="How the team calls this person.")],
    role: Annotated[Role, typer.Option(help="What he or she may do.")] = Role.OPERATOR,
    telegram_id: Annotated[int | None, typer.Option(help="Telegram user id.")] = None,
    project_slug: Annotated[str | None, typer.Option("--project", help="Only in this project (default: all).")] = None,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a person, or give a known one another role."""

    async def work(runtime: Runtime, reader: Reader) -> MemberId:
        return await service.do_add_member(
            runtime.database, reader, name, role, telegram_user_id=telegram_id, project=project_slug
        )

    member_id = await with_reader(tenant, work)
    print_json({"member_id": member_id, "role": role}) if as_json else out.print(
        f"{name} is {role} now (member {member_id})."
    )


@team.command("list")
@command
async def list_members(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """List people and roles."""

    async def work(runtime: Runtime, reader: Reader) -> list[TeamMember]:
        return await service.list_members(runtime.database, reader)

    members = await with_reader(tenant, work)
    if as_json:
        print_json({"members": [member.model_dump(mode="json") for member in members]})
    elif not members:
        out.print("Nobody yet: parley team add NAME --role owner")
    for member in members if not as_json else []:
        roles = ", ".join(f"{role} of {'all projects' if slug == '*' else slug}" for slug, role in member.roles.items())
        out.print(f"{member.id}\t{member.name}\t{roles}", markup=False)


@team.command("invite")
@command
async def invite(
    role: Annotated[Role, typer.Option(help="What the person may do.")] = Role.OPERATOR,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print a one-time link; whoever opens it in Telegram first becomes a member."""

    async def work(runtime: Runtime, reader: Reader) -> list[str]:
        check_permission(reader, Permission.MANAGE_TEAM)
        return await invite_links(runtime, role, tenant_id=reader.tenant_id)

    links = await with_reader(tenant, work)
    if not links:
        raise NotFound("There is no bot to invite to: set BOT_TOKEN, or add one with `parley bot add`.")
    print_json({"links": links}) if as_json else out.print("\n".join(links), markup=False)


@project.command("add")
@command
async def add_project(
    slug: Annotated[str, typer.Argument(help="Short name: a–z, 0–9, -.")],
    name: Annotated[str | None, typer.Option(help="Full name.")] = None,
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a project."""

    async def work(runtime: Runtime, reader: Reader) -> Project:
        return await service.do_add_project(runtime.database, reader, slug, name or slug)

    added = await with_reader(tenant, work)
    print_json(added) if as_json else out.print(f"Project {added.slug} is there now.", markup=False)


@project.command("list")
@command
async def list_projects(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """List projects."""

    async def work(runtime: Runtime, reader: Reader) -> list[Project]:
        return await service.list_projects(runtime.database, reader)

    projects = await with_reader(tenant, work)
    if as_json:
        print_json({"projects": [found.model_dump(mode="json") for found in projects]})
    for found in projects if not as_json else []:
        out.print(f"{found.slug}\t{found.name}", markup=False)
