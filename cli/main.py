"""The commands of the console script `parley`."""

import typer

from cli import bot, delivery, digest, doctor, imports, operate, policy, secret, status, team, threads, tour, up
from cli.bench import bench

app = typer.Typer(
    name="parley",
    help="A Telegram-first operator desk.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"max_content_width": 120},
)
app.command("up")(up.up)
app.command("tour")(tour.tour)
app.command("import")(imports.import_)
app.command("digest")(digest.digest)
app.command("threads")(threads.threads)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("rebuild")(operate.rebuild)
app.command("migrate")(operate.migrate)
app.command("bench")(bench)
app.add_typer(bot.bot, name="bot")
app.add_typer(team.team, name="team")
app.add_typer(team.project, name="project")
app.add_typer(policy.policy, name="policy")
app.add_typer(secret.secrets, name="secrets")
app.add_typer(operate.jobs, name="jobs")
app.add_typer(operate.dlq, name="dlq")
app.add_typer(delivery.delivery, name="delivery")
