"""The console script `parley`."""

import sys

import typer

from cli import digest, imports

app = typer.Typer(
    name="parley",
    help="A Telegram-first operator desk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("import")(imports.import_)
app.command("digest")(digest.digest)


def main() -> None:
    app(prog_name="parley", args=sys.argv[1:])
