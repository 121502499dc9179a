"""The data directory of PostgreSQL: made beside, complete with roles and database, then renamed into place."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from config.embedded.children import Launcher
from config.embedded.errors import EmbeddedError
from config.embedded.secrets import Passwords
from config.embedded.server_log import telling_line

ADMIN = "parley_admin"
APP = "parley_app"
DATABASE = "parley"
TEMPLATE = "template1"  # exists before any other

# The builtin provider folds Cyrillic whatever the machine's locale is; with libc's C, search would break silently.
INITDB_OPTIONS = (
    f"--username={ADMIN}", "--auth=trust", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin",
    "--builtin-locale=PG_UNICODE_FAST", "--no-instructions",
)  # fmt: skip
# Replaces the permissive file of initdb before the server is ever reachable.
HBA = "local all all scram-sha-256\n"
# Single-user mode: one statement a line; an error is printed and the next line is read.
CREATE = "CREATE ROLE {app} LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE;\nCREATE DATABASE {database};\n"
SET_PASSWORDS = "ALTER ROLE {admin} PASSWORD '{admin_password}';\nALTER ROLE {app} PASSWORD '{app_password}';\n"


@dataclass(frozen=True)
class Cluster:
    programs: Path
    data: Path
    secrets: Path
    durable: bool

    def ensure(self, launcher: Launcher) -> None:
        """Make the data directory and the passwords, where they are missing.

        The caller holds the server lock. A kill at any point leaves a state from which this starts again.
        """
        passwords = Passwords.load(self.secrets)
        if not self.data.exists():
            self._create(launcher, passwords or Passwords.random())
        elif passwords is None:
            self._replace_passwords(launcher, Passwords.random())

    def _create(self, launcher: Launcher, passwords: Passwords) -> None:
        fresh = self.data.with_name("data.new")
        if fresh.exists():
            shutil.rmtree(fresh)
        try:
            self._initialise(launcher, fresh)
            self._execute(launcher, fresh, CREATE.format(app=APP, database=DATABASE) + _set_passwords(passwords))
            passwords.save(self.secrets)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        os.rename(fresh, self.data)

    def _replace_passwords(self, launcher: Launcher, passwords: Passwords) -> None:
        self._execute(launcher, self.data, _set_passwords(passwords))
        passwords.save(self.secrets)  # after the server knows them: a kill in between repeats the replacement

    def _initialise(self, launcher: Launcher, fresh: Path) -> None:
        haste = () if self.durable else ("--no-sync",)
        done = launcher.run([self.programs / "initdb", *INITDB_OPTIONS, *haste, "--pgdata", fresh])
        if done.returncode != 0:
            raise self._failed("make", done.stdout)
        (fresh / "pg_hba.conf").write_text(HBA, encoding="ascii")

    def _execute(self, launcher: Launcher, data: Path, statements: str) -> None:
        quiet = ("-c", "log_min_error_statement=panic", "-c", "log_checkpoints=off")  # no password in a message
        done = launcher.run([self.programs / "postgres", "--single", "-D", data, *quiet, TEMPLATE], statements)
        if done.returncode != 0 or "ERROR:" in done.stdout:
            raise self._failed("set up", done.stdout)

    def _failed(self, what: str, output: str) -> EmbeddedError:
        remedy = "mend that, set PARLEY_HOME to another folder, or set DATABASE_URL"
        return EmbeddedError(f"PostgreSQL could not {what} {self.data}: {telling_line(output)}; {remedy}.")


def _set_passwords(passwords: Passwords) -> str:
    return SET_PASSWORDS.format(admin=ADMIN, app=APP, admin_password=passwords.admin, app_password=passwords.app)
