"""`python -m bot`."""

from config.process import main
from bot.app import run

main("bot", run)
