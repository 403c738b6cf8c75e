//! `GET /v2/usage`: what the caller's tenant has used in a month.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{KeyId, Kind, Month, ProblemCode, Scope, Timestamp, Usage};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{caller, query};
use crate::front::Front;
use crate::problem::Problem;

/// One for each key and kind.
const MOST_LINES: u32 = 3000;

#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Query {
    /// A calendar month in UTC, such as `2026-11`; the current one without it.
    #[param(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])$", example = "2026-11")]
    month: Option<String>,
}

/// Accepted verifications, whatever became of them.
#[derive(Serialize, ToSchema)]
#[schema(as = Usage, example = json!({
    "month": "2026-11",
    "total": {"photo": 120, "video": 35, "spoof": 2},
    "by_key": [{"key": "key_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "photo": 120, "video": 35, "spoof": 2}],
}))]
struct View {
    /// The calendar month in UTC.
    month: String,
    total: Counts,
    /// Keys that were used in that month.
    by_key: Vec<OfKey>,
}

#[derive(Default, Serialize, ToSchema)]
#[schema(as = UsageCounts, example = json!({"photo": 120, "video": 35, "spoof": 2}))]
struct Counts {
    photo: u64,
    video: u64,
    spoof: u64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = UsageOfKey, example = json!({
    "key": "key_019b0f3c2a7e7d31a5c06f1e8d94b2a7", "photo": 120, "video": 35, "spoof": 2,
}))]
struct OfKey {
    key: KeyId,
    #[serde(flatten)]
    counts: Counts,
}

impl Counts {
    fn add(&mut self, usage: Usage) {
        *match usage.kind {
            Kind::Photo => &mut self.photo,
            Kind::Video => &mut self.video,
            Kind::Spoof => &mut self.spoof,
        } += usage.count;
    }
}

/// Tells what the caller's tenant has used in a month, by key and kind.
#[utoipa::path(
    get,
    path = "/v2/usage",
    operation_id = "read_usage",
    tag = "service",
    params(Query),
    responses((status = 200, description = "What was used.", body = View)),
    security(("bearer" = ["verify:read"]), ("api_key" = ["verify:read"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField]))),
)]
pub(super) async fn handle(front: Data<Front>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyRead).await?;
    let Query { month } = query(&request)?;
    let month = match month {
        None => Month::of(Timestamp::now()),
        Some(text) => text
            .parse()
            .map_err(|error| Problem::new(ProblemCode::InvalidField, format!("`month`: {error}")))?,
    };
    let lines = front.usage.usage(caller.tenant, month, MOST_LINES).await?;
    Ok(HttpResponse::Ok().json(View::of(month, lines)))
}

impl View {
    /// The lines come key by key.
    fn of(month: Month, lines: Vec<Usage>) -> Self {
        let mut view = Self { month: month.to_string(), total: Counts::default(), by_key: Vec::new() };
        for line in lines {
            view.total.add(line);
            match view.by_key.last_mut() {
                Some(last) if last.key == line.key => last.counts.add(line),
                _ => {
                    let mut counts = Counts::default();
                    counts.add(line);
                    view.by_key.push(OfKey { key: line.key, counts });
                }
            }
        }
        view
    }
}
