//! `GET /v2/verifications`: the caller's verifications, newest first, page by page.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, Summary, VerificationId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{caller, query};
use crate::front::Front;
use crate::openapi::sample;
use crate::problem::Problem;

const USUAL: u32 = 20;
const MOST: u32 = 100;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// Most verifications of the page; 20 without it.
    #[param(minimum = 1, maximum = 100, example = 20)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    #[param(value_type = Option<VerificationId>)]
    cursor: Option<String>,
}

/// Some of the caller's verifications, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = VerificationPage)]
struct Page {
    data: Vec<Summary>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    next_cursor: Option<VerificationId>,
}

/// Lists the caller's verifications, newest first, page by page.
#[utoipa::path(
    get,
    path = "/v2/verifications",
    operation_id = "list_verifications",
    tag = "verifications",
    params(Query),
    responses((status = 200, description = "A page.", body = Page, example = json!(sample::page()))),
    security(("bearer" = ["verify:read"]), ("api_key" = ["verify:read"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField]))),
)]
pub(super) async fn handle(front: Data<Front>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyRead).await?;
    let Query { limit, cursor } = query(&request)?;
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(ProblemCode::InvalidField, format!("`limit` must be from 1 to {MOST}")));
    }
    let before = cursor.map(|cursor| cursor.parse::<VerificationId>()).transpose().map_err(|_| {
        Problem::new(ProblemCode::InvalidField, "`cursor` must be the `next_cursor` of a page")
    })?;
    // One more than asked tells whether there is a next page.
    let mut rows = front.verifications.list(caller.tenant, before, limit + 1).await?;
    let is_last = rows.len() <= limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = if is_last { None } else { rows.last().map(|row| row.id) };
    let data = rows.iter().map(Summary::from).collect();
    Ok(HttpResponse::Ok().json(Page { data, next_cursor }))
}
