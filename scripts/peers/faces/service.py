"""Face verification the way the popular open servers do it: FastAPI over ONNX Runtime and OpenCV.

A peer that `countersign bench photo --against URL` compares Countersign with. It speaks as much of the v1.1 interface
as a comparison needs, runs the same model files, and does so plainly: an endpoint is a function on the server's thread
pool, and a process holds each model once. Start it with:  scripts/peer faces
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from time import time
from typing import Annotated

from fastapi import FastAPI, File, Form, Request, UploadFile
from fastapi.responses import JSONResponse

import answers
import engine
import speech


@asynccontextmanager
async def ready(_: FastAPI) -> AsyncIterator[None]:
    (Path(os.environ["PEER_READY"]) / str(os.getpid())).touch()
    yield


app = FastAPI(lifespan=ready)
Upload = Annotated[UploadFile, File()]
Text = Annotated[str, Form()]


@app.exception_handler(engine.Unreadable)
def unreadable(_request: Request, _error: engine.Unreadable) -> JSONResponse:
    return JSONResponse({"error": "MEDIA_UNREADABLE"}, status_code=422)


@app.get("/health")
def health() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/v1.1/photoverify")
def photoverify(api_key: Text, id_card: Upload, photo: Upload) -> JSONResponse:
    start = time()
    card, selfie = (engine.look(engine.decode(upload.file.read())) for upload in (id_card, photo))
    return JSONResponse(answers.photo(start, card, selfie))


@app.post("/v1.1/spoofdetect")
def spoofdetect(api_key: Text, photo: Upload) -> JSONResponse:
    return JSONResponse(answers.spoof(engine.look(engine.decode(photo.file.read()), embed=False)))


@app.post("/v1.1/videoverify")
def videoverify(
    api_key: Text, id_card: Upload, video: Upload, audiochallenge: Text, languageCode: Text
) -> JSONResponse:
    start = time()
    card = engine.look(engine.decode(id_card.file.read()))
    with NamedTemporaryFile(suffix=".mp4") as file:
        file.write(video.file.read())
        file.flush()
        watched = engine.watch(file.name)
        heard = speech.digits(file.name, languageCode)
    return JSONResponse(answers.video(start, card, watched, (audiochallenge, languageCode), heard))
