"""Submits a verification with the generated client and waits for its end: call.py URL KEY PICTURE."""

import sys
from io import BytesIO
from pathlib import Path
from uuid import uuid4

from countersign.api.service import list_languages
from countersign.api.verifications import download_media, get_verification, submit_verification
from countersign.client import AuthenticatedClient
from countersign.models import Kind, LanguageList, MediaRole, State, Submission, Verification
from countersign.types import File

url, key, picture = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)

languages = list_languages.sync(client=client)
assert isinstance(languages, LanguageList) and "th-TH" in [language.value for language in languages.languages]

photo = Path(picture).read_bytes()
form = Submission(kind=Kind.SPOOF, photo=File(payload=BytesIO(photo), file_name="selfie.png"))
submitted = submit_verification.sync(client=client, body=form, prefer="wait=1", idempotency_key=str(uuid4()))
assert isinstance(submitted, Verification), submitted

ended = submitted
while ended.state in (State.QUEUED, State.PROCESSING):
    read = get_verification.sync(submitted.id, client=client, wait=30)
    assert isinstance(read, Verification), read
    ended = read
assert ended.state == State.SUCCEEDED and ended.verdict is not None and ended.report is not None, ended

file = download_media.sync(submitted.id, MediaRole.PHOTO, client=client)
assert isinstance(file, File) and file.payload.read() == photo

print(f"Python: {ended.id} has {ended.state}, {ended.verdict}, {len(ended.checks)} checks")
