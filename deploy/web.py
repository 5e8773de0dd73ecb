"""How web runs: a few processes with threads, sharing what they loaded.

Rather processes than threads, which share one interpreter's lock. Measured on two busy processors with SQLite, a pull
took 1.1 to 1.7 times the processor time with eight threads that it took with two; with PostgreSQL no clear difference.
"""

import gc
import os
from typing import Any

from harbor.logs import LOGGING

bind = os.environ.get("HAVEN_WEB_BIND", "0.0.0.0:8000")
umask = 0o077
workers = int(os.environ.get("HAVEN_WEB_WORKERS", "4"))
threads = int(os.environ.get("HAVEN_WEB_THREADS", "2"))
worker_class = "deploy.worker.Worker"
# A process takes no more than it can answer now; what waits, waits for whichever is free first. Otherwise some take
# half of the callers, others two of them: measured with 20, the slowest twentieth took twice as long as the median.
worker_connections = threads
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # a slow disk must not look like a dead worker
preload_app = True
control_socket_disable = True
keepalive = 0  # an idle connection would hold a place
timeout = 120
graceful_timeout = 15
backlog = 4096
limit_request_line = 0  # as the next: the edge answers 414 beyond 32 KB, and in the form of who asks
limit_request_fields = 32768  # the edge takes 128 KB of them, however many; a page of our server's own is no answer
limit_request_field_size = 65536  # a token for many repositories is long; the edge has the real limit
forwarded_allow_ips = "*"  # nobody but the edge can reach us
logconfig_dict = {key: value for key, value in LOGGING.items() if key != "loggers"} | {
    "loggers": {
        **LOGGING["loggers"],
        "gunicorn.error": {"handlers": [], "propagate": True, "level": "INFO"},
        "gunicorn.access": {"handlers": [], "propagate": False},
    }
}
raw_env = ["HAVEN_WEB=yes"]  # by which the settings know that nobody should wait long for the database


def when_ready(server: Any) -> None:
    """What is loaded now is shared by the workers for as long as nobody writes to it, the collector included."""
    gc.collect()
    gc.freeze()
