"""Keeps schemathesis from sawing off the branch it sits on: an administrator's key could revoke itself."""

import json
import os
import urllib.request

import schemathesis

NOBODY = "019b0f3c2a7e7d31a5c06f1e8d94b2a7"


def ids(path: str) -> set[str]:
    headers = {"X-Api-Key": os.environ["COUNTERSIGN_KEY"]}
    request = urllib.request.Request(f"{os.environ['COUNTERSIGN_URL']}{path}?limit=100", headers=headers)
    with urllib.request.urlopen(request) as response:
        return {item["id"] for item in json.load(response)["data"]}


# What was there before anything is made by the requests.
FOUND = ids("/v2/admin/keys") | ids("/v2/admin/tenants")


@schemathesis.hook
def before_call(context, case, kwargs):
    """The keys and tenants that were found are read, and not changed."""
    named = case.path_parameters.get("id")
    if named in FOUND and case.method.upper() != "GET":
        case.path_parameters["id"] = named[:4] + NOBODY
