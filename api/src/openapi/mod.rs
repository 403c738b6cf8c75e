//! The OpenAPI document, made from what the handlers say of themselves.
//!
//! An operation gets into it in two steps: `#[utoipa::path(...)]` on its handler, and the handler's name in the list
//! beside its route (`#[openapi(paths(...))]`). A test finds a route that is not there. What the attribute says:
//!
//! - method, `path`, `operation_id` (`verb_noun`, the name that generated clients have for it), `tag`. The handler's
//!   doc comment is the summary (first line) and the description.
//! - `params(...)`, `request_body(...)` and the responses of success, each with a body type and an `example`, best made
//!   from the type itself. A query is a struct that derives `IntoParams`.
//! - `security(("bearer" = ["SCOPE"]), ("api_key" = ["SCOPE"]))`, with the scope that the handler asks for.
//! - `extensions(("x-error-codes" = json!([ProblemCode::NotFound])))`: the codes that this operation itself can refuse
//!   with. What every operation with a key can answer is added here ([`errors`]), with bodies, headers and examples.
//! - `headers(("Location"))`, where a response of success has one of [`headers::ALL`]; `X-Request-Id` is added.
//!
//! Types: `derive(ToSchema)`, a doc comment for each field with its unit and range, `#[schema(required)]` on an `Option`
//! that is always there (null), and an example: `#[schema(example = ...)]`, or a place in [`sample`]. A name that another
//! type has too needs `#[schema(as = Other)]`.

mod binary;
mod errors;
mod headers;
pub(crate) mod sample;
mod tagged;
mod tidy;
mod told;

use std::sync::LazyLock;

use bytes::Bytes;
use serde_json::{Value, json};
use utoipa::OpenApi;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

pub(crate) use binary::Binary;

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Countersign",
        description = include_str!("description.md"),
        license(name = "Apache-2.0 OR MIT", identifier = "Apache-2.0 OR MIT"),
    ),
    servers((url = "/", description = "This server")),
    tags(
        (name = "verifications", description = "Submit, wait, follow, read, review, cancel, erase."),
        (name = "challenges", description = "Six random digits, to be spoken once and before long."),
        (name = "v1.1", description = "The synchronous endpoints of One Smart Lab's REST API v1.1, unchanged."),
        (name = "webhooks", description = "Be told: endpoints, their secrets, and what was sent to them."),
        (name = "administration", description = "Tenants, API keys and the audit log of the whole installation."),
        (name = "service", description = "What the service knows and how it does."),
    ),
)]
struct Frame;

/// The document as the CLI prints it and `docs/openapi.json` keeps it.
pub fn pretty() -> String {
    let text = serde_json::to_string_pretty(&*DOCUMENT);
    text.expect("a JSON value serialises; this is a bug") + "\n"
}

/// The document as it is served.
pub(crate) fn compact() -> Bytes {
    Bytes::from(DOCUMENT.to_string())
}

/// The document's paths, each the pattern of a route.
pub(crate) fn path(pattern: &str) -> Option<&'static str> {
    let paths = DOCUMENT["paths"].as_object()?;
    paths.get_key_value(pattern).map(|(path, _)| path.as_str())
}

/// The methods of a path, as the `Allow` header lists them; nothing for what is no path of the document.
pub(crate) fn methods(pattern: &str) -> Option<String> {
    let methods = DOCUMENT["paths"].get(pattern)?.as_object()?;
    let names: Vec<String> = methods.keys().map(|method| method.to_uppercase()).collect();
    Some(names.join(", "))
}

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| {
    let mut document = Frame::openapi();
    document.merge(routes::document());
    let components = document.components.get_or_insert_default();
    let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).description(Some(
        "An API key, such as `cs_…`. Its scopes decide what it may do; they stand beside each operation.",
    ));
    components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    let header = ApiKeyValue::with_description("X-Api-Key", "The same key in a header of its own.");
    components.add_security_scheme("api_key", SecurityScheme::ApiKey(ApiKey::Header(header)));
    let mut document = serde_json::to_value(document).expect("an OpenAPI document serialises; this is a bug");
    tidy::refer(&mut document);
    tagged::spread(&mut document);
    errors::add(&mut document);
    headers::add(&mut document);
    sample::add(&mut document);
    told::add(&mut document);
    tidy::tidy(&mut document);
    document
});

/// Every operation of the document, with its path.
fn operations(document: &mut Value) -> impl Iterator<Item = (&str, &mut Value)> {
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    paths.flat_map(|(path, methods)| {
        let methods = methods.as_object_mut().into_iter().flatten();
        methods.map(move |(_, operation)| (path.as_str(), operation))
    })
}

/// What stands in the place of a schema that is among the components.
fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}
