"""`python -m bot`."""

from bot.app import run
from config.process import main

main("bot", run)
