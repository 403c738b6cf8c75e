//! `GET /v2/errors`: the closed list of codes.

use actix_web::HttpResponse;
use countersign_shared::domain::ProblemCode;
use serde::Serialize;

#[derive(Serialize)]
struct List {
    errors: Vec<Item>,
}

#[derive(Serialize)]
struct Item {
    code: &'static str,
    status: u16,
    title: &'static str,
}

pub(super) async fn handle() -> HttpResponse {
    let item = |code: &ProblemCode| Item { code: code.code(), status: code.status(), title: code.title() };
    HttpResponse::Ok().json(List { errors: ProblemCode::ALL.iter().map(item).collect() })
}
