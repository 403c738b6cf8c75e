//! `GET /v2/verifications`: the caller's verifications, newest first, page by page.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{
    InvalidTime, Kind, ProblemCode, Scope, State, Summary, Timestamp, VerificationId,
};
use countersign_shared::store::overview::{Filter, Listed, Page as Rows};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{caller, cursor, query};
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
    /// The `next_cursor` of the page before, with the same filters.
    #[param(example = "AYzJ2F0Y9Z0BAZsPPCp-fTGlwG8ejZSypw")]
    cursor: Option<String>,
    /// Only those that stand there.
    #[param(example = "succeeded")]
    state: Option<State>,
    /// Only those of this kind.
    #[param(example = "photo")]
    kind: Option<Kind>,
    /// Those whose upload began then or later; RFC 3339.
    #[param(format = DateTime, example = "2026-11-01T00:00:00Z")]
    created_after: Option<String>,
    /// Those whose upload began before; RFC 3339.
    #[param(format = DateTime, example = "2026-12-01T00:00:00Z")]
    created_before: Option<String>,
}

/// Some of the caller's verifications, newest first.
#[derive(Serialize, ToSchema)]
#[schema(as = VerificationPage)]
struct Page {
    data: Vec<Summary>,
    /// Where the next page begins; null on the last one.
    #[schema(required)]
    next_cursor: Option<String>,
    /// Those of this page that a newer version of the service wrote and this one can't show.
    unreadable: Vec<VerificationId>,
}

/// Lists the caller's verifications, newest first, page by page.
///
/// A page of a filtered list may be short, or empty, and still not be the last: `next_cursor` decides.
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
    let Query { limit, cursor: position, state, kind, created_after, created_before } = query(&request)?;
    let limit = limit.unwrap_or(USUAL);
    if !(1..=MOST).contains(&limit) {
        return Err(Problem::new(ProblemCode::InvalidField, format!("`limit` must be from 1 to {MOST}")));
    }
    let filter = Filter {
        state,
        kind,
        from: time("created_after", created_after.as_deref())?,
        until: time("created_before", created_before.as_deref())?,
    };
    let read = |text: String| cursor::read(caller.tenant, &filter, &text);
    let before = position.map(read).transpose().map_err(|_| {
        let detail = "`cursor` must be the `next_cursor` of a page of this list, with the same filters";
        Problem::new(ProblemCode::InvalidField, detail)
    })?;
    let Rows { rows, next } = front.overview.list(caller.tenant, &filter, before, limit).await?;
    let mut page = Page {
        data: Vec::with_capacity(rows.len()),
        next_cursor: next.map(|id| cursor::write(caller.tenant, &filter, id)),
        unreadable: Vec::new(),
    };
    for row in rows {
        match row {
            Listed::Readable(verification) => page.data.push(Summary::from(&*verification)),
            Listed::Unreadable(id) => page.unreadable.push(id),
        }
    }
    Ok(HttpResponse::Ok().json(page))
}

fn time(name: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    text.map(str::parse)
        .transpose()
        .map_err(|error: InvalidTime| Problem::new(ProblemCode::InvalidField, format!("`{name}` is {error}")))
}
