"""`parley bench`: how fast, beside a floor measured in the same run on the same machine."""

from cli.bench.commands import bench

__all__ = ["bench"]
