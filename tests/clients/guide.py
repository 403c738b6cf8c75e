"""Runs what docs/clients.md shows, in its order: guide.py GUIDE PICTURE, with URL and KEY in the environment."""

import base64
import hashlib
import hmac
import http.client
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from http.server import HTTPServer
from pathlib import Path

guide, picture = (Path(argument).resolve() for argument in sys.argv[1:])
blocks = re.findall(r"^```(bash|python)\n(.*?)^```", guide.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
secret = secrets.token_bytes(24)
os.environ["WEBHOOK_SECRET"] = "whsec_" + base64.b64encode(secret).decode()
names: dict[str, object] = {}

with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    for name in ("card.jpg", "selfie.jpg"):
        shutil.copy(picture, name)
    script = "".join(text for language, text in blocks if language == "bash")
    # Another order each time: the key of one that came before would be answered with its verification.
    script = script.replace("A-1042", secrets.token_hex(4))
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], check=True)
    for language, text in blocks:
        if language == "python":
            exec(compile(text, str(guide), "exec"), names)

# Its receiver believes an event with a signature, once, and no other.
server = HTTPServer(("127.0.0.1", 0), names["Receiver"])
threading.Thread(target=server.serve_forever, daemon=True).start()
data = {"id": "ver_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "verdict": "passed"}
body = json.dumps({"type": "verification.succeeded", "data": data}).encode()


def told(at: int, sent: bytes = body) -> int:
    signed = f"msg_1.{at}.".encode() + body
    signature = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,other {signature}"}
    connection = http.client.HTTPConnection(*server.server_address)
    connection.request("POST", "/", sent, headers)
    return connection.getresponse().status


now = int(time.time())
assert [told(now), told(now), told(now - 3600), told(now, body + b" ")] == [204, 204, 401, 401]
print(f"the guide: {len(blocks)} snippets")
