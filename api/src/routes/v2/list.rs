//! `GET /v2/verifications`: the caller's verifications, newest first, page by page.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ProblemCode, Scope, Summary, VerificationId};
use serde::{Deserialize, Serialize};

use super::{caller, query};
use crate::front::Front;
use crate::problem::Problem;

const USUAL: u32 = 20;
const MOST: u32 = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Query {
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize)]
struct Page {
    data: Vec<Summary>,
    /// Null on the last page.
    next_cursor: Option<VerificationId>,
}

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
