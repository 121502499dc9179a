"""A process that uses the servers of a home: tells their addresses and leaves when its stdin ends."""

import json
import sys
from dataclasses import asdict
from pathlib import Path

from config.embedded import start


def main(home: str) -> None:
    with start(Path(home), durable=False) as embedded:
        sys.stdout.write(json.dumps(asdict(embedded.servers)) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
