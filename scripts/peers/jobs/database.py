"""The peer's own tables, made before it starts and gone with it: database.py prepare|remove."""

import sys
from hashlib import sha256

import psycopg
from kombu import Connection

import settings
from work import QUEUE

REMOVE = "DROP TABLE IF EXISTS peer_keys, peer_verifications"
PREPARE = """
    CREATE TABLE peer_keys (hash bytea PRIMARY KEY, tenant text NOT NULL);
    CREATE TABLE peer_verifications (
        id uuid PRIMARY KEY,
        tenant text NOT NULL,
        kind text NOT NULL,
        state text NOT NULL DEFAULT 'queued',
        result jsonb,
        created_at timestamptz NOT NULL DEFAULT now(),
        finished_at timestamptz
    );
"""


def remove() -> None:
    with psycopg.connect(settings.DATABASE) as connection:
        connection.execute(REMOVE)
    with Connection(settings.BROKER) as broker:
        channel = broker.default_channel
        channel.queue_delete(QUEUE)
        channel.exchange_delete(QUEUE)


def prepare() -> None:
    with psycopg.connect(settings.DATABASE) as connection:
        connection.execute(PREPARE)
        connection.execute("INSERT INTO peer_keys VALUES (%s, 'bench')", (sha256(settings.KEY.encode()).digest(),))


if __name__ == "__main__":
    remove()
    if sys.argv[1] == "prepare":
        prepare()
