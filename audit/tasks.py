from __future__ import annotations

import uuid

from celery import shared_task

from audit import broker, forwarding, publishing, tallies


@shared_task(acks_late=True)
def deliver(publication_id: str) -> None:
    """Hand an event to its subscriber. May be sent twice: the row is claimed once."""
    publishing.deliver(uuid.UUID(publication_id))


@shared_task
def publish() -> None:
    """Send again what was not delivered: the broker was away, a worker died, a subscriber failed."""
    for publication_id in publishing.due():
        if not broker.send("audit.tasks.deliver", str(publication_id)):
            return


@shared_task
def forward() -> None:
    """Send to the syslog server what waits for it. May run twice at once: one of them does."""
    forwarding.send_waiting()


@shared_task
def tally() -> None:
    """Count the log on. May run twice at once: one waits for the other's step."""
    tallies.count_on()
