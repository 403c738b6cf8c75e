"""The ONNX models of Countersign's default profile, fed and read with OpenCV and NumPy as is usual."""

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import onnxruntime

MODELS = Path(os.environ["COUNTERSIGN_MODELS__DIR"])
# Threads of each session; 0 leaves it to ONNX Runtime, which takes one for each core.
THREADS = int(os.environ.get("PEER_THREADS", "0"))
# ArcFace's: where the eyes, the nose and the corners of the mouth belong in 112 x 112 pixels.
TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]],
    dtype=np.float32,
)


@dataclass(frozen=True)
class Face:
    """A face in pixels of its picture: `box` is left, top, right, bottom."""

    box: np.ndarray
    points: np.ndarray

    @property
    def width(self) -> float:
        return float(self.box[2] - self.box[0])

    @property
    def area(self) -> float:
        return self.width * float(self.box[3] - self.box[1])


class Model:
    """One session; but for the threads, if they are given, with the settings that ONNX Runtime has by itself."""

    def __init__(self, file: str) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = onnxruntime.InferenceSession(MODELS / file, options, providers=["CPUExecutionProvider"])
        self.input = self.session.get_inputs()[0].name

    def run(self, blob: np.ndarray) -> list[np.ndarray]:
        return self.session.run(None, {self.input: blob})


class Detector(Model):
    """SCRFD, as InsightFace feeds and reads it."""

    SIDE = 640
    SCORE = 0.5
    OVERLAP = 0.4

    def __init__(self) -> None:
        super().__init__("scrfd_500m_bnkps.onnx")

    @cached_property
    def anchors(self) -> dict[int, np.ndarray]:
        grids = {stride: np.mgrid[: self.SIDE // stride, : self.SIDE // stride][::-1] for stride in (8, 16, 32)}
        return {
            stride: np.repeat(grid.transpose(1, 2, 0).reshape(-1, 2) * stride, 2, axis=0).astype(np.float32)
            for stride, grid in grids.items()
        }

    def faces(self, picture: np.ndarray) -> list[Face]:
        """All faces, the largest first."""
        height, width = picture.shape[:2]
        scale = self.SIDE / max(height, width)
        size = (max(1, int(width * scale)), max(1, int(height * scale)))
        canvas = np.zeros((self.SIDE, self.SIDE, 3), np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(picture, size)
        outputs = self.run(cv2.dnn.blobFromImage(canvas, 1 / 128, mean=(127.5, 127.5, 127.5), swapRB=True))
        scores, boxes, points = [], [], []
        for index, (stride, centres) in enumerate(self.anchors.items()):
            score = outputs[index].reshape(-1)
            sure = np.flatnonzero(score >= self.SCORE)
            centre = centres[sure]
            distance = outputs[index + 3].reshape(-1, 4)[sure] * stride
            scores.append(score[sure])
            boxes.append(np.hstack([centre - distance[:, :2], centre + distance[:, 2:]]))
            points.append(centre[:, None] + outputs[index + 6].reshape(-1, 5, 2)[sure] * stride)
        score, box, point = np.concatenate(scores), np.vstack(boxes) / scale, np.vstack(points) / scale
        corners_and_sizes = np.hstack([box[:, :2], box[:, 2:] - box[:, :2]])
        kept = cv2.dnn.NMSBoxes(corners_and_sizes.tolist(), score.tolist(), self.SCORE, self.OVERLAP)
        found = [Face(box[index], point[index].astype(np.float32)) for index in np.array(kept).reshape(-1)]
        return sorted(found, key=lambda face: face.area, reverse=True)


class Recogniser(Model):
    """ArcFace over a MobileFaceNet: a unit vector for a face."""

    def __init__(self) -> None:
        super().__init__("w600k_mbf.onnx")

    def embedding(self, picture: np.ndarray, face: Face) -> np.ndarray:
        aligned = cv2.warpAffine(picture, similarity(face.points), (112, 112))
        blob = cv2.dnn.blobFromImage(aligned, 1 / 127.5, mean=(127.5, 127.5, 127.5), swapRB=True)
        vector = self.run(blob)[0][0]
        return vector / np.linalg.norm(vector)


class Liveness(Model):
    """A MiniFASNet that looks at the face from one or more distances, as Silent-Face-Anti-Spoofing does."""

    BOX_HEIGHT = 0.85

    def __init__(self, file: str, side: int, bona_fide: int, scales: tuple[float, ...]) -> None:
        super().__init__(file)
        self.side, self.bona_fide, self.scales = side, bona_fide, scales

    def probability(self, picture: np.ndarray, face: Face) -> float:
        """That this is a living face, and not a picture of one."""
        crops = [self.crop(picture, face, scale) for scale in self.scales]
        logits = [self.run(cv2.dnn.blobFromImage(crop))[0][0] for crop in crops]
        return float(np.mean([softmax(found)[self.bona_fide] for found in logits]))

    def crop(self, picture: np.ndarray, face: Face, scale: float) -> np.ndarray:
        """The box scaled about its centre and moved into the picture."""
        limit = np.array(picture.shape[1::-1]) - 1
        size = (face.box[2:] - face.box[:2]) * (1, self.BOX_HEIGHT)
        size = size * min(scale, *(limit / size))
        start = np.clip((face.box[:2] + face.box[2:] - size) / 2, 0, limit - size)
        (left, top), (right, bottom) = start.astype(int), (start + size).astype(int)
        return cv2.resize(picture[top : bottom + 1, left : right + 1], (self.side, self.side))


def similarity(points: np.ndarray) -> np.ndarray:
    """The turn, scale and shift that bring five points closest to the template (Umeyama 1991)."""
    source, target = points - points.mean(axis=0), TEMPLATE - TEMPLATE.mean(axis=0)
    spread = (source**2).sum()
    cosine = (source * target).sum() / spread
    sine = (source[:, 0] * target[:, 1] - source[:, 1] * target[:, 0]).sum() / spread
    turn = np.array([[cosine, -sine], [sine, cosine]])
    return np.column_stack([turn, TEMPLATE.mean(axis=0) - turn @ points.mean(axis=0)])


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max())
    return exponentials / exponentials.sum()
