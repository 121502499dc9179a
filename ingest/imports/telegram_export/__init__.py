"""Telegram Desktop's JSON exports: a streaming reader that mends what it can, and a pure normalizer."""

from ingest.imports.telegram_export.chat import ExportChat
from ingest.imports.telegram_export.header import ChatHeader
from ingest.imports.telegram_export.normalize import ChatNormalizer
from ingest.imports.telegram_export.reader import ExportReader, NotAnExport
from ingest.imports.telegram_export.skipped import Skipped

__all__ = ["ChatHeader", "ChatNormalizer", "ExportChat", "ExportReader", "NotAnExport", "Skipped"]
