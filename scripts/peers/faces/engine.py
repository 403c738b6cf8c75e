"""What a photo or a video shows: straightforward, and every frame of a video alike."""

import os
from dataclasses import dataclass

import cv2
import numpy as np

from models import Detector, Face, Liveness, Recogniser

# A video's frames that are looked at: every one, or every so many.
EVERY = int(os.environ.get("PEER_EVERY", "1"))

detector, recogniser = Detector(), Recogniser()
judges = [
    Liveness("fr_liveness.onnx", 128, 0, scales=(2.7, 1.1)),
    Liveness("minifasnet-v2.onnx", 80, 1, scales=(2.7, 1.5)),
]


class Unreadable(Exception):
    """What was sent is no picture, or no video."""


@dataclass(frozen=True)
class Look:
    """What a picture shows."""

    num_faces: int
    ratio: float = 0.0
    live: float = 0.0
    embedding: np.ndarray | None = None


@dataclass(frozen=True)
class Video:
    """A video's properties, and what those frames show that were looked at."""

    fps: int
    frames: int
    height: int
    width: int
    looks: list[Look]


def look(picture: np.ndarray, embed: bool = True) -> Look:
    faces = detector.faces(picture)
    if not faces:
        return Look(0)
    face: Face = faces[0]
    return Look(
        num_faces=len(faces),
        ratio=face.width / picture.shape[1],
        live=sum(judge.probability(picture, face) for judge in judges) / len(judges),
        embedding=recogniser.embedding(picture, face) if embed else None,
    )


def decode(content: bytes) -> np.ndarray:
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR) if content else None
    if picture is None:
        raise Unreadable
    return picture


def watch(path: str) -> Video:
    capture = cv2.VideoCapture(path)
    frames, looks, shape = 0, [], (0, 0)
    try:
        while True:
            there, frame = capture.read()
            if not there:
                break
            if frames % EVERY == 0:
                looks.append(look(frame))
            frames, shape = frames + 1, frame.shape[:2]
        if not frames:
            raise Unreadable
        return Video(round(capture.get(cv2.CAP_PROP_FPS)), frames, *shape, looks)
    finally:
        capture.release()


def distance(one: np.ndarray | None, other: np.ndarray | None) -> float | None:
    """The cosine distance of two faces, 0 to 2."""
    return None if one is None or other is None else float(1 - one @ other)
