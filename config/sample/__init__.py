"""Where the sample data lies."""

from pathlib import Path

FOLDER = Path(__file__).parent
GROUP = FOLDER / "group.json"
MARKETPLACE = FOLDER / "marketplace.jsonl"
