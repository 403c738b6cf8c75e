//! `GET /v2/languages`: the accepted language codes.

use actix_web::HttpResponse;
use countersign_shared::domain::{LANGUAGES, Language};
use serde::Serialize;
use utoipa::ToSchema;

/// Every language in which digits can be spoken.
#[derive(Serialize, ToSchema)]
#[schema(as = LanguageList, example = json!({"languages": ["en-US", "th-TH"]}))]
pub(super) struct List {
    #[schema(value_type = Vec<Language>)]
    languages: &'static [&'static str],
}

/// Lists the accepted languages.
#[utoipa::path(
    get,
    path = "/v2/languages",
    operation_id = "list_languages",
    tag = "service",
    responses((status = 200, description = "Every accepted language code.", body = List)),
)]
pub(super) async fn handle() -> HttpResponse {
    HttpResponse::Ok().json(List { languages: LANGUAGES })
}
