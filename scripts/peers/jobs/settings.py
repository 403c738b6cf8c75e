"""What scripts/peer tells every process of the peer."""

import os
from pathlib import Path

DATABASE = os.environ["PEER_DATABASE"]
BROKER = os.environ["PEER_BROKER"]
MEDIA = Path(os.environ["PEER_MEDIA"])
KEY = os.environ["PEER_KEY"]
READY = Path(os.environ["PEER_READY"])


def ready() -> None:
    """Says that this process can work."""
    (READY / str(os.getpid())).touch()
