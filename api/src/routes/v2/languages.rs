//! `GET /v2/languages`: the accepted language codes.

use actix_web::HttpResponse;
use countersign_shared::domain::LANGUAGES;
use serde::Serialize;

#[derive(Serialize)]
struct List {
    languages: &'static [&'static str],
}

pub(super) async fn handle() -> HttpResponse {
    HttpResponse::Ok().json(List { languages: LANGUAGES })
}
