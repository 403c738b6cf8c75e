"""A job plane the way many Python services have one: FastAPI, Celery, RabbitMQ and PostgreSQL.

A peer that `countersign bench queue --against URL` compares Countersign with. A photo is kept in a file and a row and
given to Celery; whoever waits for its result looks at the row again and again. Start it with:  scripts/peer jobs
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID, uuid4

from fastapi import FastAPI, File, Form, Header, HTTPException, UploadFile
from fastapi.concurrency import run_in_threadpool
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool

import settings
from work import verify

# Seconds from one look at a row to the next: the first, each twice the one before, and the longest.
FIRST_PAUSE = 0.025
LONGEST_PAUSE = 0.2

# Each statement is a transaction of its own: nothing here needs two.
rows = AsyncConnectionPool(settings.DATABASE, min_size=4, max_size=16, open=False, kwargs={"autocommit": True})


@asynccontextmanager
async def running(_: FastAPI) -> AsyncIterator[None]:
    async with rows:
        await rows.wait()
        settings.ready()
        yield


app = FastAPI(lifespan=running)
Key = Annotated[str, Header(alias="x-api-key")]
Text = Annotated[str, Form()]
Upload = Annotated[UploadFile, File()]
Json = dict[str, Any]

TENANT = "SELECT tenant FROM peer_keys WHERE hash = %s"
ADD = "INSERT INTO peer_verifications (id, tenant, kind) VALUES (%s, %s, %s)"
LOOK = """
    SELECT id, kind, state, result, created_at, finished_at FROM peer_verifications
    WHERE id = %s AND tenant = (SELECT tenant FROM peer_keys WHERE hash = %s)
"""


def hashed(key: str) -> bytes:
    return sha256(key.encode()).digest()


async def accept(key: str, kind: str, photo: UploadFile) -> UUID:
    """Keeps the photo and its row, then gives it to Celery."""
    verification = uuid4()
    async with rows.connection() as connection:
        tenant = await (await connection.execute(TENANT, (hashed(key),))).fetchone()
        if tenant is None:
            raise HTTPException(401, "INVALID_API_KEY")
        (settings.MEDIA / str(verification)).write_bytes(await photo.read())
        await connection.execute(ADD, (verification, tenant[0], kind))
    await run_in_threadpool(verify.delay, str(verification))
    return verification


async def look(key: str, verification: UUID, wait: float) -> Json:
    """The row: when it is finished, or as it is when the wait is over."""
    pause = FIRST_PAUSE
    deadline = asyncio.get_running_loop().time() + wait
    while True:
        async with rows.connection() as connection:
            cursor = connection.cursor(row_factory=dict_row)
            row = await (await cursor.execute(LOOK, (verification, hashed(key)))).fetchone()
        if row is None:
            raise HTTPException(404, "NOT_FOUND")
        if row["state"] != "queued" or asyncio.get_running_loop().time() >= deadline:
            return row
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


@app.get("/health")
def health() -> Json:
    return {"status": "ok"}


@app.post("/v2/verifications", status_code=202)
async def submit(x_api_key: Key, kind: Text, photo: Upload) -> Json:
    return {"id": await accept(x_api_key, kind, photo), "state": "queued"}


@app.get("/v2/verifications/{verification}")
async def show(verification: UUID, x_api_key: Key, wait: float = 0) -> Json:
    return await look(x_api_key, verification, wait)


@app.post("/v1.1/spoofdetect")
async def spoofdetect(api_key: Text, photo: Upload) -> Json:
    verification = await accept(api_key, "spoof", photo)
    row = await look(api_key, verification, 60)
    if row["state"] != "succeeded":
        raise HTTPException(504, "TIMED_OUT")
    return {"predictions": row["result"], "success": True}
