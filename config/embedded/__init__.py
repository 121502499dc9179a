"""PostgreSQL and Redis without an installation: started once for a home, shared by its processes, gone with the last.

Each server has a supervisor of its own, so whoever needs one of them does not pay for the other. All bookkeeping is
locks: users share one, the supervisor waits to get it alone; the kernel forgets the dead.
"""

from config.embedded.errors import EmbeddedError
from config.embedded.servers import Embedded, Servers, start

__all__ = ["Embedded", "EmbeddedError", "Servers", "start"]
