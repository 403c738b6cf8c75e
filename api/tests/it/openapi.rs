//! The OpenAPI document: complete, current, and true of the service that serves it.

use std::collections::BTreeSet;
use std::path::Path;

use countersign_shared::domain::Scope;
use serde_json::{Map, Value};

use crate::client::{get, request};
use crate::service::Service;

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// The page's own files are no operations.
const PAGE_FILES: &str = "/docs/{file}";

fn document() -> Value {
    serde_json::from_str(&countersign_api::openapi::pretty()).expect("the document is JSON")
}

/// Path, method in capitals and operation of everything in the document.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().expect("paths");
    let of_path = |(path, item): (&String, &Value)| {
        let methods = item.as_object().expect("methods").clone();
        methods
            .into_iter()
            .map(|(method, operation)| (path.clone(), method.to_uppercase(), operation))
            .collect::<Vec<_>>()
    };
    paths.iter().flat_map(of_path).collect()
}

/// A path that a request can be made to: its parameters are ids that nobody has.
fn concrete(path: &str) -> String {
    let id = match path.split('/').nth(2) {
        Some("challenges") => "chl",
        Some("webhooks") => "whk",
        Some("admin") if path.contains("/keys/") => "key",
        Some("admin") => "ten",
        _ => "ver",
    };
    path.replace("{id}", &format!("{id}_019b0f3c2a7e7d31a5c06f1e8d94b2a7"))
        .replace("{role}", "photo")
        .replace("{delivery}", "msg_019b0f3c2a7e7d31a5c06f1e8d94b2a7")
}

#[test]
fn the_committed_snapshot_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let first = committed.lines().zip(countersign_api::openapi::pretty().lines()).position(|(a, b)| a != b);
    assert!(
        committed == countersign_api::openapi::pretty(),
        "docs/openapi.json is not what the code says (first at line {first:?}); to refresh it:\n  \
         cargo run -p countersign-api -- openapi >docs/openapi.json"
    );
}

#[test]
fn every_route_is_in_the_document_and_nothing_else() {
    let documented: BTreeSet<String> = operations(&document()).into_iter().map(|(path, ..)| path).collect();
    let mut registered = routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/routes"));
    assert!(registered.remove(PAGE_FILES), "or this test reads nothing");
    assert_eq!(documented, registered, "documented, and registered by `resource(...)`");
}

/// Every path that the source registers.
fn routes(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.append(&mut routes(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = std::fs::read_to_string(path).expect("text");
            let calls = source.split("resource(\"").skip(1);
            found.extend(calls.filter_map(|rest| rest.split('"').next().map(str::to_owned)));
        }
    }
    found
}

#[tokio::test]
async fn a_path_takes_the_documented_methods_and_no_other() {
    let service = Service::start(&[]).await;
    let operations = operations(&document());
    let key = [("X-Api-Key", service.key.as_str())];
    for path in operations.iter().map(|(path, ..)| path).collect::<BTreeSet<_>>() {
        for method in METHODS {
            let is_documented = operations.iter().any(|(known, taken, _)| known == path && taken == method);
            let response = request(service.address, method, &concrete(path), &key).await;
            assert_eq!(response.status != 405, is_documented, "{method} {path}: {response:?}");
            if !is_documented {
                let mut taken = operations.iter().filter(|(known, ..)| known == path);
                let allowed = response.header("allow").expect("the methods that it takes");
                assert!(taken.all(|(_, method, _)| allowed.contains(method)), "{path}: {allowed}");
            }
            assert!(!response.body.contains("there is no such path"), "{method} {path}: {response:?}");
        }
    }
}

