//! `POST /v2/challenges`: issues six random digits.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{Challenge, Digits, ProblemCode, Scope};
use serde::Deserialize;
use utoipa::ToSchema;

use super::Resource;
use crate::front::Front;
use crate::problem::Problem;
use crate::routes::v2::body::body;
use crate::routes::v2::caller;

/// All of it can be left out.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewChallenge, example = json!({ "expires_in": 300 }))]
pub(super) struct Wanted {
    /// Seconds for which the digits can be used.
    #[schema(minimum = 10, maximum = 3600)]
    expires_in: Option<u64>,
}

/// Issues six random digits, to be spoken once and before they expire.
#[utoipa::path(
    post,
    path = "/v2/challenges",
    operation_id = "issue_challenge",
    tag = "challenges",
    request_body(content = Option<Wanted>, content_type = "application/json"),
    responses((status = 201, description = "The challenge, open.", body = Resource, headers(("Location")))),
    security(("bearer" = ["verify:write"]), ("api_key" = ["verify:write"])),
    extensions(("x-error-codes" = json!([ProblemCode::InvalidField]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyWrite).await?;
    let Wanted { expires_in } = body(payload).await?;
    let lifetime = expires_in.map_or(front.challenges_expire_in, Duration::from_secs);
    if !Challenge::LIFETIMES.contains(&lifetime) {
        return Err(Problem::new(ProblemCode::InvalidField, "`expires_in` must be from 10 to 3600 seconds"));
    }
    let challenge = front.challenges.issue(caller.tenant, Digits::generate(), lifetime).await?;
    let location = format!("/v2/challenges/{}", challenge.id);
    Ok(HttpResponse::Created().insert_header((LOCATION, location)).json(Resource::from(challenge)))
}
