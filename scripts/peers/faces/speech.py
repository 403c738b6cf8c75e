"""The spoken digits of a video, by faster-whisper."""

import os
import unicodedata

from faster_whisper import WhisperModel, decode_audio

# 8-bit weights on a processor, as faster-whisper's manual advises and as Countersign runs them; else its defaults.
model = WhisperModel(os.environ["PEER_WHISPER"], device="cpu", compute_type="int8")

WORDS = {
    word: str(digit)
    for digit, words in enumerate(["zero oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
    for word in words.split()
}


def digits(video: str, language: str) -> tuple[str, float]:
    """The digits that are said, and how sure the model is of its transcript."""
    segments, _ = model.transcribe(decode_audio(video, sampling_rate=16_000), language=language.split("-")[0].lower())
    heard = list(segments)
    if not heard:
        return "", 0.0
    text = " ".join(segment.text for segment in heard)
    confidence = sum(segment.avg_logprob for segment in heard) / len(heard)
    return "".join(digit(word) for word in words(text)), min(1.0, 2.718281828**confidence)


def words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).lower()
    return "".join(letter if letter.isalnum() else " " for letter in plain).split()


def digit(word: str) -> str:
    return word if word.isdecimal() else WORDS.get(word, "")
