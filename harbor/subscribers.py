"""What follows from what. Read this to know what a push sets in motion.

A line maps an event type of the audit log (operation, underscore, resource type; `delete_contents` tells what a
deleted repository held) to dotted names of functions. Each
takes the event (`audit/publishing.py` tells its keys) and is called by a worker after the event's transaction has
committed, at least once: it does little itself, it starts jobs. Names, not imports: this table is the only way in
which something below causes something above.
"""

SUBSCRIBERS: dict[str, tuple[str, ...]] = {
    "create_artifact": ("replication.subscribers.artifact_pushed",),
    "create_tag": ("replication.subscribers.artifact_pushed",),
    "delete_artifact": ("replication.subscribers.artifact_deleted",),
    "delete_tag": ("replication.subscribers.artifact_deleted",),
    "delete_contents": ("replication.subscribers.repository_deleted",),
}
