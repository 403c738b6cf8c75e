//! `GET /openapi.json`: the document of all operations.

use std::sync::LazyLock;

use actix_web::{HttpRequest, HttpResponse};

use super::fixed::Fixed;
use crate::openapi;

static DOCUMENT: LazyLock<Fixed> = LazyLock::new(|| Fixed::new("application/json", openapi::compact()));

/// The OpenAPI 3.1 document of this service.
#[utoipa::path(
    get,
    path = "/openapi.json",
    operation_id = "get_openapi",
    tag = "service",
    responses(
        (
            status = 200,
            description = "This document.",
            body = std::collections::HashMap<String, serde_json::Value>,
            headers(("ETag")),
            example = json!({"openapi": "3.1.0", "info": {"title": "Countersign", "version": "0.1.0"}, "paths": {}}),
        ),
        (status = 304, description = "The client has it: `If-None-Match` named its `ETag`.", headers(("ETag"))),
    ),
)]
pub(super) async fn handle(request: HttpRequest) -> HttpResponse {
    DOCUMENT.answer(&request)
}
