"""Holds an OpenAPI document against the specification, and its examples against its own schemas: document.py FILE."""

import json
import sys

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

document = json.load(open(sys.argv[1], encoding="utf-8"))
BASE = "urn:countersign"
registry = Registry().with_resource(BASE, Resource.from_contents(document, default_specification=DRAFT202012))
wrong = [f"not OpenAPI 3.1: {error.message}" for error in OpenAPIV31SpecValidator(document).iter_errors()]
held = 0


def follow(value):
    while isinstance(value, dict) and "$ref" in value:
        target = document
        for step in value["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        value = target
    return value


def absolute(schema):
    """The schema with references that lead into the document from anywhere."""
    if isinstance(schema, list):
        return [absolute(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: BASE + item if key == "$ref" else absolute(item) for key, item in schema.items()}


def hold(where, schema, example):
    global held
    held += 1
    validator = Draft202012Validator(absolute(schema), registry=registry, format_checker=FormatChecker())
    wrong.extend(f"{where}: {error.json_path}: {error.message}" for error in validator.iter_errors(example))


def media(where, content):
    schema = content.get("schema", {})
    examples = [follow(example)["value"] for example in content.get("examples", {}).values()]
    for example in examples + ([content["example"]] if "example" in content else []):
        hold(where, schema, example)


def schema_examples(where, schema):
    for example in schema.get("examples", []):
        hold(where, schema, example)
    for name, member in schema.get("properties", {}).items():
        schema_examples(f"{where}.{name}", member)


for name, schema in document["components"]["schemas"].items():
    schema_examples(name, schema)
for name, header in document["components"]["headers"].items():
    hold(f"the header {name}", header["schema"], header["example"])
for path, methods in [*document["paths"].items(), *document["webhooks"].items()]:
    for method, operation in methods.items():
        where = f"{method} {path}"
        for parameter in map(follow, operation.get("parameters", [])):
            if "example" in parameter:
                hold(f"{where} {parameter['name']}", parameter["schema"], parameter["example"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            media(where, content)
        for status, response in operation["responses"].items():
            for content in follow(response).get("content", {}).values():
                media(f"{where} {status}", content)

for line in wrong:
    print(line, file=sys.stderr)
print(f"{held} examples held against their schemas, {len(wrong)} wrong")
sys.exit(1 if wrong else 0)
