//! `POST /v2/admin/keys/{id}/rotate`: a new key in the place of an old one, both valid for a while.

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, LOCATION};
use actix_web::web::{Data, Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ApiKey, KeyId, ProblemCode};
use countersign_shared::store::StoreError;
use serde::Deserialize;
use utoipa::ToSchema;

use super::super::body::body;
use super::key::WithSecret;
use super::{administrator, invalid, named};
use crate::front::Front;
use crate::problem::Problem;

const DAY: u64 = 24 * 60 * 60;
const LONGEST_OVERLAP: u64 = 30 * DAY;

/// How the keys take turns.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ApiKeyRotation, example = json!({"overlap": 3600}))]
struct Rotation {
    /// Seconds for which the old key is still valid: 0 to 30 days, a day without it.
    #[schema(maximum = 2_592_000)]
    overlap: Option<u64>,
}

/// Makes a key with the same properties in the place of this one, which expires after the overlap. The new secret is shown
/// this once.
#[utoipa::path(
    post,
    path = "/v2/admin/keys/{id}/rotate",
    operation_id = "rotate_key",
    tag = "administration",
    params(("id" = KeyId, Path, description = "The old key.")),
    request_body = Option<Rotation>,
    responses((status = 201, description = "The new key.", body = WithSecret, headers(("Location")))),
    security(("bearer" = ["admin"]), ("api_key" = ["admin"])),
    extensions(("x-error-codes" = json!([
        ProblemCode::InvalidField, ProblemCode::NotFound, ProblemCode::Conflict
    ]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = administrator(&front, &request).await?;
    let Rotation { overlap } = body(payload).await?;
    let overlap = overlap.unwrap_or(DAY);
    if overlap > LONGEST_OVERLAP {
        return Err(invalid(format!("`overlap` must be at most {LONGEST_OVERLAP} seconds")));
    }
    let key = ApiKey::generate();
    let overlap = Duration::from_secs(overlap);
    let rotated = front.keys.rotate_key(named(&id)?, &key.hash(), overlap, caller.actor()).await;
    let info = rotated.map_err(|error| match error {
        StoreError::Conflict => Problem::new(ProblemCode::Conflict, "the key is revoked or has expired"),
        other => other.into(),
    })?;
    let location = format!("/v2/admin/keys/{}", info.id);
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, location))
        .insert_header((CACHE_CONTROL, "no-store"))
        .json(WithSecret::new(info, &key)))
}
