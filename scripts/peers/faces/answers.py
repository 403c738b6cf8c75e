"""Findings in the shape of the v1.1 answers."""

import math
from collections.abc import Mapping
from time import time
from typing import Any

import numpy as np

from engine import Look, Video, distance

# The cosine distance at which one pair of strangers in ten thousand is taken for the same person is 0.9 in an answer.
OPERATING_DISTANCE = 1.198**2 / 2
DISTANCE_MAX = 0.9
NOT_SPOOF_MIN = 0.9
# A card is a print: only a near-certain attack is turned down.
CARD_NOT_SPOOF_MIN = 0.002
RATIO_MAX = 0.7
SAMENESS_MIN = 0.9
SINGLE_FACE_MIN = 0.9

PARAMS = {
    "FACE_TO_FRAME_RATIO_MAX": RATIO_MAX,
    "THRESHOLD_FACE_SIMILARITY": SAMENESS_MIN,
    "THRESHOLD_L2_DISTANCE": DISTANCE_MAX,
    "THRESHOLD_SPOOF": NOT_SPOOF_MIN,
}

Json = dict[str, Any]


def scaled(cosine_distance: float | None) -> float | None:
    """As L2 between unit vectors, so that 0.9 is the operating point."""
    return None if cosine_distance is None else 0.9 * math.sqrt(max(0.0, cosine_distance) / OPERATING_DISTANCE)


def confidence(look: Look) -> float:
    """The model's even odds become 0.9."""
    return 9 * look.live / (1 + 8 * look.live)


def near(value: float | None) -> bool:
    return value is not None and value <= DISTANCE_MAX


def still(look: Look, not_spoof_min: float) -> Json:
    return {
        "face_to_frame_width_ratio": look.ratio,
        "not_spoof_confidence": f"{confidence(look):.2f}",
        "not_spoof_passed": confidence(look) >= not_spoof_min,
        "num_faces": look.num_faces,
    }


def spoof(photo: Look) -> Json:
    shown = still(photo, NOT_SPOOF_MIN)
    breakdown = {
        "face_to_frame_width_ratio_passed": 0 < photo.ratio <= RATIO_MAX,
        "not_spoof_passed": shown["not_spoof_passed"],
        "single_face": photo.num_faces == 1,
    }
    verification = {"breakdown": breakdown, "status": all(breakdown.values())}
    return {"predictions": {"metadata": shown | breakdown, "verification": verification}, "success": True}


def photo(start: float, card: Look, selfie: Look) -> Json:
    apart = scaled(distance(card.embedding, selfie.embedding))
    shown_card, shown_selfie = still(card, CARD_NOT_SPOOF_MIN), still(selfie, NOT_SPOOF_MIN)
    output = {
        "audio_challenge_passed": True,
        "face_distance_avg": apart,
        "face_sameness": 0.0,
        "largest_face_to_frame_ratio": selfie.ratio,
        "non_spoof_detected": confidence(selfie),
        "single_face_in_frames": float(selfie.num_faces == 1),
        "transcription": None,
    }
    passed = (
        near(apart)
        and shown_card["not_spoof_passed"]
        and shown_selfie["not_spoof_passed"]
        and selfie.num_faces == 1
        and selfie.ratio <= RATIO_MAX
    )
    verification = {"breakdown": {"id_card": shown_card, "photo": shown_selfie | {"distance": apart}}, "status": passed}
    nothing = dict.fromkeys(("fps", "frames", "height", "width"))
    return answer(start, {"audiochallenge": None, "languageCode": None, "video": nothing}, output, verification)


def video(start: float, card: Look, video: Video, asked: tuple[str, str], heard: tuple[str, float]) -> Json:
    (challenge, language), (digits, sureness) = asked, heard
    faces = [look for look in video.looks if look.embedding is not None]
    distances = [scaled(distance(card.embedding, look.embedding)) for look in faces if card.embedding is not None]
    apart = float(np.mean(distances)) if distances else None
    sameness = sum(near(scaled(distance(faces[0].embedding, look.embedding))) for look in faces) / len(video.looks)
    single = sum(look.num_faces == 1 for look in video.looks) / len(video.looks)
    live = float(np.mean([confidence(look) for look in faces])) if faces else 0.0
    ratio = max((look.ratio for look in faces), default=0.0)
    spoken = {"alternatives": [{"confidence": sureness, "transcript": " ".join(digits)}]}
    output = {
        "audio_challenge_passed": digits == challenge,
        "face_distance_avg": apart,
        "face_sameness": sameness,
        "largest_face_to_frame_ratio": ratio,
        "non_spoof_detected": live,
        "single_face_in_frames": single,
        "transcription": {"results": [spoken]},
    }
    breakdown = {
        "audio_challenge_passed": digits == challenge,
        "face_to_frame_width_ratio_passed": 0 < ratio <= RATIO_MAX,
        "not_spoof_passed": live >= NOT_SPOOF_MIN,
        "video_face_no_change_passed": sameness >= SAMENESS_MIN and single >= SINGLE_FACE_MIN,
        "video_face_to_id_face_passed": near(apart),
    }
    shape = {"fps": video.fps, "frames": video.frames, "height": video.height, "width": video.width}
    given = {"audiochallenge": challenge, "languageCode": language, "video": shape}
    return answer(start, given, output, {"breakdown": breakdown, "status": all(breakdown.values())})


def answer(start: float, given: Json, output: Json, verification: Mapping[str, Any]) -> Json:
    end = time()
    predictions = {
        "duration": f"{end - start:.2f}",
        "end": end,
        "model_input": given,
        "model_output": output,
        "model_params": PARAMS,
        "start": start,
        "verification": verification,
    }
    return {"predictions": predictions, "success": True}