#[tokio::test]
async fn an_operation_asks_for_the_documented_scope() {
    let service = Service::start(&[]).await;
    let mut asked = 0;
    for (path, method, operation) in operations(&document()) {
        let Some(requirements) = operation.get("security").and_then(Value::as_array) else { continue };
        let scopes: BTreeSet<&str> = requirements
            .iter()
            .filter_map(Value::as_object)
            .flat_map(|requirement| {
                requirement.values().flat_map(|scopes| scopes.as_array().expect("scopes"))
            })
            .map(|scope| scope.as_str().expect("a scope"))
            .collect();
        assert_eq!(scopes.len(), 1, "{method} {path} names one scope: {scopes:?}");
        for scope in Scope::ALL {
            let key = service.add_key(&[*scope], None).await.0;
            let response = request(service.address, &method, &concrete(&path), &[("X-Api-Key", &key)]).await;
            assert_ne!(response.status, 401, "{method} {path}: {response:?}");
            let is_refused = response.status == 403;
            assert_eq!(!is_refused, scopes.contains(scope.name()), "{method} {path} with {}", scope.name());
        }
        let nobody = request(service.address, &method, &concrete(&path), &[]).await;
        let has_key_field =
            requirements.iter().any(|requirement| requirement.as_object().is_some_and(Map::is_empty));
        assert!(nobody.status == 401 || has_key_field, "{method} {path}: {nobody:?}");
        asked += 1;
    }
    assert!(asked >= 30, "or this test sees nothing");
}

#[test]
fn every_schema_has_an_example_and_so_has_every_request_and_answer() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().expect("schemas");
    // Bytes have no example that fits into JSON.
    let is_shown = |schema: &Value| schema["examples"].is_array() || schema["format"] == "binary";
    for (name, schema) in schemas {
        assert!(is_shown(schema), "the schema {name} has no example");
    }
    let has_one = |part: &Value| {
        let name = part["schema"]["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        let of_schema = name.is_some_and(|name| is_shown(&schemas[name]));
        of_schema || part.get("example").or(part.get("examples")).is_some()
    };
    for (path, method, operation) in operations(&document) {
        assert!(operation["summary"].is_string(), "{method} {path} has no summary");
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            assert!(has_one(parameter), "{method} {path} has no example of {}", parameter["name"]);
        }
        for (kind, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
            assert!(has_one(content), "{method} {path} has no example of {kind}");
        }
        for (status, response) in operation["responses"].as_object().expect("responses") {
            assert!(response["headers"]["X-Request-Id"].is_object(), "{method} {path} {status}");
            for (kind, content) in response["content"].as_object().into_iter().flatten() {
                assert!(has_one(content), "{method} {path} {status} {kind} has no example");
            }
        }
    }
}

#[test]
fn every_event_is_among_the_webhooks() {
    let document = document();
    let webhooks = document["webhooks"].as_object().expect("webhooks");
    let events = document["components"]["schemas"]["EventType"]["enum"].as_array().expect("names");
    assert_eq!(webhooks.len(), events.len());
    for event in events {
        let request = &webhooks[event.as_str().expect("a name")]["post"];
        let content = &request["requestBody"]["content"]["application/json"];
        assert_eq!(&content["example"]["type"], event);
        let schema = content["schema"]["$ref"].as_str().expect("a reference").trim_start_matches('#');
        assert!(document.pointer(schema).is_some(), "{schema}");
    }
}

#[test]
fn no_description_links_into_the_source() {
    let text = countersign_api::openapi::pretty();
    let link = text.lines().find(|line| line.contains("[`"));
    assert_eq!(link, None, "a reader of the document can't follow it");
}

#[tokio::test]
async fn the_document_is_served_and_not_read_twice() {
    let service = Service::start(&[]).await;
    let first = get(service.address, "/openapi.json", &[]).await;
    assert_eq!((first.status, first.header("content-type")), (200, Some("application/json")));
    assert_eq!(first.json(), document());
    let tag = first.header("etag").expect("a version");
    let again = get(service.address, "/openapi.json", &[("If-None-Match", tag)]).await;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let other = get(service.address, "/openapi.json", &[("If-None-Match", "\"another\"")]).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere() {
    let service = Service::start(&[]).await;
    let page = get(service.address, "/docs", &[]).await;
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.body.contains("//"), "an address of elsewhere: {}", page.body);
    for inline in ["<style", " style=", " on", "<script>"] {
        assert!(!page.body.contains(inline), "the policy forbids `{inline}`");
    }
    let start = get(service.address, "/docs/start.js", &[]).await;
    assert!(start.body.contains("openapi.json"), "{start:?}");
    get(service.address, "/docs/nothing.js", &[]).await.expect_problem(404, "NOT_FOUND");
    let slash = get(service.address, "/docs/", &[]).await;
    assert_eq!((slash.status, slash.header("location")), (307, Some("../docs")));
}
