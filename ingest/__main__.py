"""`python -m ingest`."""

from config.process import main
from ingest.app import run

main("ingest", run)
