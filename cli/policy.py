"""`parley policy`: settings that change while the product runs."""

from typing import Annotated, Any

import typer
import yaml
from pydantic import BaseModel

from cli.console import JsonOption, TenantOption, command, out, print_json, with_reader
from config.runtime import Runtime
from core.access.model import Permission, Reader
from core.access.permissions import check_permission
from core.access.service import actor_of
from core.platform.errors import BadInput

policy = typer.Typer(no_args_is_help=True, help="Settings that change while the product runs.")


@policy.command("list")
@command
async def list_policies(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """List all policies and their values."""

    async def work(runtime: Runtime, reader: Reader) -> dict[str, BaseModel]:
        return {name: await runtime.policies.read(reader.tenant_id, name) for name in runtime.policies.names}

    values = await with_reader(tenant, work)
    if as_json:
        print_json({name: value.model_dump(mode="json") for name, value in values.items()})
    for name, value in values.items() if not as_json else []:
        for field, setting in value.model_dump(mode="json").items():
            out.print(f"{name}.{field} = {setting}", markup=False)


@policy.command("set")
@command
async def set_policy(
    name: Annotated[str, typer.Argument(help="The policy, such as digest.")],
    changes: Annotated[list[str], typer.Argument(help="FIELD=VALUE …")],
    tenant: TenantOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change fields of a policy; every process follows within seconds."""
    parsed = dict(parse_change(change) for change in changes)

    async def work(runtime: Runtime, reader: Reader) -> BaseModel:
        check_permission(reader, Permission.MANAGE_POLICIES)
        return await runtime.policies.change(reader.tenant_id, name, parsed, actor_of(reader), runtime.clock())

    value = await with_reader(tenant, work)
    if as_json:
        print_json(value)
    else:
        out.print("\n".join(f"{name}.{f} = {v}" for f, v in value.model_dump(mode="json").items()), markup=False)


def parse_change(text: str) -> tuple[str, Any]:
    field, equals, value = text.partition("=")
    if not equals or not field:
        raise BadInput(f"«{text}» is no change: write FIELD=VALUE, such as window_hours=6.")
    try:
        return field, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise BadInput(f"The value of «{field}» cannot be read: put quotes around it.") from error
