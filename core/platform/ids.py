"""Ids that cannot be swapped by accident."""

import os
import secrets
import socket
from typing import NewType

TenantId = NewType("TenantId", int)
ProjectId = NewType("ProjectId", int)
MemberId = NewType("MemberId", int)
EventId = NewType("EventId", int)
JobId = NewType("JobId", int)
Holder = NewType("Holder", str)


def new_holder(role: str) -> Holder:
    """Names one run of one process, for leases: a process that restarts is somebody else."""
    return Holder(f"{role}@{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}")
