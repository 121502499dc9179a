"""`parley secrets`: keys that encrypt credentials at rest."""

import typer

from cli.console import JsonOption, TenantOption, command, out, print_json, print_text, with_reader
from config.runtime import Runtime
from core.access.model import Permission, Reader
from core.access.permissions import check_permission
from core.access.service import actor_of
from core.platform.audit import AuditRepo
from core.platform.secretbox import SecretRepo, new_key

secrets = typer.Typer(no_args_is_help=True, help="Encryption of credentials at rest.")


@secrets.command("new-key")
def make_key() -> None:
    """Print a new key for PARLEY_SECRET_KEYS."""
    print_text(new_key())


@secrets.command("rotate")
@command
async def rotate(tenant: TenantOption = None, as_json: JsonOption = False) -> None:
    """Encrypt every stored secret with the first key of PARLEY_SECRET_KEYS; then the old key may go."""

    async def work(runtime: Runtime, reader: Reader) -> int:
        check_permission(reader, Permission.MANAGE_TENANT)
        box = runtime.secret_box()
        async with runtime.database.uow(reader.tenant_id) as uow:
            rotated = await SecretRepo(uow.db, box).rotate(reader.tenant_id)
            await AuditRepo(uow.db).add(
                reader.tenant_id, actor_of(reader), "secrets.rotate", "secrets", {"count": rotated}
            )
        return rotated

    rotated = await with_reader(tenant, work)
    print_json({"rotated": rotated}) if as_json else out.print(f"{rotated} secrets are under the first key now.")
