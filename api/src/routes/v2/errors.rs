//! `GET /v2/errors`: the closed list of codes.

use actix_web::HttpResponse;
use countersign_shared::domain::ProblemCode;
use serde::Serialize;
use utoipa::ToSchema;

/// Every code that an error can have.
#[derive(Serialize, ToSchema)]
#[schema(as = ErrorList, example = json!({"errors": [
    {"code": "NOT_FOUND", "status": 404, "title": "There is no such resource."}
]}))]
pub(super) struct List {
    errors: Vec<Item>,
}

/// One code.
#[derive(Serialize, ToSchema)]
#[schema(
    as = ErrorListItem,
    example = json!({"code": "NOT_FOUND", "status": 404, "title": "There is no such resource."}),
)]
struct Item {
    code: ProblemCode,
    /// The HTTP status that goes with it.
    status: u16,
    /// One sentence for a person.
    title: &'static str,
}

/// Lists the error codes.
#[utoipa::path(
    get,
    path = "/v2/errors",
    operation_id = "list_errors",
    tag = "service",
    responses((status = 200, description = "The closed list.", body = List)),
)]
pub(super) async fn handle() -> HttpResponse {
    let item = |code: &ProblemCode| Item { code: *code, status: code.status(), title: code.title() };
    HttpResponse::Ok().json(List { errors: ProblemCode::ALL.iter().map(item).collect() })
}
