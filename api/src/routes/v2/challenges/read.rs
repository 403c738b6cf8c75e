//! `GET /v2/challenges/{id}`: whether a challenge is open, used or expired.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use countersign_shared::domain::{ChallengeId, ProblemCode, Scope};

use super::Resource;
use crate::front::Front;
use crate::problem::Problem;
use crate::routes::v2::caller;

/// Says whether a challenge is open, used or expired.
#[utoipa::path(
    get,
    path = "/v2/challenges/{id}",
    operation_id = "read_challenge",
    tag = "challenges",
    params(("id" = ChallengeId, Path, description = "The challenge.")),
    responses((status = 200, description = "The challenge.", body = Resource)),
    security(("bearer" = ["verify:read"]), ("api_key" = ["verify:read"])),
    extensions(("x-error-codes" = json!([ProblemCode::NotFound]))),
)]
pub(super) async fn handle(
    front: Data<Front>,
    request: HttpRequest,
    id: Path<String>,
) -> Result<HttpResponse, Problem> {
    let caller = caller(&front, &request, Scope::VerifyRead).await?;
    let id: ChallengeId = id.parse().map_err(|_| Problem::of(ProblemCode::NotFound))?;
    let challenge = front.challenges.challenge(caller.tenant, id).await?;
    Ok(HttpResponse::Ok().json(Resource::from(challenge)))
}
