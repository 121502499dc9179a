"""`python -m worker`."""

from config.process import main
from worker.app import run

main("worker", run)
