"""Where the console script begins: nothing heavy before Ctrl-C and odd outputs are taken care of."""

import io
import os
import sys

INTERRUPTED = 130


def main() -> None:
    prepare_output()
    try:
        from cli.main import app  # noqa: PLC0415 - half a second of imports, in which Ctrl-C must be quiet too

        app(prog_name="parley", args=sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def prepare_output() -> None:
    """A closed or narrow output (`>&-`, an ASCII locale) loses characters, never the command."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - lives as long as the process
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
