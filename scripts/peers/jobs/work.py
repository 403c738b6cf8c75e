"""Celery's side: a durable queue with publisher confirms, and a task that finds no face, at once."""

import json
from functools import cache
from uuid import UUID

from celery import Celery, signals
from psycopg_pool import ConnectionPool

import settings

QUEUE = "countersign-peer"
NO_FACE = {"num_faces": 0, "face_to_frame_width_ratio": 0.0, "not_spoof_confidence": "0.00", "status": False}

app = Celery("work", broker=settings.BROKER)
app.conf.update(
    task_default_queue=QUEUE,
    task_acks_late=True,
    # The row is the result.
    task_ignore_result=True,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
    worker_enable_remote_control=False,
)


@signals.worker_ready.connect
def ready(**_: object) -> None:
    settings.ready()


@cache
def rows() -> ConnectionPool:
    """Of this process: made after the fork, with the first task."""
    return ConnectionPool(settings.DATABASE, min_size=1, max_size=8, kwargs={"autocommit": True})


@app.task
def verify(verification: str) -> None:
    media = (settings.MEDIA / verification).read_bytes()
    result = NO_FACE | {"size_bytes": len(media)}
    with rows().connection() as connection:
        connection.execute(
            "UPDATE peer_verifications SET state = 'succeeded', result = %s, finished_at = now()"
            " WHERE id = %s AND state = 'queued'",
            (json.dumps(result), UUID(verification)),
        )
